import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { type Address, type AddressSpec, parseAddress } from '../../validate/network/address.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ link, address }: Plain) => `${(address as Plain)['cidr']} of ${describeLink(link)}`

function change(name: string, ref: LinkRef, address: AddressSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), address: parseAddress(address, 'address') }, target)
}

/** The actions of {@link NetworkAddresses}: see there. */
export const addressActions = {
  /** As {@link NetworkAddresses.list}. */
  list(ref?: LinkRef): Action<Address[]> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return operation('addresses.list', link, ({ link }) => describeLink(link))
  },

  /** As {@link NetworkAddresses.add}. */
  add(ref: LinkRef, address: AddressSpec): Action<void> {
    return change('addresses.add', ref, address)
  },

  /** As {@link NetworkAddresses.delete}. */
  delete(ref: LinkRef, address: AddressSpec): Action<void> {
    return change('addresses.delete', ref, address)
  },
}

/**
 * The IP addresses of a network's links.
 *
 * What fails rejects with an {@link ActionError}: `ENODEV` where there is no such link, `EPERM` without CAP_NET_ADMIN.
 *
 * @example
 * const [first] = await set.network.addresses.list('eth0')
 * console.log(first?.cidr) // 10.0.0.1/24
 *
 * @see ip-address(8)
 */
export class NetworkAddresses {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkAddresses)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The addresses of a link, or of all: `ip address show`.
   *
   * @throws {@link ActionError} `EAGAIN` when links come and go so fast that no list is right.
   * @example
   * const [first] = await set.network.addresses.list('eth0')
   * console.log(first?.cidr) // 10.0.0.2/24
   */
  async list(ref?: LinkRef): Promise<Address[]> {
    return this.#run(addressActions.list(ref))
  }

  /**
   * Gives a link an address, as `ip address add`: a CIDR of IPv4 or IPv6, or an object with its peer, broadcast address,
   * scope, lifetimes and flags, too. An {@link Address} of a list is one.
   *
   * @throws {@link ActionError} `EEXIST` when the link has it already; for IPv6 with another prefix, too.
   * @example
   * await set.network.addresses.add('eth0', '10.0.0.2/24')
   * await set.network.addresses.add('eth0', { cidr: 'fd00::2/64', noDuplicateDetection: true })
   */
  async add(ref: LinkRef, address: AddressSpec): Promise<void> {
    return this.#run(addressActions.add(ref, address))
  }

  /**
   * Takes an address away from a link: `ip address del`.
   *
   * @throws {@link ActionError} `EADDRNOTAVAIL` when the link does not have it.
   * @example
   * await set.network.addresses.delete('eth0', '10.0.0.2/24')
   */
  async delete(ref: LinkRef, address: AddressSpec): Promise<void> {
    return this.#run(addressActions.delete(ref, address))
  }
}
