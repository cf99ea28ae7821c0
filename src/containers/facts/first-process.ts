import type { ProcessFacts } from './process-facts.ts'

/**
 * @internal Returns the first process of a container. Processes of `docker exec` have a parent outside, too. The first process
 * is the one that is pid 1 of a pid namespace; if the container has no pid namespace, it is the oldest.
 */
export function firstOf(processes: readonly ProcessFacts[]): ProcessFacts | undefined {
  const pids = new Set(processes.map(({ pid }) => pid))
  const fromOutside = processes.filter(({ parent }) => !pids.has(parent))
  return fromOutside.sort(
    (one, other) => Number(other.isInit) - Number(one.isInit) || one.startTime - other.startTime || one.pid - other.pid,
  )[0]
}
