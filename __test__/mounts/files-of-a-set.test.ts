/** Files that a set starts with: a root directory in memory, missing targets, and what hides the files of the host. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MountSpec, NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { SYSTEM_MOUNTS } from '../setup/oracles/bwrap.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

function withMounts(mounts: readonly MountSpec[], options: UnshareOptions = {}): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'mnt', 'pid'], { mapUser: 'root', mounts, ...options })
}

/** A set whose root directory is in memory, with the programs of the host. */
function withOwnRoot(mounts: readonly MountSpec[], options: UnshareOptions = {}): Promise<NamespaceSet> {
  return withMounts([...SYSTEM_MOUNTS, { type: 'proc', target: '/proc' }, ...mounts], {
    root: { type: 'tmpfs' },
    ...options,
  })
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
  return (await set.execFile('sh', ['-c', script], { env, timeout: 20_000 })).stdout.trim()
}

describe('a root directory in memory', () => {
  test('has nothing but its mounts, and none of the host’s mounts', async () => {
    using set = await withMounts(SYSTEM_MOUNTS, { root: { type: 'tmpfs' } })
    const names = SYSTEM_MOUNTS.map(({ target }) => String(target).slice(1))
    expect((await shell(set, 'ls -1 /; ls -1d /..')).split('\n')).toEqual([...names.toSorted(), '/..'])
  })

  test('has the size and the mode that are asked for', async () => {
    using set = await withOwnRoot([], { root: { type: 'tmpfs', size: 131_072, mode: 0o711 } })
    expect(await shell(set, 'stat -c %a /; cat /usr/bin/* > /file || stat -c %s /file')).toBe('711\n131072')
  })

  test('takes sizes above 4 GiB', async () => {
    using set = await withOwnRoot([], { root: { type: 'tmpfs', size: 2 ** 33 } })
    expect(await shell(set, 'grep " / / " /proc/self/mountinfo')).toContain('size=8388608k')
  })

  test('is under a view of the host, of which nothing shows what the view hides', async () => {
    using set = await withMounts(
      [
        { type: 'bind', source: '/', target: '/', readOnly: true },
        { type: 'proc', target: '/proc' },
        { type: 'mask', target: '/etc' },
      ],
      { root: { type: 'tmpfs' } },
    )
    expect(await shell(set, 'ls /etc; grep -c " / / " /proc/self/mountinfo; touch /x 2>&1 || true')).toMatch(
      /^1\ntouch: .*Read-only file system$/,
    )
  })

  test('does not come along with a bind of the old root directory', async () => {
    using set = await withOwnRoot([
      { type: 'file', target: '/own', content: '' },
      { type: 'bind', source: '/', target: '/host', readOnly: true },
    ])
    expect(await shell(set, 'ls /own /host/etc/passwd; ls -d /host/own /host/host 2>&1 || true')).toMatch(
      /^\/host\/etc\/passwd\n\/own\n(?:ls: .*No such file or directory\n?){2}$/,
    )
  })

  test('as root, also without a user namespace', async (context) => {
    if (!isRoot) context.skip('needs root: an ordinary user cannot mount without a user namespace')
    using set = await NamespaceSet.unshare(['mnt'], { root: { type: 'tmpfs' }, mounts: SYSTEM_MOUNTS })
    expect(await shell(set, 'cat /proc/self/status; ls /root; touch /x && ls /x')).toBe('/x')
  })

  test('is below a base', async () => {
    using base = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    using set = await base.unshare(['mnt', 'pid'], {
      root: { type: 'tmpfs' },
      mounts: [...SYSTEM_MOUNTS, { type: 'file', target: '/greeting', content: 'hello' }],
    })
    expect(await shell(set, 'cat /greeting')).toBe('hello')
  })

  test('refuses a propagation by which it would cover the root directory of others', async () => {
    for (const propagation of ['shared', 'unchanged'] as const) {
      await expect(withMounts([], { root: { type: 'tmpfs' }, propagation })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining("'private' or 'slave'"),
      })
    }
  })
})

describe('a missing target', () => {
  test('is made on a file system of the set’s own', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), 'hello')
    using set = await withOwnRoot([
      { type: 'bind', source: directory.path, target: '/a/b/directory' },
      { type: 'bind', source: directory.file('file'), target: '/a/c/file' },
      { type: 'tmpfs', target: '/d/e' },
      { type: 'tmpfs', target: '/d/e/f' },
    ])
    expect(await shell(set, 'cat /a/b/directory/file /a/c/file; stat -c %a /a /a/b; ls -d /d/e/f')).toBe(
      'hellohello755\n755\n/d/e/f',
    )
  })

  test('is never made on a file system of the host', async () => {
    using directory = temporaryDirectory()
    const inside = (name: string) => join('/host', name)
    const bound: MountSpec = { type: 'bind', source: directory.path, target: '/host' }
    const made: [MountSpec, string][] = [
      [{ type: 'tmpfs', target: inside('new') }, 'mount'],
      [{ type: 'tmpfs', target: inside('new/deep') }, 'mount'],
      [{ type: 'bind', source: '/etc/passwd', target: inside('new') }, 'mount bind'],
      [{ type: 'dev', target: inside('new') }, 'mount dev'],
      [{ type: 'file', target: inside('new'), content: '' }, 'mount file'],
      [{ type: 'directory', target: inside('new') }, 'mkdir'],
      [{ type: 'symlink', target: inside('new'), to: 'x' }, 'symlink'],
      [{ type: 'overlay', lower: ['/usr', '/etc'], target: inside('new') }, 'mount overlay'],
    ]
    for (const [mount, syscall] of made) {
      await expect(withOwnRoot([bound, mount]), syscall).rejects.toMatchObject({
        code: 'ENOENT',
        syscall,
        path: String(mount.target),
        message: expect.stringContaining('file systems that the set has for itself'),
      })
      // Without a root directory of the set's own, all file systems are the host's.
      const target = directory.file('new')
      await expect(withMounts([{ ...mount, target }]), syscall).rejects.toMatchObject({ code: 'ENOENT', syscall })
    }
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is an error with create: false', async () => {
    const made = withOwnRoot([{ type: 'tmpfs', target: '/new', create: false }])
    await expect(made).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mount', path: '/new' })
  })

  test('is not made where a symbolic link leads to nothing, and a link of the host leads nowhere else', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync(directory.file('real'), directory.file('absolute'))
    symlinkSync('../../../../../../../..', directory.file('up'))
    const bound: MountSpec = { type: 'bind', source: directory.path, target: '/host' }
    for (const target of ['/host/absolute', `/host/absolute/new`]) {
      await expect(withOwnRoot([bound, { type: 'tmpfs', target }]), target).rejects.toMatchObject({ code: 'ENOENT' })
    }
    using set = await withOwnRoot([bound, { type: 'file', target: '/host/up/etc/made', content: 'in the set' }])
    expect(await shell(set, 'cat /etc/made')).toBe('in the set')
    expect(existsSync('/etc/made')).toBe(false)
    expect(readdirSync(directory.file('real'))).toEqual([])
  })
})

describe('file', () => {
  test('covers one of the host, which stays as it is', async () => {
    const before = readFileSync('/etc/passwd', 'utf8')
    using set = await withMounts([{ type: 'file', target: '/etc/passwd', content: 'covered\n' }])
    expect(await shell(set, 'cat /etc/passwd; echo more >> /etc/passwd; cat /etc/passwd')).toBe(
      'covered\ncovered\nmore',
    )
    expect(readFileSync('/etc/passwd', 'utf8')).toBe(before)
  })

  test('has any bytes and any length, and the mode that is asked for, whatever the umask', async () => {
    const large = Buffer.alloc(3_000_000, 7)
    const before = process.umask(0o077)
    try {
      using set = await withOwnRoot([
        { type: 'file', target: '/etc/empty', content: '' },
        { type: 'file', target: '/etc/bytes', content: Uint8Array.of(0, 255, 10, 0), mode: 0o751 },
        { type: 'file', target: '/etc/large', content: large },
        { type: 'file', target: '/usr/bin/env', content: '#!/bin/sh\necho replaced\n', mode: 0o755 },
      ])
      expect(
        await shell(set, 'od -An -tx1 /etc/bytes; stat -c "%a %s" /etc /etc/empty /etc/bytes /etc/large; env'),
      ).toMatch(/^00 ff 0a 00\n755 \d+\n644 0\n751 4\n644 3000000\nreplaced$/)
      const { stdout } = await set.execFile('cat', ['/etc/large'], { encoding: 'buffer', maxBuffer: 4_000_000 })
      expect(stdout.equals(large)).toBe(true)
    } finally {
      process.umask(before)
    }
  })

  test('does not cover a directory', async () => {
    await expect(withOwnRoot([{ type: 'file', target: '/usr', content: '' }])).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EINVAL|ENOTDIR)$/),
      syscall: 'mount file',
      path: '/usr',
    })
  })
})

describe('symlink and directory', () => {
  test('a name that is taken is an error for a link, and no directory is made over a file', async () => {
    await expect(withOwnRoot([{ type: 'symlink', target: '/usr', to: 'x' }])).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:EEXIST)$/),
      syscall: 'symlink',
      path: '/usr',
    })
    await expect(
      withOwnRoot([
        { type: 'file', target: '/x', content: '' },
        { type: 'directory', target: '/x' },
      ]),
    ).rejects.toMatchObject({ code: 'ENOTDIR', syscall: 'mkdir', path: '/x' })
  })
})

describe('mask', () => {
  test('hides directories and files, through links too, and skips what is missing', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('secrets'))
    writeFileSync(directory.file('secrets/key'), 'secret')
    writeFileSync(directory.file('token'), 'secret')
    symlinkSync('token', directory.file('link'))
    using set = await withMounts([
      { type: 'mask', target: directory.file('secrets') },
      { type: 'mask', target: directory.file('link') },
      { type: 'mask', target: directory.file('missing') },
    ])
    expect(await shell(set, `cd ${directory.path}; ls -A secrets; cat token link; touch secrets/x 2>&1; ls`)).toMatch(
      /^touch: .*Read-only file system\nlink\nsecrets\ntoken$/,
    )
    expect(readFileSync(directory.file('token'), 'utf8')).toBe('secret')
  })

  test('each directory is empty, also if something is mounted on the first one meanwhile', async () => {
    using directory = temporaryDirectory()
    for (const name of ['one', 'two', 'three']) mkdirSync(directory.file(`${name}/secrets`), { recursive: true })
    using set = await withMounts([
      { type: 'mask', target: directory.file('one') },
      { type: 'bind', source: '/etc', target: directory.file('one') },
      { type: 'mask', target: directory.file('two') },
      { type: 'mask', target: directory.file('three') },
    ])
    expect(await shell(set, `cd ${directory.path}; ls one | grep -x passwd; ls -A two three`)).toBe(
      'passwd\nthree:\n\ntwo:',
    )
    await expect(shell(set, `touch ${directory.file('two/x')}`)).rejects.toThrow('Read-only file system')
  })

  test('a later mount shows a part of what an earlier one hides', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('home/project'), { recursive: true })
    writeFileSync(directory.file('home/secret'), 'secret')
    using set = await withMounts([
      { type: 'bind', source: '/', target: '/', readOnly: true },
      { type: 'tmpfs', target: directory.file('home') },
      { type: 'bind', source: directory.file('home/project'), target: directory.file('home/project') },
    ])
    expect(await shell(set, `cd ${directory.file('home')}; ls; touch project/made; ls project`)).toBe('project\nmade')
    expect(readdirSync(directory.file('home/project'))).toEqual(['made'])
  })
})

describe('dev', () => {
  test('has a terminal and shared memory of its own', async () => {
    using set = await withOwnRoot([{ type: 'dev', target: '/dev' }])
    expect(await shell(set, 'echo x > /dev/shm/file; ls /dev/shm; stat -c %a /dev/shm; ls /dev/pts')).toBe(
      'file\n1777\nptmx',
    )
    expect(existsSync('/dev/shm/file')).toBe(false)
  })

  test('covers the /dev of the host', async () => {
    using set = await withMounts([{ type: 'dev', target: '/dev' }])
    expect(await shell(set, 'cd /dev; echo *')).toBe(
      'core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero',
    )
  })
})

test('noSymfollow refuses to follow a symbolic link on that mount only', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('file'), 'hello')
  symlinkSync('file', directory.file('link'))
  using set = await withOwnRoot([
    { type: 'bind', source: directory.path, target: '/a', noSymfollow: true },
    { type: 'bind', source: directory.path, target: '/b' },
  ])
  expect(await shell(set, 'cat /b/link; readlink /a/link; cat /a/link 2>&1 || true')).toMatch(
    /^hellofile\ncat: .*symbolic links$/,
  )
})

describe('what fails', () => {
  const missing = '/nsset/is/not/here'
  const cases: Record<string, [UnshareOptions, object]> = {
    'a source that is missing': [
      { mounts: [{ type: 'bind', source: missing, target: '/new' }] },
      { code: 'ENOENT', syscall: 'mount bind', path: missing },
    ],
    'a target through a file': [
      { mounts: [{ type: 'tmpfs', target: '/usr/bin/env/deep' }] },
      { code: 'ENOTDIR', syscall: 'mount', path: '/usr/bin/env/deep' },
    ],
    'a target in a read-only file system of the set': [
      {
        mounts: [
          { type: 'tmpfs', target: '/ro', readOnly: true },
          { type: 'directory', target: '/ro/x' },
        ],
      },
      { code: 'EROFS', syscall: 'mkdir', path: '/ro/x' },
    ],
    'a path that is too long': [
      { mounts: [{ type: 'directory', target: `/${'x/'.repeat(3000)}` }] },
      { code: 'ENAMETOOLONG', syscall: 'mkdir' },
    ],
    'a layer that is missing': [
      { mounts: [{ type: 'overlay', lower: ['/usr', missing], target: '/new' }] },
      { code: 'ENOENT', syscall: 'mount overlay', path: missing },
    ],
    'a layer that is a file': [
      { mounts: [{ type: 'overlay', lower: ['/etc/passwd', '/usr'], target: '/new' }] },
      { code: 'ENOTDIR', syscall: 'mount overlay', path: '/etc/passwd' },
    ],
  }

  test.each(Object.entries(cases))(
    'names the step and the path, and leaves nothing: %s',
    async (_, [options, error]) => {
      const before = resources()
      await expect(withOwnRoot(options.mounts ?? [])).rejects.toMatchObject({ name: 'NamespaceError', ...error })
      expect(await growthSince(before)).toEqual({})
    },
  )

  const refused: [object, string][] = [
    [{ type: 'file', target: '/x' }, 'options.mounts[0].content'],
    [{ type: 'file', target: '/x', content: 7 }, 'options.mounts[0].content'],
    [{ type: 'file', target: '/x', content: '', mode: 0o1000 }, 'options.mounts[0].mode'],
    [{ type: 'symlink', target: '/x' }, 'options.mounts[0].to'],
    [{ type: 'directory', target: '/x', readOnly: true }, "Unknown option 'readOnly' of options.mounts[0]"],
    [{ type: 'mask', target: '/x', mode: 1 }, "Unknown option 'mode'"],
    [{ type: 'dev', target: '/x', readonly: true }, "Unknown option 'readonly'"],
    [{ type: 'bind', source: '/x', target: '/x', nosymfollow: true }, "did you mean 'noSymfollow'"],
    [{ type: 'overlay', target: '/x' }, 'options.mounts[0].lower'],
    [{ type: 'overlay', target: '/x', lower: [] }, 'at least one directory'],
    [{ type: 'overlay', target: '/x', lower: ['/a'] }, 'needs a second directory'],
    [{ type: 'overlay', target: '/x', lower: ['/a'], upper: '/b' }, 'options.mounts[0].work'],
    [{ type: 'overlay', target: '/x', lower: ['/a'], work: '/b' }, 'options.mounts[0].work'],
    [{ type: 'overlay', target: '/x', lower: ['/a'], upper: { type: 'ramfs' } }, 'options.mounts[0].upper.type'],
  ]

  test.each(refused)('an invalid mount is refused: %o', async (mount, message) => {
    await expect(withMounts([mount as MountSpec])).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:ERR_INVALID_ARG_(?:TYPE|VALUE)|ERR_OUT_OF_RANGE)$/),
      message: expect.stringContaining(message),
    })
  })

  test.each([
    [{ type: 'ramfs' }, 'options.root.type'],
    [{ size: 5 }, 'options.root.type'],
    [{ type: 'tmpfs', size: 0 }, 'options.root.size'],
    [{ type: 'tmpfs', sized: 1 }, "did you mean 'size'"],
  ])('an invalid root is refused: %o', async (root, message) => {
    await expect(withMounts([], { root: root as never })).rejects.toThrow(message)
  })
})

test('a directory that only its owner may enter is no obstacle for the owner', async () => {
  using directory = temporaryDirectory()
  chmodSync(directory.path, 0o700)
  using set = await withOwnRoot([{ type: 'bind', source: directory.path, target: '/host' }])
  expect(await shell(set, 'touch /host/made; ls /host')).toBe('made')
})
