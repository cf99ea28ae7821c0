import type { Leak } from './leak.ts'

const fs = process.getBuiltinModule('node:fs')

/** The helper of nsset that waits for a program, and ends by itself. It takes a socket and a pidfd of this process. */
const IDLE = 'nsset-idle'

/** What belongs to this process, by type. */
export type Belongings = Map<Leak['type'], string[]>

/** @internal Returns what this process holds, and what its namespaces have that a test could leave behind. */
export function belongings(): Belongings {
  const children = childrenOf(process.pid)
  const idle = children.filter(({ command }) => command === IDLE).length
  const { namespaces, descriptors } = descriptorsOf(idle)
  return new Map([
    ['namespace', namespaces],
    ['descriptor', descriptors],
    ['child', children.flatMap(({ pid, command }) => (command === IDLE ? [] : [`${pid} (${command})`]))],
    ['thread', threads()],
    ['mount', mounts()],
    ['link', names('/sys/class/net')],
    ['name', names('/run/netns')],
  ])
}

/** Namespaces by their identity, and other descriptors by their target without its number. */
function descriptorsOf(idle: number): { namespaces: string[]; descriptors: string[] } {
  const targets = names('/proc/self/fd').flatMap((fd) => linkAt(`/proc/self/fd/${fd}`) ?? [])
  const isNamespace = (target: string) => /^[a-z]+:\[\d+\]$/.test(target) && !/^(?:socket|pipe):/.test(target)
  const others = targets.filter((target) => !isNamespace(target)).map((target) => target.replace(/:\[\d+\]$/, ''))
  for (const target of ['socket', 'anon_inode:[pidfd]']) {
    for (let count = 0; count < idle; count++) remove(others, target)
  }
  return { namespaces: targets.filter(isNamespace), descriptors: others.filter((target) => !isOwn(target)) }
}

/**
 * The directory that is read here, and those of nsset's threads: each keeps one from its first use. Threads that stay are
 * compared as threads.
 */
function isOwn(target: string): boolean {
  return target === `/proc/${process.pid}/fd` || /^\/proc\/\d+\/task\/\d+\/ns$/.test(target)
}

function remove(texts: string[], text: string): void {
  const at = texts.lastIndexOf(text)
  if (at !== -1) texts.splice(at, 1)
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
