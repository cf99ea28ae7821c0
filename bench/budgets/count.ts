/** The system calls of one operation: the difference between a run and one with twice as many, per operation. */
import { type Calls, type Counts, round, rowsOf } from './calls.ts'
import { OPERATIONS } from './operations.ts'
import { type Run, runsIn } from './runs.ts'
import { trace } from './trace.ts'

/** Counts those of all operations that this user may run. */
export async function countCalls(): Promise<Counts> {
  const runs = runsIn(await trace())
  const counts: Record<string, Calls> = {}
  for (const [index, { name, times }] of OPERATIONS.entries()) {
    const ofIt = runs.filter((run) => run.operation === index)
    if (ofIt.length === 0) continue
    const rows = rowsOf(name)
    counts[rows.node] = callsOfOne(ofIt, times, 'node')
    const helper = callsOfOne(ofIt, times, 'helper')
    if (Object.keys(helper).length > 0) counts[rows.helper] = helper
  }
  return counts
}

/** What does not grow with their number cancels out: a wait, a garbage collection, a pool that fills up. */
function callsOfOne(runs: readonly Run[], times: number, whose: 'node' | 'helper'): Calls {
  const names = new Set(runs.flatMap((run) => [...run[whose].keys()]))
  const counted = [...names].toSorted().map((name) => {
    const least = (of: number) => leastOf(runs, of, (run) => run[whose].get(name) ?? 0)
    // A random call in the shorter run only must not compensate for one that is always there.
    return [name, round(Math.max(0, least(2 * times) - least(times)) / times)] as const
  })
  return Object.fromEntries(counted.filter(([, count]) => count !== 0))
}

/** Other work in the process only adds to it. */
function leastOf(runs: readonly Run[], times: number, count: (run: Run) => number): number {
  return Math.min(...runs.filter((run) => run.times === times).map(count))
}
