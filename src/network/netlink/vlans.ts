import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { type BridgeVlan, type BridgeVlanSpec, parseBridgeVlan } from '../../validate/network/links/vlan.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { type List, listing } from '../actions/list.ts'

const target = ({ link, vlan }: Plain) => `${(vlan as Plain)['id']} of ${describeLink(link)}`

function change(name: string, ref: LinkRef, vlan: BridgeVlanSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), vlan: parseBridgeVlan(vlan, 'vlan') }, target)
}

/** The actions of {@link NetworkVlans}. */
export const vlanActions = {
  /** See {@link NetworkVlans.list}. */
  list(ref?: LinkRef): Action<List<BridgeVlan>> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return listing('vlans.list', link, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkVlans.add}. */
  add(ref: LinkRef, vlan: BridgeVlanSpec): Action<void> {
    return change('vlans.add', ref, vlan)
  },

  /** See {@link NetworkVlans.delete}. */
  delete(ref: LinkRef, vlan: BridgeVlanSpec): Action<void> {
    return change('vlans.delete', ref, vlan)
  },
}

/**
 * The VLANs of bridges with `vlanFiltering` and of their ports. For a link that is a VLAN of its device, see the kind `vlan`.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN, `EOPNOTSUPP` if
 * it is no port, or the kernel has no VLAN filtering.
 *
 * @example
 * await set.network.links.add({ kind: 'bridge', name: 'br0', vlanFiltering: true })
 * await set.network.vlans.add('tap0', { id: 10, pvid: true, untagged: true })
 *
 * @see bridge(8)
 */
export class NetworkVlans {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkVlans)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the VLANs of a port or of a bridge, like `bridge vlan show dev tap0`. Default: those of all.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist.
   * @example
   * const ids = (await set.network.vlans.list('tap0')).map(({ id }) => id)
   * @see bridge(8)
   */
  async list(ref?: LinkRef): Promise<List<BridgeVlan>> {
    return this.#run(vlanActions.list(ref))
  }

  /**
   * Adds a port, or the bridge itself, to VLANs, like `bridge vlan add`, or changes how it is in them.
   *
   * @throws {@link ActionError} `EOPNOTSUPP` if the link is no port of a bridge, or the kernel has no VLAN filtering.
   * @example
   * await set.network.vlans.add('tap0', { id: 10, pvid: true, untagged: true })
   * await set.network.vlans.add('uplink', { id: 10, to: 19 })
   * await set.network.vlans.add('br0', 10)
   * @see bridge(8)
   */
  async add(ref: LinkRef, vlan: BridgeVlanSpec): Promise<void> {
    return this.#run(vlanActions.add(ref, vlan))
  }

  /**
   * Removes a port, or the bridge itself, from VLANs, like `bridge vlan del`. Those that it is not in are ignored.
   *
   * @throws {@link ActionError} as {@link NetworkVlans.add}.
   * @example
   * await set.network.vlans.delete('tap0', 1)
   * @see bridge(8)
   */
  async delete(ref: LinkRef, vlan: BridgeVlanSpec): Promise<void> {
    return this.#run(vlanActions.delete(ref, vlan))
  }
}
