/** The option `landlock`: what a program reaches of files, ports and processes. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { type ExecFileOptions, type LandlockRules, landlockAbi, NamespaceSet } from 'nsset'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { statusField } from '../setup/processes/proc-status.ts'
import { failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { WAYS } from '../setup/sets/ways-to-start.ts'

const here = NamespaceSet.current(['net', 'uts'])
/** What programs of the system consist of. */
const SYSTEM = ['/usr', '/bin', '/lib', ...(process.arch === 'x64' ? ['/lib64'] : [])]

let files: TemporaryDirectory
beforeAll(() => {
  files = temporaryDirectory()
  for (const name of ['one', 'two']) {
    mkdirSync(files.file(name))
    writeFileSync(`${files.file(name)}/file`, name)
  }
})
afterAll(() => files[Symbol.dispose]())

/** Runs a script of a shell; returns what it prints, with its errors. */
async function run(script: string, landlock: LandlockRules, set = here): Promise<string> {
  const words = ['-c', `exec 2>&1; cd ${files.path}; ${script}`]
  return (await set.execFile('bash', words, { landlock, reject: false })).stdout.trim()
}

test('landlockAbi is what the kernel answers', () => {
  const ask = 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))'
  expect(landlockAbi()).toBe(Math.max(0, Number(execFileSync('python3', ['-c', ask], { encoding: 'utf8' }))))
})

/** A test that needs this ABI; skipped with the reason where the kernel has an older one. */
function withAbi(abi: number, name: string, body: () => Promise<void>): void {
  test(name, async (context) => {
    if (landlockAbi() < abi) context.skip(`Landlock of this kernel has ABI ${landlockAbi()}, and this needs ${abi}`)
    await body()
  })
}

describe.each(WAYS)('%s', (_, create) => {
  withAbi(3, 'only what is named is read and written', async () => {
    using set = create()
    const rules = { read: [...SYSTEM, files.file('one')], write: [files.file('two'), '/dev/null'] }
    const script =
      'cat one/file; cat two/file; echo; cat /etc/hostname; echo new > two/new && echo written; echo x > one/file'
    const output = await run(script, rules, set)
    expect(output).toMatch(/^onetwo\n.*hostname: Permission denied\nwritten\n.*one\/file: Permission denied$/)
  })

  withAbi(1, 'the rules are in effect with no new privileges', async () => {
    using set = create()
    const options = { landlock: { execute: ['/'] } }
    const { stdout } = await set.execFile('cat', ['/proc/self/status'], options)
    expect(statusField(stdout, 'NoNewPrivs')).toBe('1')
  })

  withAbi(1, 'a path that is missing is named', async () => {
    using set = create()
    const error = await failureOf(() => set.execFile('true', [], { landlock: { read: ['/', '/nowhere/at/all'] } }))
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'landlock_add_rule', path: '/nowhere/at/all' })
    expect(error.message).toContain('has to exist inside')
  })
})

describe('a list that is left out restricts nothing', () => {
  withAbi(3, 'write alone: everything is read and executed', async () => {
    const script =
      'cat /etc/passwd >/dev/null && echo read; echo >> one/file; rm two/file; mkdir one/x; ln -s x one/y; mv one two'
    const output = await run(script, { write: ['/dev/null'] })
    expect(output.split('\n')[0]).toBe('read')
    expect(output.match(/Permission denied/g)).toHaveLength(5)
  })

  withAbi(2, 'read alone: files are written, and move between directories', async () => {
    const script = 'echo > one/a && mv one/a two/a && ln two/a one/b && rm two/a one/b && echo moved'
    expect(await run(script, { read: ['/'] })).toBe('moved')
    expect(await run('mv one/file two/moved && mv two/moved one/file && echo moved', { execute: ['/'] })).toBe('moved')
  })

  withAbi(3, 'an empty list allows nothing', async () => {
    const error = await failureOf(() => here.execFile('true', [], { landlock: { execute: [] } }))
    expect(error).toMatchObject({ code: 'EACCES', syscall: 'spawn true' })
    expect(await run('echo x > one/file', { write: [] })).toMatch(/Permission denied/)
  })
})

describe('execute', () => {
  withAbi(1, 'allows the named programs, and their dynamic linker', async () => {
    const program = files.file('program')
    execFileSync('cp', ['/usr/bin/true', program])
    const landlock = { execute: SYSTEM }
    expect((await here.execFile('true', [], { landlock })).exitCode).toBe(0)
    expect(await failureOf(() => here.execFile(program, [], { landlock }))).toMatchObject({ code: 'EACCES' })
    expect((await here.execFile(program, [], { landlock: { execute: [...SYSTEM, program] } })).exitCode).toBe(0)
    expect(await run('./program', landlock)).toMatch(/Permission denied/)
  })
})

describe('ports', () => {
  const servers: Server[] = []
  const listen = () =>
    new Promise<number>((resolve) => {
      const server = createServer((socket) => socket.end('hello'))
      servers.push(server)
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  withAbi(4, 'connectTcp allows the named ones', async () => {
    const [allowed, other] = [await listen(), await listen()]
    const script = `cat </dev/tcp/127.0.0.1/${allowed}; echo; cat </dev/tcp/127.0.0.1/${other}`
    expect(await run(script, { connectTcp: [allowed] })).toMatch(/^hello\n[\s\S]*Permission denied/)
    expect(await run(script, { connectTcp: [] })).not.toContain('hello')
    expect(await run(script, { bindTcp: [] })).toBe('hello\nhello')
  })

  withAbi(4, 'bindTcp allows the named ones', async () => {
    const bind = (port: number) =>
      `require('net').createServer().on('error', ({ code }) => console.log(code)).listen(${port}, '127.0.0.1', function () { this.close(); console.log('bound') })`
    const outcome = async (port: number, bindTcp: number[]) =>
      (await here.execFile(process.execPath, ['-e', bind(port)], { landlock: { bindTcp } })).stdout.trim()
    expect(await outcome(0, [0])).toBe('bound')
    expect(await outcome(0, [])).toBe('EACCES')
    expect(await outcome(45_999, [0])).toBe('EACCES')
  })
})

withAbi(6, 'scoped: other processes get no signals, and their abstract sockets no connections', async () => {
  const server = createServer()
  const name = `\0nsset-test-${process.pid}`
  await new Promise<void>((resolve) => server.listen(name, resolve))
  const script = `
    const outcome = (name, value) => console.log(name, value)
    try { process.kill(${process.pid}, 0); outcome('kill', 'sent') } catch ({ code }) { outcome('kill', code) }
    require('net').connect({ path: ${JSON.stringify(name)} })
      .on('error', ({ code }) => outcome('connect', code)).on('connect', function () { this.destroy(); outcome('connect', 'connected') })`
  const outcomes = async (landlock: LandlockRules) =>
    (await here.execFile(process.execPath, ['-e', script], { landlock })).stdout.trim().split('\n').toSorted()
  expect(await outcomes({ scoped: true })).toEqual(['connect EPERM', 'kill EPERM'])
  expect(await outcomes({ execute: ['/'] })).toEqual(['connect connected', 'kill sent'])
  server.close()
})

withAbi(9, 'connectUnix allows the named sockets', async () => {
  const [allowed, other] = [files.file('allowed.sock'), files.file('other.sock')]
  const servers = [allowed, other].map((path) => createServer((socket) => socket.end('hello')).listen(path))
  const script = `
    for (const path of ${JSON.stringify([allowed, other])})
      require('net').connect(path).on('error', ({ code }) => console.log(code)).on('data', (data) => console.log(String(data)))`
  const outcomes = async (connectUnix: string[]) =>
    (await here.execFile(process.execPath, ['-e', script], { landlock: { connectUnix } })).stdout
      .trim()
      .split('\n')
      .toSorted()
  expect(await outcomes([allowed])).toEqual(['EACCES', 'hello'])
  expect(await outcomes([files.path])).toEqual(['hello', 'hello'])
  for (const server of servers) server.close()
})

withAbi(3, 'a Node.js process of fork works with rules', async () => {
  const script = new URL('../setup/programs/forked.cjs', import.meta.url)
  const child = here.fork(script, ['echo'], { landlock: { write: ['/dev/null'] } })
  const answer = new Promise((resolve) => child.once('message', resolve))
  child.send('hello')
  expect(await answer).toBe('hello')
  child.disconnect()
  await new Promise((resolve) => child.once('exit', resolve))
})

withAbi(3, 'everything of this page at once, in a set with its own files and processes', async () => {
  using set = NamespaceSet.unshareSync(['user', 'pid', 'mnt', 'net'], {
    mapUser: 'root',
    mounts: [{ type: 'proc', target: '/proc' }],
  })
  const { stdout } = await set.execFile('cat', ['/proc/self/status'], {
    // The descriptors of the rules do not count.
    limits: { openFiles: 4, coreSize: 0 },
    umask: 0o77,
    nice: 5,
    capabilities: [],
    landlock: { read: ['/'], write: [], execute: SYSTEM },
    seccomp: { default: 'allow', deny: ['ptrace'] },
  })
  const fields = ['CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp', 'Umask']
  expect(fields.map((name) => statusField(stdout, name))).toEqual([
    '0000000000000000',
    '0000000000000000',
    '1',
    '2',
    '0077',
  ])
})

test('what the kernel does not have is an error, and bestEffort leaves it out', async (context) => {
  const landlock = { read: ['/'], connectTcp: [], connectUnix: ['/'], scoped: true, bestEffort: true }
  expect((await here.execFile('true', [], { landlock })).exitCode).toBe(0)
  if (landlockAbi() >= 9) context.skip('this kernel has all of it')
  const error = await failureOf(() => here.execFile('true', [], { landlock: { ...landlock, bestEffort: false } }))
  expect(error).toMatchObject({ code: 'EOPNOTSUPP', syscall: 'landlock_create_ruleset' })
  expect(error.message).toContain('need ABI 9 (Linux 7.1)')
})

withAbi(1, 'Node.js itself is not restricted', async () => {
  await here.execFile('true', [], { landlock: { execute: ['/'], write: [] } })
  writeFileSync(files.file('mine'), 'x')
  expect(statusField(readFileSync('/proc/self/status', 'utf8'), 'NoNewPrivs')).toBe('0')
})

describe('wrong options', () => {
  const wrong =
    (landlock: unknown, more = {}) =>
    () =>
      here.execFile('true', [], untyped<ExecFileOptions<'utf8'>>({ landlock, ...more }))
  refuses([
    ['another type', wrong(true), type('options.landlock', 'an object')],
    ['an unknown list', wrong({ reads: [] }), value("did you mean 'read'")],
    ['a path instead of a list', wrong({ read: '/usr' }), type('options.landlock.read', 'an array')],
    ['an empty path', wrong({ write: ['/usr', ''] }), value('options.landlock.write[1]', 'empty')],
    ['a port that is too high', wrong({ connectTcp: [65_536] }), range('options.landlock.connectTcp[0]', '0 to 65535')],
    ['a port as text', wrong({ bindTcp: ['80'] }), type('options.landlock.bindTcp[0]')],
    ['a word for a boolean', wrong({ scoped: 'yes' }), type('options.landlock.scoped')],
    ['without no new privileges', wrong({}, { noNewPrivileges: false }), value("cannot be false with 'landlock'")],
  ])
})
