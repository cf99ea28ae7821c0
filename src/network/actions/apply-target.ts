import type { NativeNetwork } from '../../../index.js'
import { misuse } from '../../errors.ts'
import type { SetHandle } from '../../objects/set-handle.ts'

/** @hidden The set in which actions run, and its network. It is in the declaration of the constructor of {@link Action}. */
export interface ApplyTarget {
  readonly set: SetHandle
  readonly network: NativeNetwork
}

/** @internal */
export function applyTargetOf(set: SetHandle): ApplyTarget {
  return { set, network: set.network() }
}

/** @internal @throws `ERR_NSSET_CLOSED` if the set is closed. */
export function ensureOpen(set: SetHandle): void {
  if (set.native.closed) throw misuse('ERR_NSSET_CLOSED', 'the set of this network is closed')
}
