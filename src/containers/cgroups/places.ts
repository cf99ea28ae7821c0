import type { Engine } from '../engines/engines.ts'
import { cgroupMounts } from './cgroup-mounts.ts'

/** @internal Where containers are looked for. */
export interface Places {
  engines: readonly Engine[]
  /** The roots of the trees of cgroups; those that are mounted when left out. */
  hierarchies?: readonly string[]
  proc: string
  /** How long one question to an engine may take, in milliseconds. */
  timeLimit: number
}

/** @internal */
export async function hierarchiesOf({ hierarchies, proc }: Places): Promise<readonly string[]> {
  return hierarchies ?? cgroupMounts(`${proc}/self/mountinfo`)
}
