import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import {
  type Address,
  type AddressSpec,
  type NewAddressSpec,
  parseAddress,
  parseNewAddress,
} from '../../validate/network/address.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { type List, listing } from '../actions/list.ts'

const target = ({ link, address }: Plain) => `${(address as Plain)['cidr']} of ${describeLink(link)}`

function put(name: string, ref: LinkRef, address: NewAddressSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), ...parseNewAddress(address, 'address') }, target)
}

/** The actions of {@link NetworkAddresses}. */
export const addressActions = {
  /** See {@link NetworkAddresses.list}. */
  list(ref?: LinkRef): Action<List<Address>> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return listing('addresses.list', link, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkAddresses.add}. */
  add(ref: LinkRef, address: NewAddressSpec): Action<void> {
    return put('addresses.add', ref, address)
  },

  /** See {@link NetworkAddresses.ensure}. */
  ensure(ref: LinkRef, address: NewAddressSpec): Action<void> {
    return put('addresses.ensure', ref, address)
  },

  /** See {@link NetworkAddresses.replace}. */
  replace(ref: LinkRef, address: NewAddressSpec): Action<void> {
    return put('addresses.replace', ref, address)
  },

  /** See {@link NetworkAddresses.delete}. */
  delete(ref: LinkRef, address: AddressSpec): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), address: parseAddress(address, 'address') }
    return operation('addresses.delete', fields, target)
  },
}

/**
 * The IP addresses of the links of a network.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN.
 *
 * @example
 * const [first] = await set.network.addresses.list('eth0')
 * console.log(first?.cidr) // 10.0.0.1/24
 *
 * @see ip-address(8)
 */
export class NetworkAddresses {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkAddresses)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the addresses of a link, like `ip address show dev eth0`. Default: the addresses of all links.
   *
   * @example
   * const [first] = await set.network.addresses.list('eth0')
   * console.log(first?.cidr) // 10.0.0.2/24
   * @see ip-address(8)
   */
  async list(ref?: LinkRef): Promise<List<Address>> {
    return this.#run(addressActions.list(ref))
  }

  /**
   * Adds an address to a link, like `ip address add`. `address` is an IPv4 or IPv6 address in CIDR notation, or an object that
   * also has a peer, a broadcast address, a scope, lifetimes or flags. It accepts an {@link Address} of a list.
   *
   * With `settle`, it resolves when duplicate address detection has ended, and the address can be used. If another host has the
   * address, it is deleted again.
   *
   * @throws {@link ActionError} `EEXIST` if the link has the address; for IPv6, also with another prefix length. With `settle`:
   * `EADDRINUSE` if another host has the address, `ETIMEDOUT` if the detection has not ended after 10 seconds.
   * @example
   * await set.network.addresses.add('eth0', '10.0.0.2/24')
   * await set.network.addresses.add('eth0', { cidr: 'fd00::2/64', settle: true })
   * @see ip-address(8)
   */
  async add(ref: LinkRef, address: NewAddressSpec): Promise<void> {
    return this.#run(addressActions.add(ref, address))
  }

  /**
   * Adds an address if the link does not have it. If it has the address, those lifetimes, flags and metrics that you give are set.
   *
   * @throws {@link ActionError} `EEXIST` if the link has the address in a way that the kernel cannot change: with another prefix
   * length, peer, broadcast address, scope or label. With `settle`, as {@link NetworkAddresses.add}.
   * @example
   * await set.network.addresses.ensure('eth0', '10.0.0.2/24')
   * @see ip-address(8)
   */
  async ensure(ref: LinkRef, address: NewAddressSpec): Promise<void> {
    return this.#run(addressActions.ensure(ref, address))
  }

  /**
   * Adds an address, or replaces the lifetimes, flags and metric of the one that the link has, like `ip address replace`. What you
   * omit gets its default value.
   *
   * @throws {@link ActionError} as {@link NetworkAddresses.add}, but not `EEXIST` for the same prefix length. If `settle` fails, the
   * address stays.
   * @example
   * await set.network.addresses.replace('eth0', { cidr: '10.0.0.2/24', validLifetime: 3_600_000 })
   * @see ip-address(8)
   */
  async replace(ref: LinkRef, address: NewAddressSpec): Promise<void> {
    return this.#run(addressActions.replace(ref, address))
  }

  /**
   * Deletes an address from a link, like `ip address del`.
   *
   * @throws {@link ActionError} `EADDRNOTAVAIL` if the link does not have the address.
   * @example
   * await set.network.addresses.delete('eth0', '10.0.0.2/24')
   * @see ip-address(8)
   */
  async delete(ref: LinkRef, address: AddressSpec): Promise<void> {
    return this.#run(addressActions.delete(ref, address))
  }
}
