import type { NativeNetwork, NativeOpened, NativeOutcome, NativeReference } from '../../../index.js'
import { binding } from '../../native.ts'

/** @hidden How calls of the native side are made: with promises, or on the calling thread. */
export interface Way {
  /** Sends operations to the native side. Null is the outcome of one operation without a result. */
  request(
    network: NativeNetwork,
    operations: string,
    others: NativeNetwork[],
    signal: AbortSignal | undefined,
  ): NativeOutcome | null | Promise<NativeOutcome | null>
  /** Opens what references name. */
  open(references: NativeReference[]): NativeOpened | Promise<NativeOpened>
}

/** @internal Other threads do the work. */
export const WITH_PROMISES: Way = {
  request(network, operations, others, signal) {
    if (signal === undefined) return network.request(operations, others)
    return abortable(network, operations, others, signal)
  },
  open: (references) => binding().openReferences(references),
}

/** @internal The calling thread does the work. There is no signal, because nothing can abort it meanwhile. */
export const BLOCKING: Way = {
  request: (network, operations, others) => network.requestSync(operations, others),
  open: (references) => binding().openReferencesSync(references),
}

/** On abort, the native side stops before the next operation. */
async function abortable(
  network: NativeNetwork,
  operations: string,
  others: NativeNetwork[],
  signal: AbortSignal,
): Promise<NativeOutcome | null> {
  const abandonment = new (binding().NativeAbandonment)()
  const abandon = () => abandonment.abandon()
  signal.addEventListener('abort', abandon, { once: true })
  try {
    return await network.request(operations, others, abandonment)
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}
