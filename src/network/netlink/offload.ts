import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { type Offload, type OffloadChanges, parseOffload } from '../../validate/network/links/offload.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ link }: Plain) => describeLink(link)

/** The actions of {@link NetworkOffload}. */
export const offloadActions = {
  /** See {@link NetworkOffload.get}. */
  get(ref: LinkRef): Action<Offload> {
    return operation('offload.get', { link: parseLinkRef(ref, 'ref') }, target)
  },

  /** See {@link NetworkOffload.set}. */
  set(ref: LinkRef, changes: OffloadChanges): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), changes: parseOffload(changes, 'changes') }
    return operation('offload.set', fields, target)
  },
}

/**
 * What links do in place of the processor: checksums, segmentation, VLAN tags. A capture inside shows packets as the link gets them,
 * so turn `tso`, `gso` and `gro` off to see packets as they are on a real wire, and `transmitChecksum` to see their checksums.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `ENOENT` if the kernel has no ethtool netlink
 * (Linux 5.6), `EPERM` without CAP_NET_ADMIN.
 *
 * @example
 * await set.network.offload.set('eth0', { tso: false, gso: false, gro: false })
 *
 * @see ethtool(8)
 */
export class NetworkOffload {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkOffload)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with what a link offloads, like `ethtool -k eth0`.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist.
   * @example
   * const { tso, fixed } = await set.network.offload.get('eth0')
   * @see ethtool(8)
   */
  async get(ref: LinkRef): Promise<Offload> {
    return this.#run(offloadActions.get(ref))
  }

  /**
   * Changes what a link offloads, like `ethtool -K eth0 tso off`. If a part cannot be changed, nothing changes.
   *
   * @throws {@link ActionError} `EOPNOTSUPP` for a feature that the link does not have or cannot change, also because it depends on
   * another one that is off, as `tso` does on `scatterGather`.
   * @example
   * await set.network.offload.set('eth0', { transmitChecksum: false, features: { 'tx-udp-segmentation': false } })
   * @see ethtool(8)
   */
  async set(ref: LinkRef, changes: OffloadChanges): Promise<void> {
    return this.#run(offloadActions.set(ref, changes))
  }
}
