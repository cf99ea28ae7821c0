/** PID 1 of a new pid namespace: small, and nothing to be had from it by those who live with it. */
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { initsOf } from '../setup/guards/proc-stat.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const PROC = [{ type: 'proc', target: '/proc' }]
const LIMIT_KIB = 64

async function shell(set: NamespaceSet, script: string): Promise<string> {
  return (await set.execFile('sh', ['-c', script], { env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout
}

/** What comes of a file: its text, or the complaint of the program that read it. */
const attempt = (set: NamespaceSet, command: string): Promise<string> => shell(set, `${command} 2>&1 || true`)

asRoot(
  'its private memory is at most 64 KiB',
  '/proc/PID/smaps_rollup of what is undumpable takes CAP_SYS_PTRACE',
  async () => {
    const others = initsOf()
    using set = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: PROC })
    await shell(set, 'true & true')
    const [init] = initsOf().filter((pid) => !others.includes(pid))
    const rollup = readFileSync(`/proc/${init}/smaps_rollup`, 'utf8')
    const sizes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, size]) => Number(size))
    expect(sizes.length).toBeGreaterThanOrEqual(2)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(LIMIT_KIB)
  },
)

test('its private memory is at most 64 KiB, as any process can read', async () => {
  const others = initsOf()
  using set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
  const [init] = initsOf().filter((pid) => !others.includes(pid))
  const status = readFileSync(`/proc/${init}/status`, 'utf8')
  const anonymous = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1])
  expect(anonymous).toBeLessThanOrEqual(LIMIT_KIB)
  expect(status).toMatch(/^Threads:\t1$/m)
  expect(set.closed).toBe(false)
})

test('those inside get nothing of its descriptors', async () => {
  using set = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: PROC })
  // Where its directory can be listed at all, there is its end of the line and nothing else.
  expect(await attempt(set, 'ls -A /proc/1/fd')).toMatch(/^(0\n|ls: .*Permission denied\n)$/)
  expect(await attempt(set, 'readlink -v /proc/1/fd/0')).toContain('Permission denied')
  expect(await attempt(set, 'cat /proc/1/fd/0')).toMatch(/Permission denied|No such device or address/)
  expect(await attempt(set, 'readlink -v /proc/1/root /proc/1/cwd /proc/1/exe')).toMatch(/^(.*Permission denied\n){3}$/)
})

test('those inside cannot read its memory, trace it, or end it', async () => {
  using set = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: PROC })
  for (const file of ['mem', 'maps', 'environ', 'auxv', 'syscall', 'stack']) {
    expect(await attempt(set, `head -c 1 /proc/1/${file}`), file).toMatch(
      /Permission denied|Operation not permitted|No such file/,
    )
  }
  // A PID 1 without handlers is deaf to those it is the init of (pid_namespaces(7)).
  for (const signal of ['KILL', 'TERM', 'STOP', 'CHLD']) await shell(set, `kill -${signal} 1`)
  expect(await shell(set, 'cat /proc/1/comm')).toBe('nsset-init\n')
  expect(await shell(set, 'read stat < /proc/1/stat; echo "$stat"')).toMatch(/^1 \(nsset-init\) S /)
})

asRoot('root of the outside finds one descriptor, a socket', 'a pid namespace alone takes CAP_SYS_ADMIN', async () => {
  using set = await NamespaceSet.unshare(['pid', 'mnt'], { mounts: PROC })
  expect(await shell(set, 'cd /proc/1/fd; for fd in *; do echo $fd $(readlink $fd); done')).toMatch(
    /^0 socket:\[\d+\]\n$/,
  )
  // A socket cannot be opened again by its path, so the line is PID 1's alone.
  expect(await attempt(set, 'cat /proc/1/fd/0')).toContain('No such device or address')
  expect((await shell(set, 'cat /proc/1/environ')).replaceAll('\0', '')).toBe('')
  expect(await shell(set, 'readlink /proc/1/cwd /proc/1/root')).toBe('/\n/\n')
})

asRoot(
  'it is in the network of the set, also where that is made while it mounts',
  '/proc/PID/ns of what is undumpable takes CAP_SYS_PTRACE',
  async () => {
    const places = Array.from({ length: 12 }, (_, index) => ({ type: 'directory', target: `/place${index}` }) as const)
    for (const mounts of [PROC, [...PROC, ...places]]) {
      const others = initsOf()
      const root = { type: 'tmpfs' } as const
      using set = await NamespaceSet.unshare(['user', 'net', 'pid', 'mnt'], { mapUser: 'root', root, mounts })
      const [init] = initsOf().filter((pid) => !others.includes(pid))
      expect(readlinkSync(`/proc/${init}/ns/net`)).toBe(set.id('net'))
      expect(readlinkSync(`/proc/${init}/ns/mnt`)).toBe(set.id('mnt'))
    }
  },
)

test('nothing of the outside is written on it', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('secret-source'))
  mkdirSync(directory.file('secret-target'))
  const mounts = [
    ...PROC,
    { type: 'bind', source: directory.file('secret-source'), target: directory.file('secret-target') },
  ]
  const others = initsOf()
  using set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'uts'], {
    mapUser: 'root',
    mounts,
    hostname: 'secret-name',
  })
  const [init] = initsOf().filter((pid) => !others.includes(pid))
  const { stdout } = await set.execFile('cat', ['/proc/1/cmdline'], { encoding: 'buffer' })
  expect(stdout.toString('latin1')).toBe('nsset-helper\0')
  expect(stdout.equals(readFileSync(`/proc/${init}/cmdline`))).toBe(true)
  if (isRoot) expect(readFileSync(`/proc/${init}/environ`, 'latin1').replaceAll('\0', '')).toBe('')
  expect(await shell(set, 'cat /proc/1/comm')).toBe('nsset-init\n')
})

asRoot(
  'it stands in the new namespaces and nowhere else',
  '/proc/PID/ns of what is undumpable takes CAP_SYS_PTRACE',
  async () => {
    const others = initsOf()
    using set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'net', 'uts', 'ipc', 'cgroup'], { mapUser: 'root' })
    const [init] = initsOf().filter((pid) => !others.includes(pid))
    for (const kind of set.kinds) expect(readlinkSync(`/proc/${init}/ns/${kind}`)).toBe(set.id(kind))
  },
)
