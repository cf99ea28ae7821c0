/** The resources of this process, to show that none grows. */
import { readdirSync, readFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'

// A process keeps the descriptor of the helper's program from its first use: here, before anything is counted.
NamespaceSet.unshareSync('user').close()

/** The name of a helper of nsset that waits for a program. It ends when it has waited for some seconds. */
const IDLE = 'nsset-idle'

/** What each of these takes of its parent: a socket and a pidfd. */
const DESCRIPTORS_OF_IDLE = 2

export interface Resources {
  descriptors: number
  threads: number
  children: number
  mounts: number
}

/** The children, without helpers that wait. Exited children that wait for another program's reaper are not counted. */
export function childrenOf(pid: number = process.pid): number[] {
  return allChildrenOf(pid).flatMap(({ pid, comm }) => (comm === IDLE ? [] : [pid]))
}

/** The helpers that wait for a program. */
export function idleHelpersOf(pid: number = process.pid): number[] {
  return allChildrenOf(pid).flatMap(({ pid, comm }) => (comm === IDLE ? [pid] : []))
}

function allChildrenOf(parent: number): { pid: number; comm: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [state, above] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(above) !== parent || state === 'X') return []
      return [{ pid: Number(name), comm: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }]
    } catch {
      return []
    }
  })
}

export function resources(): Resources {
  return {
    descriptors: readdirSync('/proc/self/fd').length - DESCRIPTORS_OF_IDLE * idleHelpersOf().length,
    threads: readdirSync('/proc/self/task').length,
    children: childrenOf().length,
    mounts: readFileSync('/proc/self/mountinfo', 'latin1').split('\n').length,
  }
}

/** Waits until `probe` holds; after `limit` milliseconds returns the last value, for the assertion to fail. */
export async function eventually<T>(read: () => T, holds: (value: T) => boolean, limit = 5_000): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const value = read()
    if (holds(value) || Date.now() > end) return value
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
