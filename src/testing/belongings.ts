import type { Leak } from './leak.ts'

const fs = process.getBuiltinModule('node:fs')

/** The helper of nsset that waits for a program, and ends by itself. As long as it is in use, this process has a socket and a pidfd for it. */
const IDLE = 'nsset-idle'
const PIDFD = 'anon_inode:[pidfd]'

/** Threads of nsset with an event loop. Each is started by the first call that needs it, and stays. */
const LOOPS = ['nsset-network', 'nsset-forward', 'nsset-uplink', 'nsset-capture']
const DESCRIPTORS_OF_A_LOOP = ['anon_inode:[eventpoll]', 'anon_inode:[eventpoll]', 'anon_inode:[eventfd]']

/** The directory of names. The first name makes it a mount, which stays (ip-netns(8)). */
const NAMES = '/run/netns'

/** What belongs to this process, by type. */
export type Belongings = Map<Leak['type'], string[]>

/** @internal Returns what this process holds, and what its namespaces have that a test could leave behind. */
export function belongings(): Belongings {
  const [idle, children] = partition(childrenOf(process.pid), ({ command }) => command === IDLE)
  const all = threads()
  const { namespaces, descriptors, watched } = descriptorsOf()
  // A helper that has just been dropped still runs, and its descriptors are closed.
  remove(descriptors, ['socket', PIDFD], idle.filter(({ pid }) => watched.includes(pid)).length)
  // A new thread has the name of the one that started it for a moment, so each name counts once.
  remove(descriptors, DESCRIPTORS_OF_A_LOOP, LOOPS.filter((name) => all.includes(name)).length)
  return new Map([
    ['namespace', namespaces],
    ['descriptor', descriptors],
    ['child', children.map(({ pid, command }) => `${pid} (${command})`)],
    ['thread', all.filter((name) => !name.startsWith('nsset-'))],
    ['mount', mounts()],
    ['link', names('/sys/class/net')],
    ['name', names(NAMES)],
  ])
}

/** Namespaces by their identity, other descriptors by their target without its number, and the processes that pidfds are for. */
function descriptorsOf(): { namespaces: string[]; descriptors: string[]; watched: string[] } {
  const open = names('/proc/self/fd').flatMap((fd) => {
    const target = linkAt(`/proc/self/fd/${fd}`)
    return target === undefined ? [] : [{ fd, target }]
  })
  const [namespaces, others] = partition(open, ({ target }) => /^(?!socket|pipe)[a-z]+:\[\d+\]$/.test(target))
  return {
    namespaces: namespaces.map(({ target }) => target),
    descriptors: others.map(({ target }) => target.replace(/:\[\d+\]$/, '')).filter((target) => !isOwn(target)),
    watched: others.filter(({ target }) => target === PIDFD).flatMap(({ fd }) => processOf(fd) ?? []),
  }
}

/** The process of a pidfd (proc_pid_fdinfo(5)). */
function processOf(fd: string): string | undefined {
  return /^Pid:\t(\d+)$/m.exec(textAt(`/proc/self/fdinfo/${fd}`))?.[1]
}

function partition<T>(all: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((value) => !test(value))]
}

/** The directory that is read here, and those of nsset's threads: each keeps one from its first use. */
function isOwn(target: string): boolean {
  return target === `/proc/${process.pid}/fd` || /^\/proc\/\d+\/task\/\d+\/ns$/.test(target)
}

/** Removes each of some texts several times, if it is there so often. */
function remove(from: string[], texts: readonly string[], times: number): void {
  for (const text of Array.from({ length: times }, () => texts).flat()) {
    const at = from.lastIndexOf(text)
    if (at !== -1) from.splice(at, 1)
  }
}

function childrenOf(parent: number): { pid: string; command: string }[] {
  return names('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    const stat = textAt(`/proc/${pid}/stat`)
    const [state, above] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(above) !== parent || state === 'X') return []
    return [{ pid, command: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }]
  })
}

/** By name: runtimes end threads and start others of the same name. */
function threads(): string[] {
  return names('/proc/self/task').flatMap((tid) => {
    const name = textAt(`/proc/self/task/${tid}/comm`).trim()
    return name === '' ? [] : [name]
  })
}

/** The places of the mounts in the mount namespace of this process. */
function mounts(): string[] {
  return textAt('/proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((place) => place !== NAMES)
}

function names(directory: string): string[] {
  try {
    return fs.readdirSync(directory)
  } catch {
    return []
  }
}

/** The text of a file; empty if the process has ended. */
function textAt(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function linkAt(path: string): string | undefined {
  try {
    return fs.readlinkSync(path)
  } catch {
    return undefined
  }
}
