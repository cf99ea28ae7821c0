/** The resources of a process, to detect what an operation left: one line for each, without numbers. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const KINDS = ['net', 'uts', 'ipc', 'mnt', 'cgroup', 'user', 'pid', 'time'] as const

const AT_START = new Set(allMounts().map(([id]) => id))

/** Resources, each with its count. */
export type State = ReadonlyMap<string, number>

export function state(): State {
  const things = [...descriptors(), ...threads(), ...children(), ...mounts(), ...names(), ...links()]
  const counts = new Map<string, number>()
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1)
  return withoutIdleHelpers(counts)
}

/** Helpers that wait for a program end after some seconds. Each has a socket and a pidfd of this process. */
function withoutIdleHelpers(counts: Map<string, number>): State {
  const idle = counts.get('child nsset-idle alive') ?? 0
  counts.delete('child nsset-idle alive')
  for (const thing of ['descriptor socket:', 'descriptor anon_inode:[pidfd]']) {
    const count = counts.get(thing)
    if (count !== undefined) counts.set(thing, count - idle)
  }
  return counts
}

/** What exists now and did not before: `2 descriptor socket`. */
export function added(before: State, now: State): string[] {
  const more = [...now].map(([thing, count]) => [thing, count - (before.get(thing) ?? 0)] as const)
  return more.filter(([, count]) => count > 0).map(([thing, count]) => `${count} ${thing}`)
}

/** What existed before and does not any more. */
export function missing(before: State, now: State): string[] {
  return added(now, before)
}

function descriptors(): string[] {
  return entries('/proc/self/fd').flatMap((fd) => {
    const target = link(`/proc/self/fd/${fd}`)
    return target === undefined ? [] : [`descriptor ${plain(target)}`]
  })
}

/** Each thread with its namespaces; the usual ones have no number, others do. */
function threads(): string[] {
  const home = KINDS.map((kind) => link(`/proc/self/ns/${kind}`))
  return entries('/proc/self/task').flatMap((tid) => {
    const name = text(`/proc/self/task/${tid}/comm`)?.trim()
    if (name === undefined) return []
    const places = KINDS.map((kind) => link(`/proc/self/task/${tid}/ns/${kind}`))
    const away = places.filter((place, index) => place !== undefined && place !== home[index])
    // Threads that wait for something inside start on demand, and end when they have been idle for a while.
    if (name === 'nsset-waiting' && away.length === 0) return []
    return [away.length === 0 ? `thread ${name}` : `thread ${name} in ${away.map((place) => plain(place ?? ''))}`]
  })
}

/** Children of every thread, also zombies, and running orphans: the injector adopts them. */
function children(): string[] {
  const own = entries('/proc/self/task').flatMap((tid) => childrenIn(`/proc/self/task/${tid}/children`))
  const lost = childrenIn(`/proc/${process.ppid}/task/${process.ppid}/children`).filter(
    (pid) => Number(pid) !== process.pid,
  )
  return [
    ...own.map((pid) => describe(pid, 'child')),
    ...lost.map((pid) => describe(pid, 'orphan')).filter((line) => line?.endsWith(' Z') === false),
  ].filter((line) => line !== undefined)
}

/** The helpers that wait for a program. */
export function idleHelpers(): number[] {
  const own = entries('/proc/self/task').flatMap((tid) => childrenIn(`/proc/self/task/${tid}/children`))
  return own.filter((pid) => text(`/proc/${pid}/comm`)?.trim() === 'nsset-idle').map(Number)
}

function childrenIn(file: string): string[] {
  return (text(file) ?? '').split(' ').filter((pid) => pid !== '')
}

function describe(pid: string, kinship: string): string | undefined {
  const stat = text(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0]
  // Running and sleeping are equivalent here.
  return `${kinship} ${name} ${state === 'Z' || state === 'T' ? state : 'alive'}`
}

/** Except those that existed at the start, which others may unmount; an ordinary user mounts nothing outside. */
function mounts(): string[] {
  if (process.getuid?.() !== 0) return []
  return allMounts().flatMap(([id, , , , target]) => (AT_START.has(id) ? [] : [`mount ${target}`]))
}

function allMounts(): string[][] {
  const lines = (text('/proc/self/mountinfo') ?? '').split('\n')
  return lines.filter((line) => line !== '').map((line) => line.split(' '))
}

function names(): string[] {
  return entries('/run/netns').map((name) => `name ${name}`)
}

function links(): string[] {
  const lines = (text('/proc/self/net/dev') ?? '').split('\n').slice(2)
  return lines.filter((line) => line !== '').map((line) => `link ${line.split(':')[0]?.trim()}`)
}

function plain(target: string): string {
  return target
    .replace(/\[\d+\]/, '')
    .replace(/\/proc\/\d+/, '/proc/PID')
    .replace(/\/task\/\d+/, '/task/TID')
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function text(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}
