/** Every operation for faults, by its name on the command line. */
import { LOAD } from './load.ts'
import { NAMES } from './names.ts'
import { NETWORKS } from './networks.ts'
import type { Operation } from './operation.ts'
import { PROCESSES } from './processes.ts'
import { SETS } from './sets.ts'
import { SOCKETS } from './sockets.ts'

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...SETS,
  ...PROCESSES,
  ...NAMES,
  ...NETWORKS,
  ...SOCKETS,
  ...LOAD,
}
