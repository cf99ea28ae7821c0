/** What became of one fault, as the process that had it tells. */

import type { Thrown } from './documented.ts'
import type { Call } from './fault.ts'

export interface Outcome {
  /** Its name: `child-1/sendmsg/2/EMFILE`. */
  fault: string
  /** Whether the call came about; what runs at the same time does not always make the same calls. */
  isHit: boolean
  /** What the operation threw, where it did not succeed. */
  thrown?: Thrown
  milliseconds: number
  /** What is not as it should be. */
  problems: string[]
}

/** What it prints, one to a line. */
export type Line = { calls: Call[] } | { begun: string } | { outcome: Outcome } | { done: true }

/** What it reads, one to a line: first whether to tell its calls, then which faults to have. */
export interface Wanted {
  isListing: boolean
}

/** What the problem begins with that a busy machine has, too. */
export const TOOK_LONG = 'it took '
