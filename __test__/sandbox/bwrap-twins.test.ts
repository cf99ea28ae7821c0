/** Each option of bubblewrap for namespaces and for the program, and what does the same here: one script, run by both. */
import { execFileSync, spawnSync } from 'node:child_process'
import { type ExecFileOptions, type NamespaceKind, NamespaceSet, sandboxSystemCalls, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'

interface Twin {
  bwrap: string[]
  /** The new namespaces, besides `user` and `mnt`. */
  kinds?: NamespaceKind[]
  unshare?: UnshareOptions
  program?: ExecFileOptions<'utf8'>
  script: string
  /** What both print. */
  stdout?: string
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
const VIEW = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev']

const MOUNTS = [
  { type: 'bind', source: '/', target: '/', readOnly: true, noSuid: true, noDev: true },
  { type: 'proc', target: '/proc', noSuid: true, noDev: true, noExec: true },
  { type: 'dev', target: '/dev' },
] as const

/** Prints the kinds of namespaces that are not those of the tests. */
const OWN = (['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'] as const)
  .map((kind) => `[ "$(readlink /proc/self/ns/${kind})" = "${NamespaceSet.current(kind).id()}" ] || echo ${kind}`)
  .join('\n')

/** Without the ids of the outside: bwrap makes a second user namespace in the first one. */
const IDS = `id -u; id -g; awk '{ print $1, $3 }' /proc/self/uid_map /proc/self/gid_map`
const STATUS = 'grep -E "^(Uid|Gid|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; cat /proc/self/limits'
/** The session of a program is 0 if its leader is outside. */
const SESSION = '[ "$(cut -d " " -f 6 /proc/self/stat)" -gt 0 ] && echo own || echo "of the caller"'

const TWINS: Record<string, Twin> = {
  '--unshare-all': {
    bwrap: ['--unshare-all'],
    kinds: ['cgroup', 'ipc', 'net', 'pid', 'uts'],
    unshare: { loopback: true },
    script: `${OWN}; tail -n +3 /proc/net/dev | cut -d : -f 1; cat /proc/self/cgroup`,
  },
  '--unshare-all --share-net': {
    bwrap: ['--unshare-all', '--share-net'],
    kinds: ['cgroup', 'ipc', 'pid', 'uts'],
    script: OWN,
    stdout: 'cgroup\nipc\nmnt\npid\nuser\nuts\n',
  },
  '--unshare-user, --unshare-user-try': {
    bwrap: ['--unshare-user', '--unshare-user-try'],
    script: `${OWN}; ${IDS}`,
  },
  '--unshare-ipc': { bwrap: ['--unshare-user', '--unshare-ipc'], kinds: ['ipc'], script: OWN },
  '--unshare-pid': {
    bwrap: ['--unshare-user', '--unshare-pid'],
    kinds: ['pid'],
    script: `${OWN}; ls -d /proc/1; kill -0 1; echo $?`,
  },
  '--unshare-net': {
    bwrap: ['--unshare-user', '--unshare-net'],
    kinds: ['net'],
    unshare: { loopback: true },
    script: `${OWN}; cat /proc/net/dev | wc -l; grep -c 127.0.0.1 /proc/net/fib_trie`,
  },
  '--unshare-uts --hostname': {
    bwrap: ['--unshare-user', '--unshare-uts', '--hostname', 'box'],
    kinds: ['uts'],
    unshare: { hostname: 'box' },
    script: `${OWN}; hostname`,
    stdout: 'mnt\nuser\nuts\nbox\n',
  },
  '--unshare-cgroup, --unshare-cgroup-try': {
    bwrap: ['--unshare-user', '--unshare-cgroup', '--unshare-cgroup-try'],
    kinds: ['cgroup'],
    script: `${OWN}; cat /proc/self/cgroup`,
  },
  '--uid --gid': {
    bwrap: ['--unshare-user', '--uid', '1000', '--gid', '1000'],
    unshare: { mapUser: 1000 },
    script: IDS,
  },
  '--uid and another --gid': {
    bwrap: ['--unshare-user', '--uid', '1000', '--gid', '2000'],
    unshare: {
      uidMaps: [{ containerId: 1000, hostId: process.getuid?.() ?? 0, size: 1 }],
      gidMaps: [{ containerId: 2000, hostId: process.getgid?.() ?? 0, size: 1 }],
    },
    script: IDS,
  },
  '--disable-userns': {
    bwrap: ['--unshare-user', '--disable-userns'],
    program: { seccomp: sandboxSystemCalls() },
    script: 'unshare --user true 2> /dev/null; echo $?',
    stdout: '1\n',
  },
  '--chdir': { bwrap: ['--unshare-user', '--chdir', '/usr/lib'], program: { cwd: '/usr/lib' }, script: 'pwd' },
  '--clearenv --setenv --unsetenv': {
    bwrap: ['--unshare-user', '--clearenv', '--setenv', 'A', 'b c', '--setenv', 'D', 'e', '--unsetenv', 'D'],
    program: { env: { A: 'b c' } },
    script: 'env | grep -vE "^(PWD|SHLVL|_)="',
    stdout: 'A=b c\n',
  },
  '--new-session': {
    bwrap: ['--unshare-user', '--unshare-pid', '--new-session'],
    kinds: ['pid'],
    script: SESSION,
    stdout: 'own\n',
  },
  'without --new-session': {
    bwrap: ['--unshare-user', '--unshare-pid'],
    kinds: ['pid'],
    program: { detached: false },
    script: SESSION,
    stdout: 'of the caller\n',
  },
  '--cap-drop ALL': {
    bwrap: ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-drop', 'ALL'],
    unshare: { mapUser: 'root' },
    program: { capabilities: [] },
    script: STATUS,
  },
  '--cap-drop of one, of all that root has inside': {
    bwrap: ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-add', 'ALL', '--cap-drop', 'CAP_SYS_ADMIN'],
    unshare: { mapUser: 'root' },
    program: { capabilities: allBut('cap_sys_admin') },
    script: 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status',
  },
  'no option: no new privileges, and the limits of the caller': {
    bwrap: ['--unshare-user'],
    script: 'grep -E "^(NoNewPrivs|Seccomp:)" /proc/self/status; cat /proc/self/limits',
  },
}

/** The names of all capabilities that the kernel has but one, by capsh(1). */
function allBut(name: string): NonNullable<ExecFileOptions['capabilities']> {
  const last = Number(execFileSync('cat', ['/proc/sys/kernel/cap_last_cap'], { encoding: 'utf8' }))
  const all = ((1n << BigInt(last + 1)) - 1n).toString(16)
  const names =
    execFileSync('capsh', [`--decode=${all}`], { encoding: 'utf8' })
      .trim()
      .split('=')[1]
      ?.split(',') ?? []
  return names.filter((one) => one !== name).map((one) => one.toUpperCase()) as ExecFileOptions['capabilities'] & object
}

function inBwrap(options: readonly string[], script: string, fds: readonly number[] = []) {
  const { stdout, status, stderr, error } = spawnSync('bwrap', [...VIEW, ...options, '--', '/bin/sh', '-c', script], {
    env: { PATH },
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  if (error !== undefined) throw error
  if (stderr.startsWith('bwrap:')) throw new Error(stderr)
  return { stdout, exitCode: status }
}

async function inside(set: NamespaceSet, script: string, program: ExecFileOptions<'utf8'> = {}) {
  const options = { env: { PATH }, noNewPrivileges: true, reject: false, timeout: 20_000, ...program } as const
  const { stdout, exitCode } = await set.execFile('/bin/sh', ['-c', script], options)
  return { stdout, exitCode }
}

describe('bwrap', () => {
  test.each(Object.entries(TWINS))('%s', async (_, { bwrap, kinds = [], unshare, program, script, stdout }) => {
    const expected = inBwrap(bwrap, script)
    expect(expected.stdout).not.toBe('')
    if (stdout !== undefined) expect(expected.stdout).toBe(stdout)
    const maps = unshare?.uidMaps === undefined ? ({ mapUser: 'current' } as const) : {}
    // Without a pid namespace of its own, a set cannot mount a /proc: it shows that of the outside.
    const mounts = kinds.includes('pid') ? MOUNTS : MOUNTS.filter(({ type }) => type !== 'proc')
    await using set = await NamespaceSet.unshare(['user', 'mnt', ...kinds], { ...maps, mounts, ...unshare })
    expect(await inside(set, script, program)).toEqual(expected)
  })

  test('--userns FD', async () => {
    await using given = await NamespaceSet.unshare('user', { mapUser: 'current' })
    using fds = given.fds()
    const script = 'readlink /proc/self/ns/user'
    const expected = inBwrap(['--userns', '3', '--unshare-pid'], script, [fds.get('user')])
    expect(expected.stdout).toBe(`${given.id('user')}\n`)
    await using set = await given.unshare(['mnt', 'pid'], { mounts: MOUNTS })
    expect(await inside(set, script)).toEqual(expected)
  })

  test('--userns FD --userns2 FD', async () => {
    await using given = await NamespaceSet.unshare('user', { mapUser: 'root' })
    await using second = await given.unshare('user', { mapUser: 'root' })
    using first = given.fds()
    using further = second.fds()
    const script = 'readlink /proc/self/ns/user; tr -s " " < /proc/self/uid_map'
    const fds = [first.get('user'), further.get('user')]
    const expected = inBwrap(['--userns', '3', '--userns2', '4', '--unshare-pid'], script, fds)
    expect(expected.stdout).toBe(`${second.id('user')}\n 0 0 1\n`)
    await using files = await given.unshare(['mnt', 'pid'], { mounts: MOUNTS })
    using set = NamespaceSet.compose({ user: second, mnt: files, pid: files })
    expect(await inside(set, script)).toEqual(expected)
  })

  test('--userns FD --pidns FD', async () => {
    await using given = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'current' })
    using fds = given.fds()
    const script = 'readlink /proc/self/ns/pid; cat /proc/1/comm'
    const expected = inBwrap(['--userns', '3', '--pidns', '4'], script, [fds.get('user'), fds.get('pid')])
    expect(expected.stdout).toBe(`${given.id('pid')}\nnsset-init\n`)
    await using set = await given.unshare(['mnt'], { mounts: MOUNTS })
    expect(await inside(set, script)).toEqual(expected)
  })
})
