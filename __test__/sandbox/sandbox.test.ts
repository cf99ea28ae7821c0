/** Boxes: what programs see and may do by default, the options, timeouts, and that nothing is left. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ExecFileError, NamespaceSet } from 'nsset'
import { type Refusal, Sandbox, type SandboxOptions } from 'nsset/sandbox'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { importsOf } from '../setup/layers/typescript-graph.ts'
import { CGROUP2, needsControllers, reasonOf, version2Path, withoutGroups } from '../setup/oracles/control-groups.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

async function shell(box: Sandbox, script: string): Promise<string> {
  const { stdout } = await box.execFile('sh', ['-c', script], { timeout: 20_000 })
  return stdout.trim()
}

describe('by default', () => {
  test('programs have no capabilities, no new privileges, a filter, and the ids of the caller', async () => {
    await using box = await Sandbox.create()
    const status = await shell(box, 'grep -E "^(Uid|Cap|NoNewPrivs|Seccomp:)" /proc/self/status')
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(status).toMatch(new RegExp(`^Uid:(?:\\t${process.getuid?.()}){4}$`, 'm'))
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
      expect(status).toMatch(new RegExp(`^Cap${set}:\\t0{16}$`, 'm'))
  })

  test('they have their own processes, host name and network', async () => {
    await using box = await Sandbox.create()
    expect(box.set.kinds.toSorted()).toEqual(['ipc', 'mnt', 'net', 'pid', 'user', 'uts'])
    expect(await shell(box, 'hostname; ls /sys/class/net; ls -d /proc/[0-9]* | head -1')).toBe('sandbox\nlo\n/proc/1')
    const { code } = await box
      .execFile(process.execPath, [
        '-e',
        "require('net').connect(80, '192.0.2.1').on('error', (e) => process.exit(e.code === 'ENETUNREACH' ? 7 : 8))",
      ])
      .catch((error) => ({ code: error.exitCode }))
    expect(code).toBe(7)
  })

  test('they read the files of the host, and write to /tmp of their own only', async () => {
    using directory = temporaryDirectory()
    await using box = await Sandbox.create()
    const places = '/etc /usr /var / /home /opt /sys /proc/sys/kernel'
    expect(
      await shell(box, `for p in ${places}; do touch $p/nsset-test 2>/dev/null && echo $p; done; cat /etc/passwd`),
    ).toBe(readFileSync('/etc/passwd', 'utf8').trim())
    expect(
      await shell(box, `touch /tmp/x /var/tmp/x /run/x /dev/shm/x && ls /tmp; ls ${directory.path} 2>&1 || true`),
    ).toMatch(/^x\nls: .*No such file or directory$/)
  })

  test('keys and tokens are hidden, and what is missing is no error', async () => {
    using home = temporaryDirectory()
    const program = `
      import { Sandbox } from ${JSON.stringify(fileURLToPath(new URL('../../dist/sandbox/index.js', import.meta.url)))}
      const box = await Sandbox.create({ files: { temporary: ['/run'] } })
      const { stdout } = await box.execFile('sh', ['-c', 'cd ' + process.env.HOME + '; cat .ssh/id .netrc; ls -A .ssh; cat notes'], { reject: false })
      console.log(JSON.stringify([stdout.trim(), Sandbox.hidden.includes(process.env.HOME + '/.aws')]))
      await box.close()`
    mkdirSync(home.file('.ssh'))
    for (const name of ['.ssh/id', '.netrc']) writeFileSync(home.file(name), 'secret')
    writeFileSync(home.file('notes'), 'notes')
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, HOME: home.path },
        encoding: 'utf8',
        timeout: 20_000,
      })
    expect(JSON.parse(run())).toEqual(['notes', true])
  })

  test('the environment has no secrets of the caller', async () => {
    process.env['NSSET_TEST_TOKEN'] = 'secret'
    try {
      await using box = await Sandbox.create()
      const names = (await shell(box, 'env')).split('\n').map((line) => line.split('=')[0] ?? '')
      expect(
        names.filter(
          (name) => !['PATH', 'LANG', 'LC_ALL', 'TERM', 'TZ', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name),
        ),
      ).toEqual([])
      const { stdout } = await box.execFile('env', [], { env: { ONLY: 'this' } })
      expect(stdout).toBe('ONLY=this\n')
    } finally {
      delete process.env['NSSET_TEST_TOKEN']
    }
  })
})

describe('files', () => {
  test('the innermost place is in effect, whatever list it is in', async () => {
    using directory = temporaryDirectory()
    const file = directory.file
    for (const name of ['project/.git', 'project/secrets/public', 'other']) mkdirSync(file(name), { recursive: true })
    for (const name of ['project/secrets/key', 'project/secrets/public/readme', 'other/file'])
      writeFileSync(file(name), name)
    await using box = await Sandbox.create({
      files: {
        write: [file('project')],
        read: [file('project/.git'), file('project/secrets/public'), file('other')],
        hide: [file('project/secrets'), file('missing')],
      },
    })
    const script = `ls; touch made .git/made other/made 2>&1 | grep -c Read-only; ls secrets; cat secrets/public/readme; cat ../other/file`
    expect((await shell(box, script)).split('\n')).toEqual([
      'secrets',
      '1',
      'public',
      'project/secrets/public/readmeother/file',
    ])
    expect(readdirSync(file('project')).toSorted()).toEqual(['.git', 'made', 'secrets'])
  })

  test('what is hidden for a second time stays hidden, and what is hidden in something shown is hidden', async () => {
    using directory = temporaryDirectory()
    const file = directory.file
    for (const name of ['home/keys', 'home/project/secrets']) mkdirSync(file(name), { recursive: true })
    for (const name of ['home/keys/one', 'home/project/secrets/two', 'home/project/readme'])
      writeFileSync(file(name), name)
    const hide = ['home', 'home/keys', 'home/project/secrets'].map(file)
    await using box = await Sandbox.create({ files: { hide, read: [file('home/project')] } })
    expect(await shell(box, `cd ${file('home')} && ls -A . project project/secrets`)).toBe(
      '.:\nproject\n\nproject:\nreadme\nsecrets\n\nproject/secrets:',
    )
  })

  test('an empty root directory has nothing but what is named, and links stay links', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), 'hello')
    symlinkSync('file', directory.file('link'))
    const system = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path))
    await using box = await Sandbox.create({ root: 'empty', files: { read: [...system, directory.file('link')] } })
    expect(await shell(box, `cat ${directory.file('link')}; ls -1 / | tr "\\n" " "; touch /x 2>&1 || true`)).toMatch(
      new RegExp(
        `^hello${['dev', ...system.map((path) => path.slice(1)), 'proc', 'tmp'].toSorted().join(' ')} touch: .*Read-only file system$`,
      ),
    )
  })

  test('a program without its dynamic loader does not start, and the error says so', async () => {
    await using box = await Sandbox.create({ root: 'empty', files: { read: [process.execPath] } })
    await expect(box.execFile(process.execPath, ['--version'])).rejects.toMatchObject({
      code: 'ENOENT',
      message: expect.stringContaining('dynamic loader'),
    })
  })

  test('a place that has to exist is an error if it does not', async () => {
    for (const list of ['read', 'write'] as const) {
      await expect(Sandbox.create({ files: { [list]: ['/nsset/is/not/here'] } })).rejects.toMatchObject({
        code: 'ENOENT',
        path: '/nsset/is/not/here',
        message: expect.stringContaining(`a path of files.${list} has to exist`),
      })
    }
  })
})

describe('time', () => {
  test('a timeout ends everything in the box, also what left its program, and closes the box', async () => {
    const mark = `97${process.pid}`
    await using box = await Sandbox.create()
    const other = box.spawn('sleep', [`${mark}1`], { stdio: 'ignore' })
    await once(other, 'spawn')
    const error = await box
      .execFile('sh', ['-c', `setsid sleep ${mark}2 & sleep ${mark}3`], { timeout: 300 })
      .catch((error) => error)
    expect(error).toBeInstanceOf(ExecFileError)
    expect(error).toMatchObject({ code: 'ETIMEDOUT' })
    expect(box.closed).toBe(true)
    expect(execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })).not.toContain(`sleep ${mark}`)
    const closed = { code: 'ERR_NSSET_CLOSED', message: "the box is closed: 'sh' ran longer than its timeout" }
    await expect(box.execFile('true')).rejects.toMatchObject(closed)
    expect(() => box.spawn('true')).toThrow(closed.message)
    expect(() => box.fork('./program.js')).toThrow(closed.message)
  })

  test('an aborted signal and the timeout of spawn do the same', async () => {
    await using first = await Sandbox.create()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 100)
    await expect(first.execFile('sleep', ['60'], { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(first.closed).toBe(true)

    await using second = await Sandbox.create()
    const child = second.spawn('sh', ['-c', 'trap "" TERM; sleep 60'], { stdio: 'ignore', timeout: 100 })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await second.close()
  })

  test('a program that ends in time ends nothing else', async () => {
    await using box = await Sandbox.create()
    const child = box.spawn('sh', ['-c', 'exit 3'], { stdio: 'ignore', timeout: 60_000 })
    expect(await once(child, 'exit')).toEqual([3, null])
    await expect(box.execFile('sh', ['-c', 'exit 4'], { timeout: 60_000 })).rejects.toMatchObject({ exitCode: 4 })
    expect(box.closed).toBe(false)
  })
})

describe('refusals', () => {
  test('say what the kernel tells: a limit, a system call, the timeout', async () => {
    await using box = await Sandbox.create({
      limits: { fileSize: 4096 },
      seccomp: { default: 'allow', kill: ['sethostname'] },
    })
    const seen: Refusal[] = []
    const reading = (async () => {
      for await (const refusal of box.refusals()) seen.push(refusal)
    })()
    await box.execFile('sh', ['-c', 'exec head -c 100000 /dev/zero > /tmp/large'], { reject: false })
    await box.execFile('hostname', ['other'], { reject: false })
    await box.execFile('sleep', ['60'], { timeout: 100, reject: false })
    await reading
    expect(seen.map(({ what }) => what)).toEqual(['fileSize', 'systemCall', 'timeout'])
    expect(seen[1]?.command).toEqual(['hostname', 'other'])
    const late: Refusal[] = []
    for await (const refusal of box.refusals()) late.push(refusal)
    expect(late).toEqual(seen)
  })
})

describe.skipIf(withoutGroups !== undefined)(`cgroup${reasonOf(withoutGroups)}`, () => {
  test('all programs of a box are in one group, which is its root, and ends with it', async () => {
    await using box = await Sandbox.create({ cgroup: {} })
    expect(box.set.kinds).toContain('cgroup')
    expect(await shell(box, 'grep ^0: /proc/self/cgroup')).toBe('0::/')
    const child = box.spawn('sleep', ['60'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const path = version2Path(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8'))
    expect(path).toMatch(/nsset-/)
    await box.close()
    expect(existsSync(`${CGROUP2}${path}`)).toBe(false)
  })

  test('limits of memory and processes hold for all programs together, and refusals() has what they refused', async (context) => {
    needsControllers(context, 'memory', 'pids')
    await using box = await Sandbox.create({ cgroup: { memory: 48 * 2 ** 20, swap: 0, processes: 16 } })
    const hungry = await box.execFile('sh', ['-c', 'exec tail /dev/zero'], { reject: false, timeout: 20_000 })
    expect(hungry.signal).toBe('SIGKILL')
    await box.execFile('sh', ['-c', 'for i in $(seq 40); do sleep 1 & done; wait'], { reject: false, timeout: 20_000 })
    await box.close()
    const seen: string[] = []
    for await (const { what } of box.refusals()) seen.push(what)
    expect(seen).toEqual(['memory', 'processes'])
  })
})

test('fork: a module of the host talks to its parent', async () => {
  using directory = temporaryDirectory()
  const module = directory.file('child.mjs')
  writeFileSync(module, 'process.send({ pid: process.pid, uid: process.getuid() }); process.disconnect()')
  await using box = await Sandbox.create({ files: { read: [module] } })
  const child = box.fork(module, [], { execArgv: [] })
  const [message] = await once(child, 'message')
  expect(message).toEqual({ pid: expect.any(Number), uid: process.getuid?.() })
  expect(message.pid).toBeLessThan(20)
})

test('network: host is the network of the host, with its names', async () => {
  await using box = await Sandbox.create({ network: 'host' })
  expect(box.set.has('net')).toBe(false)
  using here = NamespaceSet.current('net')
  expect(await shell(box, 'readlink /proc/self/ns/net')).toBe(here.id())
})

test('nothing is left of a box, nor of one that could not be created', async () => {
  const create = async (options?: SandboxOptions) => {
    await using box = await Sandbox.create(options)
    await shell(box, 'sleep 60 > /dev/null 2>&1 & exit 0')
  }
  await create()
  const before = resources()
  for (let round = 0; round < 3; round++) await create()
  await expect(create({ files: { temporary: ['/nsset/is/not/here'] } })).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await growthSince(before)).toEqual({})
})

describe('options', () => {
  const refused: [unknown, string][] = [
    [{ network: 'bridge' }, "must be 'none', 'host' or an object"],
    [{ root: '/srv' }, "must be 'host' or 'empty'"],
    [{ file: {} }, "did you mean 'files'"],
    [{ files: { writable: [] } }, "Unknown option 'writable' of options.files"],
    [{ files: { hide: ['/x', 7] } }, 'options.files.hide[1]'],
    [{ limits: { openfiles: 1 } }, "did you mean 'openFiles'"],
    [{ capabilities: ['CAP_ALL'] }, 'options.capabilities[0]'],
    [{ seccomp: { default: 'never' } }, 'options.seccomp.default'],
    [{ cgroup: { memory: -1 } }, 'memory'],
    [{ noNewPrivileges: false }, "Unknown option 'noNewPrivileges'"],
  ]

  test.each(refused)('an invalid one is refused: %o', async (options, message) => {
    await expect(Sandbox.create(options as SandboxOptions)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_ARG_(?:TYPE|VALUE)$/),
      message: expect.stringContaining(message),
    })
  })
})

test('it is written on what nsset exports: besides, it imports only its own files and its checks of arguments', () => {
  const source = fileURLToPath(new URL('../../src/sandbox/', import.meta.url))
  const files = readdirSync(source)
  expect(files.length).toBeGreaterThan(4)
  for (const file of files) {
    const imports = importsOf(readFileSync(`${source}${file}`, 'utf8'))
    const others = imports.filter(
      (name) => !/^(?:nsset|node:[\w/]+|\.\/[\w-]+\.ts|\.\.\/validate\/sandbox\/[\w-]+\.ts)$/.test(name),
    )
    expect(others, file).toEqual([])
  }
})
