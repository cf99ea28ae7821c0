import type { NativeNetwork } from '../../../index.js'
import { misuse } from '../../errors.ts'
import type { SetHandle } from '../../objects/set-handle.ts'
import type { Way } from './way.ts'

/** @hidden The set in which actions run, its network, and how. It is in the declaration of the constructor of {@link Action}. */
export interface ApplyTarget {
  readonly set: SetHandle
  readonly network: NativeNetwork
  readonly way: Way
}

/** @internal */
export function applyTargetOf(set: SetHandle, way: Way): ApplyTarget {
  return { set, network: set.network(), way }
}

/** @internal @throws `ERR_NSSET_CLOSED` if the set is closed. */
export function ensureOpen(set: SetHandle): void {
  if (set.isClosed) throw misuse('ERR_NSSET_CLOSED', 'the set of this network is closed')
}
