/** Where the places of a box are: the root directory, links, names that are no text, the working directory and resolv.conf. */
import { chmodSync, existsSync, mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NamespaceSet } from 'nsset'
import { Sandbox, type SandboxOptions } from 'nsset/sandbox'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const SYSTEM = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path))

async function shell(options: SandboxOptions, script: string): Promise<string> {
  await using box = await Sandbox.create(options)
  const { stdout } = await box.execFile('sh', ['-c', script], { timeout: 20_000 })
  return stdout.trim()
}

describe('the root directory as a place leaves the box its own /proc and /dev', () => {
  const own = 'echo /proc/[0-9]* | wc -w; ls /dev | wc -l; test -c /dev/null; echo $?'
  const cases: [string, SandboxOptions][] = [
    ['read, in an empty root', { root: 'empty', files: { read: ['/'] } }],
    ['read', { files: { read: ['/'] } }],
    ['write', { files: { write: ['/'] } }],
    ['hide', { files: { hide: ['/'], read: SYSTEM } }],
    ['temporary', { files: { temporary: ['/'], read: SYSTEM } }],
  ]

  test.each(cases)('%s', async (_, options) => {
    const [processes = '', devices, isDevice] = (await shell(options, own)).split('\n')
    expect(Number(processes)).toBeLessThan(8)
    expect([devices, isDevice]).toEqual([await shell({}, 'ls /dev | wc -l'), '0'])
  })

  test('and write makes the files of the host writable', async () => {
    using directory = temporaryDirectory()
    await shell({ files: { write: ['/'], temporary: [] } }, `touch ${directory.file('made')}`)
    expect(existsSync(directory.file('made'))).toBe(true)
  })
})

test('a directory whose name is no UTF-8 is hidden, given by its name or by a link', async () => {
  using directory = temporaryDirectory()
  const secrets = Buffer.concat([Buffer.from(directory.file('secrets-')), Buffer.from([0xff, 0xfe])])
  mkdirSync(secrets)
  writeFileSync(Buffer.concat([secrets, Buffer.from('/key')]), 'secret')
  symlinkSync(secrets, directory.file('link'))
  const list = `ls ${directory.path}/secrets-*`
  expect(await shell({ files: { hide: [], read: [directory.path] } }, list)).toBe('key')
  for (const hide of [secrets, directory.file('link')])
    expect(await shell({ files: { hide: [hide], read: [directory.path] } }, list)).toBe('')
})

test.each(['with space', 'a:b,c', 'back\\slash', 'new\nline', 'grün 中', `'"$x`, 'x'.repeat(255), 'd/'.repeat(60)])(
  'a place may have any name: %j',
  async (name) => {
    using directory = temporaryDirectory()
    const place = directory.file(name)
    mkdirSync(place, { recursive: true })
    expect(await shell({ files: { write: [place] } }, 'echo made > file; cat "$PWD/file"')).toBe('made')
    expect(existsSync(join(place, 'file'))).toBe(true)
  },
)

test('a link of the host in a directory that is shown stays as it is', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('file'), 'hello')
  symlinkSync('file', directory.file('link'))
  const read = [...SYSTEM, directory.path, directory.file('link')]
  expect(await shell({ root: 'empty', files: { read } }, `cat ${directory.file('link')}`)).toBe('hello')
})

test('a path leads through all its links into an empty root', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('real'))
  writeFileSync(directory.file('real/file'), 'hello')
  symlinkSync('real', directory.file('second'))
  symlinkSync(directory.file('second'), directory.file('first'))
  const path = directory.file('first/file')
  expect(await shell({ root: 'empty', files: { read: [...SYSTEM, path] } }, `cat ${path}`)).toBe('hello')
})

test('what is hidden in a directory that the caller may not search stays hidden when a program opens the directory', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('vault/secret'), { recursive: true })
  writeFileSync(directory.file('vault/secret/key'), 'secret')
  chmodSync(directory.file('vault'), 0)
  const files = { write: [directory.path], hide: [directory.file('vault/secret')] }
  const script = `chmod 700 ${directory.file('vault')} 2>/dev/null; cat ${directory.file('vault/secret/key')} 2>/dev/null || echo hidden`
  try {
    expect(await shell({ files }, script)).toBe('hidden')
  } finally {
    chmodSync(directory.file('vault'), 0o700)
  }
})

test('a file is hidden, also if its path ends with a slash', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('key'), 'secret')
  const files = { read: [directory.path], hide: [directory.file('key/'), Buffer.from(directory.file('key//'))] }
  expect(await shell({ files }, `cat ${directory.file('key')}`)).toBe('')
})

test('a link in a place that is empty leads to what is shown', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('links'))
  symlinkSync(import.meta.dirname, directory.file('links/project'))
  const files = { read: [directory.file('links/project')], hide: [directory.file('links')] }
  expect(await shell({ files }, `ls ${directory.file('links/project/')} | grep places`)).toBe('places.test.ts')
})

describe('the working directory is the first directory of write', () => {
  test('also given by a path that is relative or leads through a link', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('project'))
    symlinkSync('project', directory.file('link'))
    const here = process.cwd()
    process.chdir(directory.path)
    try {
      for (const path of ['project', 'link', directory.file('link'), './project/'])
        expect(await shell({ files: { write: [path] } }, 'pwd')).toBe(directory.file('project'))
    } finally {
      process.chdir(here)
    }
  })

  test('also where the current directory of Node.js is removed', async () => {
    using directory = temporaryDirectory()
    for (const name of ['project', 'removed']) mkdirSync(directory.file(name))
    const here = process.cwd()
    process.chdir(directory.file('removed'))
    try {
      rmdirSync(directory.file('removed'))
      expect(await shell({ files: { write: [directory.file('project')] } }, 'pwd')).toBe(directory.file('project'))
    } finally {
      process.chdir(here)
    }
  })

  test('and not a file', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('project'))
    writeFileSync(directory.file('log'), '')
    const write = [directory.file('log'), directory.file('project')]
    expect(await shell({ files: { write } }, 'pwd')).toBe(directory.file('project'))
    expect(await shell({ files: { write: write.slice(0, 1) } }, 'pwd')).toBe('/')
  })
})

/** As systemd-resolved has it: /etc/resolv.conf is a link into /run, which is empty in a box. */
const LINK = { type: 'symlink', target: '/etc/resolv.conf', to: '../run/resolve/stub.conf' } as const
const STUB = { type: 'file', target: '/run/resolve/stub.conf', content: 'nameserver 127.0.0.53\n' } as const

describe('where /etc/resolv.conf is a link into /run', () => {
  const sandbox = JSON.stringify(fileURLToPath(new URL('../../dist/sandbox/index.js', import.meta.url)))
  const cases: [string, boolean, SandboxOptions][] = [
    ['', true, {}],
    [', whose file is missing', false, {}],
    [', in an empty root with /etc', true, { root: 'empty', files: { read: [...SYSTEM, '/etc'] } }],
    [', in an empty root without /etc', true, { root: 'empty', files: { read: SYSTEM } }],
    [', with /etc hidden', true, { files: { hide: ['/etc'] } }],
  ]

  test.each(cases)('a box with rules has its own%s', async (_, isThere, options) => {
    const program = `
      import { Sandbox } from ${sandbox}
      const box = await Sandbox.create({ ...${JSON.stringify(options)}, network: { allow: ['example.org'] } })
      const { stdout } = await box.execFile('cat', ['/etc/resolv.conf'], { timeout: 20_000 })
      process.stdout.write(String(stdout === box.uplink.resolvConf))
      await box.close()`
    await using host = await NamespaceSet.unshare(['user', 'mnt', 'pid'], {
      mapUser: 'root',
      mounts: [
        { type: 'proc', target: '/proc' },
        { type: 'tmpfs', target: '/run' },
        { type: 'tmpfs', target: '/etc' },
        LINK,
        ...(isThere ? [STUB] : []),
      ],
    })
    const args = ['--input-type=module', '-e', program]
    expect((await host.execFile(process.execPath, args, { timeout: 30_000 })).stdout).toBe('true')
  })
})
