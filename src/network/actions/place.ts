import type { NativeNetwork } from '../../../index.js'
import { misuse } from '../../errors.ts'
import type { SetHandle } from '../../objects/set-handle.ts'

/** @hidden Where actions are done: a set, and its network. The constructor of {@link Action} has it in its declaration. */
export interface Place {
  readonly set: SetHandle
  readonly network: NativeNetwork
}

/** @internal */
export function placeOf(set: SetHandle): Place {
  return { set, network: set.network() }
}

/** @internal Throws when the set is closed. */
export function ensureOpen(set: SetHandle): void {
  if (set.native.closed) throw misuse('ERR_NSSET_CLOSED', 'the set of this network is closed')
}
