/** Waits for helpers of nsset that wait for a program. */
import { eventually, idleHelpersOf } from './resources.ts'

/** Waits until at least one helper waits, and returns its pid. */
export async function anIdleHelper(): Promise<number> {
  const [pid] = await eventually(
    () => idleHelpersOf(),
    (pids) => pids.length > 0,
  )
  if (pid === undefined) throw new Error('no helper waits')
  return pid
}

/** Waits until none waits. */
export async function noIdleHelper(): Promise<void> {
  const left = await eventually(
    () => idleHelpersOf(),
    (pids) => pids.length === 0,
    10_000,
  )
  if (left.length > 0) throw new Error(`these still wait: ${left}`)
}
