import type { ProcessFacts } from './process-facts.ts'

/**
 * @internal Which of a container's processes is its first. It was started from outside, as everything was that `docker
 * exec` adds, too; but it alone is pid 1, and where the container has no pid namespace of its own, the oldest.
 */
export function firstOf(processes: readonly ProcessFacts[]): ProcessFacts | undefined {
  const pids = new Set(processes.map(({ pid }) => pid))
  const fromOutside = processes.filter(({ parent }) => !pids.has(parent))
  return fromOutside.sort(
    (one, other) => Number(other.isInit) - Number(one.isInit) || one.startTime - other.startTime || one.pid - other.pid,
  )[0]
}
