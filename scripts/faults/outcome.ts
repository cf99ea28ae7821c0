/** The outcome of one fault, as reported by its process. */

import type { Thrown } from './documented.ts'
import type { Call } from './fault.ts'

export interface Outcome {
  /** Its name: `child-1/sendmsg/2/EMFILE`. */
  fault: string
  /** Whether the call was made; concurrent work does not always make the same calls. */
  isHit: boolean
  /** The error of the operation, if it failed. */
  thrown?: Thrown
  milliseconds: number
  /** The problems found. */
  problems: string[]
}

/** Its output, one per line. */
export type Line = { calls: Call[] } | { begun: string } | { outcome: Outcome } | { done: true }

/** Its input, one per line: first whether to report its calls, then the faults. */
export interface Wanted {
  isListing: boolean
}

/** The beginning of a problem that a busy machine causes, too. */
export const TOOK_LONG = 'it took '
