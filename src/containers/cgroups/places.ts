import type { Engine } from '../engines/engines.ts'
import { cgroupMounts } from './cgroup-mounts.ts'

/** @internal Where to search for containers. */
export interface Places {
  engines: readonly Engine[]
  /** The roots of the cgroup hierarchies. Default: those that are mounted. */
  hierarchies?: readonly string[]
  proc: string
  /** Time limit of one request to an engine, in milliseconds. */
  timeLimit: number
}

/** @internal */
export async function hierarchiesOf({ hierarchies, proc }: Places): Promise<readonly string[]> {
  return hierarchies ?? cgroupMounts(`${proc}/self/mountinfo`)
}
