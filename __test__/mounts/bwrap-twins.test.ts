/** Each option of bubblewrap for files, and the mounts of a set that do the same: one script, run by both. */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import type { MountSpec, UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { inBwrap, inSet } from '../setup/oracles/bwrap.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

interface Twin {
  /** The options of bwrap; those for descriptors name 3, an open file that contains `hello`. */
  bwrap: string[]
  mounts: MountSpec[]
  options?: UnshareOptions
  script: string
  /** What both print. */
  stdout?: string
}

/** bwrap mounts without set-user-ID programs, and without devices. */
const BARE = { noSuid: true, noDev: true } as const

/** Prints the options and the type of the mount at a path. */
const mountAt = (path: string) =>
  `grep " ${path} " /proc/self/mountinfo | cut -d " " -f 6 | tr , "\\n" | grep -v relatime | sort
   grep " ${path} " /proc/self/mountinfo | sed "s/.* - //" | cut -d " " -f 1`

/** What a directory of the host has: `data/file`, `data/run`, `empty`. */
function hostDirectory(): TemporaryDirectory {
  const directory = temporaryDirectory()
  for (const name of ['data', 'empty']) mkdirSync(directory.file(name))
  writeFileSync(directory.file('data/file'), 'of the host\n')
  writeFileSync(directory.file('hello'), 'hello')
  return directory
}

const TWINS: Record<string, (host: TemporaryDirectory) => Twin> = {
  '--dir makes a directory, and those above it': () => ({
    bwrap: ['--dir', '/a/b/c'],
    mounts: [{ type: 'directory', target: '/a/b/c' }],
    script: 'stat -c "%n %F %a %u" /a /a/b /a/b/c',
  }),
  '--perms --dir': () => ({
    bwrap: ['--perms', '0710', '--dir', '/a'],
    mounts: [{ type: 'directory', target: '/a', mode: 0o710 }],
    script: 'stat -c "%n %F %a" /a',
    stdout: '/a directory 710\n',
  }),
  '--dir of one that exists': () => ({
    bwrap: ['--dir', '/usr'],
    mounts: [{ type: 'directory', target: '/usr' }],
    script: 'ls -d /usr/bin',
  }),
  '--chmod': () => ({
    bwrap: ['--dir', '/a', '--chmod', '0700', '/a'],
    mounts: [{ type: 'directory', target: '/a', mode: 0o700 }],
    script: 'stat -c "%n %F %a" /a',
    stdout: '/a directory 700\n',
  }),
  '--bind-fd': ({ file }) => ({
    bwrap: ['--bind-fd', '3', '/new'],
    mounts: [{ type: 'bind', source: file('hello'), target: '/new', ...BARE }],
    script: `cat /new; ${mountAt('/new')}`,
  }),
  '--ro-bind-fd': ({ file }) => ({
    bwrap: ['--ro-bind-fd', '3', '/new'],
    mounts: [{ type: 'bind', source: file('hello'), target: '/new', readOnly: true, ...BARE }],
    script: `cat /new; echo x >> /new; echo $?; ${mountAt('/new')}`,
  }),
  '--symlink': () => ({
    bwrap: ['--symlink', '../some/where', '/deep/link'],
    mounts: [{ type: 'symlink', to: '../some/where', target: '/deep/link' }],
    script: 'readlink /deep/link',
    stdout: '../some/where\n',
  }),
  '--file': () => ({
    bwrap: ['--perms', '0640', '--file', '3', '/etc/file'],
    mounts: [{ type: 'file', target: '/etc/file', content: 'hello', mode: 0o640 }],
    script: 'cat /etc/file; stat -c "%F %a" /etc/file; echo more >> /etc/file; cat /etc/file',
  }),
  '--bind-data': () => ({
    bwrap: ['--perms', '0644', '--bind-data', '3', '/etc/file'],
    mounts: [{ type: 'file', target: '/etc/file', content: 'hello' }],
    script: 'cat /etc/file; stat -c "%F %a" /etc/file; echo more >> /etc/file; cat /etc/file',
  }),
  '--ro-bind-data': () => ({
    bwrap: ['--perms', '0644', '--ro-bind-data', '3', '/etc/file'],
    mounts: [{ type: 'file', target: '/etc/file', content: 'hello', readOnly: true, ...BARE }],
    script: `cat /etc/file; echo more >> /etc/file; echo $?; ${mountAt('/etc/file')}`,
  }),
  '--bind': ({ path }) => ({
    bwrap: ['--bind', path, '/host'],
    mounts: [{ type: 'bind', source: path, target: '/host', ...BARE }],
    script: `cat /host/data/file; touch /host/data/new && ls /host/data; rm /host/data/new; ${mountAt('/host')}`,
  }),
  '--bind of a file, whose target is missing': ({ file }) => ({
    bwrap: ['--bind', file('hello'), '/new/place/file'],
    mounts: [{ type: 'bind', source: file('hello'), target: '/new/place/file', ...BARE }],
    script: `cat /new/place/file; stat -c %F /new/place/file; ${mountAt('/new/place/file')}`,
  }),
  '--ro-bind': ({ path }) => ({
    bwrap: ['--ro-bind', path, '/host'],
    mounts: [{ type: 'bind', source: path, target: '/host', readOnly: true, ...BARE }],
    script: `cat /host/data/file; touch /host/data/new; echo $?; ${mountAt('/host')}`,
  }),
  '--dev-bind': () => ({
    bwrap: ['--dev-bind', '/dev/null', '/null', '--bind', '/dev/zero', '/zero'],
    mounts: [
      { type: 'bind', source: '/dev/null', target: '/null', noSuid: true },
      { type: 'bind', source: '/dev/zero', target: '/zero', ...BARE },
    ],
    script: `echo x > /null && echo written; head -c 1 /zero; echo $?; ${mountAt('/null')}`,
  }),
  '--bind-try, --ro-bind-try, --dev-bind-try': ({ file }) => ({
    bwrap: ['--bind-try', file('no'), '/a', '--ro-bind-try', file('no'), '/b', '--dev-bind-try', file('hello'), '/c'],
    mounts: [
      { type: 'bind', source: file('no'), target: '/a', optional: true },
      { type: 'bind', source: file('no'), target: '/b', optional: true, readOnly: true },
      { type: 'bind', source: file('hello'), target: '/c', optional: true },
    ],
    script: 'ls -d /a /b /c',
    stdout: '/c\n',
  }),
  '--remount-ro of the root directory': () => ({
    bwrap: ['--dir', '/a', '--tmpfs', '/tmp', '--remount-ro', '/'],
    mounts: [
      { type: 'directory', target: '/a' },
      { type: 'tmpfs', target: '/tmp' },
    ],
    options: { root: { type: 'tmpfs', readOnly: true } },
    script: 'touch /a/x; echo $?; touch /tmp/x; echo $?',
    stdout: '1\n0\n',
  }),
  'the root directory': () => ({
    bwrap: [],
    mounts: [],
    script: `stat -c "%a %F" /; touch /x && ls -d /x; ${mountAt('/')}; ls -d /..`,
  }),
  '--proc': () => ({
    bwrap: [],
    mounts: [],
    script: `${mountAt('/proc')}; grep -c Name /proc/1/status; echo /proc/[0-9]`,
  }),
  '--dev': () => ({
    bwrap: ['--dev', '/dev'],
    mounts: [{ type: 'dev', target: '/dev' }],
    script: `cd /dev; stat -c "%n %F %t %T" *; readlink fd stdin stdout stderr core ptmx; ls -1 shm pts
      echo x > null; head -c 2 zero | wc -c; head -c 2 urandom | wc -c; echo x > full; echo $?
      ${mountAt('/dev/null')}; ${mountAt('/dev/pts')}`,
  }),
  '--mqueue': () => ({
    bwrap: ['--mqueue', '/mqueue'],
    mounts: [{ type: 'mqueue', target: '/mqueue' }],
    script: 'grep -o " - mqueue" /proc/self/mountinfo; mkdir /mqueue/x; echo $?',
    stdout: ' - mqueue\n1\n',
  }),
  '--tmpfs': () => ({
    bwrap: ['--tmpfs', '/tmp/deep'],
    mounts: [{ type: 'tmpfs', target: '/tmp/deep', options: { mode: '0755' }, ...BARE }],
    script: `stat -c "%a %u" /tmp/deep; touch /tmp/deep/x && ls /tmp/deep; ${mountAt('/tmp/deep')}`,
  }),
  '--size --perms --tmpfs': () => ({
    bwrap: ['--size', '65536', '--perms', '1777', '--tmpfs', '/tmp'],
    mounts: [{ type: 'tmpfs', target: '/tmp', options: { size: 65536, mode: '1777' } }],
    script: 'stat -c %a /tmp; head -c 100000 /dev/zero > /tmp/x; wc -c < /tmp/x',
  }),
  'a read-only view of the host, with a writable place, a hidden directory and a hidden file': ({ path, file }) => ({
    bwrap: [
      ...['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--bind', file('empty'), file('empty')],
      ...['--tmpfs', file('data'), '--remount-ro', file('data'), '--dev-bind', '/dev/null', file('hello')],
    ],
    mounts: [
      { type: 'bind', source: '/', target: '/', readOnly: true, ...BARE },
      { type: 'proc', target: '/proc' },
      { type: 'dev', target: '/dev' },
      { type: 'bind', source: file('empty'), target: file('empty'), ...BARE },
      { type: 'mask', target: file('data') },
      { type: 'mask', target: file('hello') },
    ],
    script: `cd ${path}; ls -1; touch new; echo $?; touch empty/new; ls empty; rm empty/new; ls data; touch data/x; echo $?
      wc -c < hello`,
  }),
}

describe('bwrap', () => {
  test.each(Object.entries(TWINS))('%s', async (_, twin) => {
    using host = hostDirectory()
    const { bwrap, mounts, options, script, stdout } = twin(host)
    const hello = openSync(host.file('hello'), 'r')
    try {
      const expected = inBwrap(bwrap, script, [hello])
      expect(expected.stdout).not.toBe('')
      if (stdout !== undefined) expect(expected.stdout).toBe(stdout)
      expect(await inSet(mounts, script, options)).toEqual(expected)
    } finally {
      closeSync(hello)
    }
  })
})
