/** The mounts and the root directory that a new mount namespace starts with. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MountSpec, NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** Both root and an ordinary user make these: a user namespace owns the mounts. */
function withMounts(mounts: MountSpec[], options: UnshareOptions = {}): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'mnt', 'pid'], { mapUser: 'root', mounts, ...options })
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  return (await set.execFile('sh', ['-c', script], { env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout.trim()
}

/** A directory with empty directories of these names. */
function directories(...names: string[]): TemporaryDirectory {
  const directory = temporaryDirectory()
  for (const name of names) mkdirSync(directory.file(name), { recursive: true })
  return directory
}

/** The options of the mount at a path inside, and of its file system. */
async function mountAt(set: NamespaceSet, path: string): Promise<string | undefined> {
  const { stdout } = await set.execFile('cat', ['/proc/thread-self/mountinfo'])
  return stdout.split('\n').findLast((line) => line.split(' ')[4] === path)
}

describe('bind', () => {
  test('shows a directory at another place, inside only', async () => {
    using directory = directories('source', 'target')
    writeFileSync(directory.file('source/greeting'), 'hello')
    using set = await withMounts([{ type: 'bind', source: directory.file('source'), target: directory.file('target') }])
    expect(await shell(set, `cat ${directory.file('target/greeting')}`)).toBe('hello')
    expect(readdirSync(directory.file('target'))).toEqual([])
    await shell(set, `echo from inside > ${directory.file('target/answer')}`)
    expect(readFileSync(directory.file('source/answer'), 'utf8')).toBe('from inside\n')
  })

  test('shows a file in the place of another', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('resolv.conf'), 'nameserver 10.0.0.1\n')
    writeFileSync(directory.file('target'), 'nameserver 192.0.2.1\n')
    using set = await withMounts([
      { type: 'bind', source: directory.file('resolv.conf'), target: directory.file('target') },
    ])
    expect(await shell(set, `cat ${directory.file('target')}`)).toBe('nameserver 10.0.0.1')
    expect(readFileSync(directory.file('target'), 'utf8')).toBe('nameserver 192.0.2.1\n')
  })

  test('read-only refuses writes inside, while the source stays writable outside', async () => {
    using directory = directories('source', 'target')
    const [source, target] = [directory.file('source'), directory.file('target')]
    using set = await withMounts([{ type: 'bind', source, target, readOnly: true }])
    await expect(shell(set, `echo x > ${target}/file`)).rejects.toThrow('Read-only file system')
    expect(await mountAt(set, target)).toMatch(new RegExp(` ${target} ro[, ]`))
    writeFileSync(join(source, 'file'), 'from outside')
    expect(await shell(set, `cat ${target}/file`)).toBe('from outside')
    await shell(set, `echo through the source > ${source}/file`)
    expect(readFileSync(join(source, 'file'), 'utf8')).toBe('through the source\n')
  })

  test('takes what is mounted below along, read-only too; or not', async () => {
    using directory = directories('source/below', 'with', 'without')
    const source = directory.file('source')
    using set = await withMounts([
      { type: 'tmpfs', target: directory.file('source/below') },
      { type: 'bind', source, target: directory.file('with'), readOnly: true },
      { type: 'bind', source, target: directory.file('without'), recursive: false },
    ])
    expect(await mountAt(set, directory.file('with/below'))).toContain(' - tmpfs ')
    expect(await mountAt(set, directory.file('without'))).toBeDefined()
    expect(await mountAt(set, directory.file('without/below'))).toBeUndefined()
    await expect(shell(set, `touch ${directory.file('with/below/file')}`)).rejects.toThrow('Read-only file system')
    await shell(set, `touch ${directory.file('without/below/file')}`)
    expect(readdirSync(directory.file('source/below'))).toEqual(['file'])
  })

  test('has the attributes that were asked for', async () => {
    using directory = directories('source', 'target')
    const [source, target] = [directory.file('source'), directory.file('target')]
    using set = await withMounts([{ type: 'bind', source, target, noSuid: true, noDev: true, noExec: true }])
    expect(await mountAt(set, target)).toMatch(new RegExp(` ${target} rw,nosuid,nodev,noexec`))
    writeFileSync(join(source, 'program'), '#!/bin/sh\n', { mode: 0o755 })
    await expect(set.execFile(join(target, 'program'))).rejects.toMatchObject({ code: 'EACCES' })
  })
})

describe('file systems', () => {
  test('tmpfs has the options given, as text, number or flag', async () => {
    using directory = directories('target')
    const target = directory.file('target')
    const options = { size: '64k', nr_inodes: 8, mode: '0710', inode64: true } as const
    using set = await withMounts([{ type: 'tmpfs', source: 'scratch', target, options }])
    expect(await mountAt(set, target)).toMatch(/ - tmpfs scratch .*size=64k,nr_inodes=8,mode=710.*inode64/)
    expect(await shell(set, `stat -c %a ${target}`)).toBe('710')
    await expect(shell(set, `head -c 100000 /dev/zero > ${target}/file`)).rejects.toThrow('No space left on device')
    expect(readdirSync(target)).toEqual([])
  })

  test('proc shows the processes of a new pid namespace and no others', async () => {
    using set = await withMounts([{ type: 'proc', target: '/proc' }])
    expect(await shell(set, 'echo $$; cd /proc; echo [0-9]*')).toMatch(/^(\d+)\n1 \1$/)
    expect(await shell(set, 'cat /proc/1/comm')).toBe('nsset-init')
  })

  test('proc is only for who owns the pid namespace', async () => {
    const made = NamespaceSet.unshare(['user', 'mnt'], { mapUser: 'root', mounts: [{ type: 'proc', target: '/proc' }] })
    await expect(made).rejects.toMatchObject({
      code: 'EPERM',
      syscall: 'mount',
      path: '/proc',
      message: expect.stringContaining("add 'pid' to the kinds"),
    })
  })

  test('a file system that only root of the host may mount is an error that says what to do instead', async () => {
    const made = NamespaceSet.unshare(['user', 'mnt'], {
      mapUser: 'root',
      mounts: [{ type: 'devtmpfs', target: '/mnt' }],
    })
    await expect(made).rejects.toMatchObject({
      code: 'EPERM',
      syscall: 'mount',
      message: expect.stringMatching(/only root of the host.*Mount it outside/),
    })
  })
})

test('mounts are made in order: one may stand on another', async () => {
  using directory = directories('first/inner', 'second', 'target')
  const file = directory.file
  writeFileSync(file('second/greeting'), 'hello')
  const below: MountSpec = { type: 'bind', source: file('first'), target: file('target') }
  const above: MountSpec = { type: 'bind', source: file('second'), target: file('target/inner') }
  using set = await withMounts([below, above])
  expect(await shell(set, `cat ${file('target/inner/greeting')}`)).toBe('hello')
  await expect(withMounts([above, below])).rejects.toMatchObject({ code: 'ENOENT', path: file('target/inner') })
  // The last one on a target is the one that is seen.
  using hidden = await withMounts([below, { type: 'tmpfs', target: file('target') }])
  expect(await shell(hidden, `ls ${file('target')}`)).toBe('')
})

describe('a mount on the root directory', () => {
  const readOnlyRoot: MountSpec = { type: 'bind', source: '/', target: '/', readOnly: true }

  test('is what later mounts stand on: a writable and a hidden place in a read-only view of the host', async () => {
    using directory = directories('scratch', 'hidden')
    writeFileSync(directory.file('hidden/secret'), 'secret')
    using set = await withMounts([
      readOnlyRoot,
      { type: 'tmpfs', target: directory.file('scratch') },
      { type: 'tmpfs', target: directory.file('hidden') },
    ])
    const script = `touch ${directory.file('scratch/file')} && ls ${directory.path}/*; touch ${directory.file('file')}`
    await expect(shell(set, script)).rejects.toMatchObject({
      stdout: [`${directory.file('hidden')}:`, '', `${directory.file('scratch')}:`, 'file', ''].join('\n'),
      stderr: expect.stringContaining('Read-only file system'),
    })
    expect(readdirSync(directory.file('scratch'))).toEqual([])
  })

  test('however the target is spelt, and as often as it comes', async () => {
    using directory = directories('scratch')
    symlinkSync('/', directory.file('root'))
    for (const target of ['//', '/.', '/..', '/tmp/..', directory.file('root')]) {
      using set = await withMounts([
        { ...readOnlyRoot, target },
        { type: 'tmpfs', target: directory.file('scratch') },
        { ...readOnlyRoot, target, readOnly: false },
        { type: 'tmpfs', target: directory.file('scratch'), source: 'last' },
      ])
      expect(await mountAt(set, directory.file('scratch')), target).toContain(' - tmpfs last ')
      expect(await shell(set, `touch ${directory.file('scratch/file')} && ls ${directory.file('scratch')}`)).toBe(
        'file',
      )
    }
  })

  test('does not change where sources are looked up: outside', async () => {
    using directory = directories('source', 'target')
    writeFileSync(directory.file('source/greeting'), 'hello')
    using set = await withMounts([
      { type: 'tmpfs', target: '/' },
      { type: 'bind', source: directory.file('source'), target: '/' },
    ])
    await expect(set.execFile('true')).rejects.toMatchObject({ code: 'ENOENT' })
    using back = await withMounts([
      { type: 'bind', source: directory.path, target: '/' },
      { type: 'bind', source: '/bin', target: '/target' },
    ])
    const { stdout } = await back.execFile('/target/busybox', ['ls', '/', '/source'])
    expect(stdout).toBe('/:\nsource\ntarget\n\n/source:\ngreeting\n')
  })

  test('a target that is missing in it is made, or with create: false an error', async () => {
    const root: MountSpec = { type: 'tmpfs', target: '/' }
    using set = await withMounts([root, { type: 'bind', source: '/bin', target: '/tmp/bin' }])
    const { stdout } = await set.execFile('/tmp/bin/busybox', ['ls', '/', '/tmp'])
    expect(stdout).toBe('/:\ntmp\n\n/tmp:\nbin\n')
    const made = withMounts([root, { type: 'tmpfs', target: '/tmp', create: false }])
    await expect(made).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mount', path: '/tmp' })
  })

  test('stands in a root directory of the set’s own, and takes its place', async () => {
    using directory = directories('proc', 'scratch')
    using set = await withMounts(
      [
        { type: 'bind', source: '/', target: '/', readOnly: true },
        { type: 'proc', target: '/proc' },
        { type: 'tmpfs', target: '/tmp' },
      ],
      { root: directory.path },
    )
    expect(await shell(set, 'touch /tmp/file && ls /tmp')).toBe('file')
    await expect(shell(set, 'touch /file')).rejects.toThrow('Read-only file system')
    // The directory under it has left with the old root directory: nothing can be unmounted to uncover it.
    expect(await shell(set, 'awk \'$5 == "/"\' /proc/self/mountinfo | wc -l')).toBe('1')
  })
})

describe('root', () => {
  /** What the programs of the outside need inside: links stay links, directories are bound. */
  function system(root: string): MountSpec[] {
    const mounts: MountSpec[] = [{ type: 'proc', target: '/proc' }]
    mkdirSync(join(root, 'proc'))
    for (const name of ['bin', 'lib', 'lib32', 'lib64', 'sbin', 'usr'].filter((name) => existsSync(`/${name}`))) {
      mkdirSync(join(root, name))
      mounts.push({ type: 'bind', source: `/${name}`, target: `/${name}`, readOnly: true })
    }
    return mounts
  }

  test('is all that is seen inside', async () => {
    using directory = temporaryDirectory()
    const mounts = system(directory.path)
    writeFileSync(directory.file('only-here'), '')
    using set = await withMounts(mounts, { root: directory.path })
    expect((await shell(set, 'ls -1 /')).split('\n')).toEqual(readdirSync(directory.path).sort())
    expect(await shell(set, 'ls -1d /..; cd /../..; pwd')).toBe('/..\n/')
    const { stdout } = await set.execFile('cat', ['/proc/self/mountinfo'])
    const points = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
    const first = points.map((point) => point.split('/')[1])
    expect(new Set(first)).toEqual(new Set(['', ...mounts.map((mount) => String(mount.target).slice(1))]))
    expect(existsSync('/only-here')).toBe(false)
  })

  test('holds targets: a symbolic link in it leads nowhere else', async () => {
    using outside = temporaryDirectory()
    using directory = temporaryDirectory()
    const root = directory.path
    const mounts = system(root)
    symlinkSync(outside.path, join(root, 'absolute'))
    symlinkSync(`../../../../../../../..${outside.path}`, join(root, 'relative'))
    for (const target of ['/absolute', '/relative', `/../../../..${outside.path}`]) {
      const made = withMounts([...mounts, { type: 'tmpfs', target }], { root })
      await expect(made, target).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mount', path: target })
    }
    // The links mean a directory of the new root's own, once there is one.
    mkdirSync(join(root, outside.path), { recursive: true })
    using set = await withMounts([...mounts, { type: 'tmpfs', target: '/absolute', source: 'landed' }], { root })
    expect(await mountAt(set, outside.path)).toContain(' - tmpfs landed ')
  })

  test('is where the working directory of a program is looked for', async () => {
    using directory = directories('inner')
    using set = await withMounts(system(directory.path), { root: directory.path })
    expect((await set.execFile('pwd', [], { cwd: '/inner' })).stdout).toBe('/inner\n')
    await expect(set.execFile('true', [], { cwd: directory.path })).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'chdir',
    })
  })
})

describe('a mount that fails', () => {
  const missing = '/nsset/is/not/here'
  const cases: [string, UnshareOptions, object][] = [
    [
      'a target that is missing',
      { mounts: [{ type: 'tmpfs', target: missing }] },
      { code: 'ENOENT', syscall: 'mount', path: missing },
    ],
    [
      'a target of a bind that is missing',
      { mounts: [{ type: 'bind', source: '/', target: missing }] },
      { code: 'ENOENT', syscall: 'mount bind', path: missing },
    ],
    [
      'a source that is missing',
      { mounts: [{ type: 'bind', source: missing, target: '/' }] },
      { code: 'ENOENT', syscall: 'mount bind', path: missing },
    ],
    [
      'a directory on a file',
      { mounts: [{ type: 'bind', source: '/usr', target: '/etc/passwd' }] },
      { code: 'EINVAL', syscall: 'mount bind', path: '/etc/passwd' },
    ],
    [
      'a file system that the kernel does not know',
      { mounts: [{ type: 'nonsensefs', target: '/' }] },
      {
        code: 'ENODEV',
        syscall: 'mount',
        path: '/',
        message: expect.stringContaining('does not know this file system'),
      },
    ],
    [
      'an option that the file system does not know',
      { mounts: [{ type: 'tmpfs', target: '/', options: { nonsense: true } }] },
      {
        code: 'EINVAL',
        syscall: 'mount',
        path: '/',
        message: expect.stringContaining(
          `the kernel says "tmpfs: Unknown parameter 'nonsense'"; the file system does not`,
        ),
      },
    ],
    [
      'a value that the file system does not take',
      { mounts: [{ type: 'tmpfs', target: '/', options: { mode: 'nonsense' } }] },
      { code: 'EINVAL', message: expect.stringContaining(`the kernel says "tmpfs: Bad value for 'mode'"`) },
    ],
    ['a root that is missing', { root: missing }, { code: 'ENOENT', syscall: 'mount root', path: missing }],
    ['a root that is a file', { root: '/etc/passwd' }, { code: 'ENOTDIR', syscall: 'mount root', path: '/etc/passwd' }],
  ]

  for (const [name, options, error] of cases) {
    test(`names the step and the path: ${name}`, async () => {
      // The mount before it succeeds, and is gone with the rest.
      const mounts: MountSpec[] =
        options.root === undefined ? [{ type: 'tmpfs', target: '/mnt' }, ...(options.mounts ?? [])] : []
      const before = resources()
      for (const kinds of [
        ['user', 'mnt'],
        ['user', 'mnt', 'pid', 'uts', 'net'],
      ] as const) {
        const made = NamespaceSet.unshare(kinds, { mapUser: 'root', ...options, mounts })
        await expect(made).rejects.toMatchObject({ name: 'NamespaceError', ...error })
        expect(() => NamespaceSet.unshareSync(kinds, { mapUser: 'root', ...options, mounts })).toThrow()
      }
      expect(await growthSince(before)).toEqual({})
    })
  }
})
