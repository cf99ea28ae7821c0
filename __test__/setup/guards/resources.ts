/** The resources of this process, to show that none grows. */
import { readdirSync, readFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'

// A process keeps the descriptor of the helper's program from its first use: here, before anything is counted.
NamespaceSet.unshareSync('user').close()

export interface Resources {
  descriptors: number
  threads: number
  children: number
  mounts: number
}

/** Exited children that wait for another program's reaper are not counted. */
export function childrenOf(pid: number = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(parent) === pid && state !== 'X'
      } catch {
        return false
      }
    })
    .map(Number)
}

export function resources(): Resources {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
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
