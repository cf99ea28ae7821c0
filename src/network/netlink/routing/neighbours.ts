import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../../validate/network/link-ref.ts'
import { type Neighbour, type NeighbourSpec, parseNeighbour } from '../../../validate/network/routing/neighbour.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

const target = ({ link, neighbour }: Plain) => `${(neighbour as Plain)['address']} of ${describeLink(link)}`

function change(name: string, ref: LinkRef, neighbour: NeighbourSpec): Action<void> {
  const fields = { link: parseLinkRef(ref, 'ref'), neighbour: parseNeighbour(neighbour, 'neighbour') }
  return operation(name, fields, target)
}

/** The actions of {@link NetworkNeighbours}. */
export const neighbourActions = {
  /** See {@link NetworkNeighbours.list}. */
  list(ref?: LinkRef): Action<List<Neighbour>> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return listing('neighbours.list', link, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkNeighbours.add}. */
  add(ref: LinkRef, neighbour: NeighbourSpec): Action<void> {
    return change('neighbours.add', ref, neighbour)
  },

  /** See {@link NetworkNeighbours.replace}. */
  replace(ref: LinkRef, neighbour: NeighbourSpec): Action<void> {
    return change('neighbours.replace', ref, neighbour)
  },

  /** See {@link NetworkNeighbours.delete}. */
  delete(ref: LinkRef, neighbour: NeighbourSpec): Action<void> {
    return change('neighbours.delete', ref, neighbour)
  },
}

/**
 * The neighbours of a network's links: the hardware addresses of IP addresses (ARP, NDP), and the addresses for which this host
 * answers in place of another (proxies).
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN.
 *
 * @example
 * await set.network.neighbours.add('eth0', { address: '10.0.0.2', mac: '02:00:00:00:00:02' })
 *
 * @see ip-neighbour(8), arp(7)
 */
export class NetworkNeighbours {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkNeighbours)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the neighbours and proxies of a link, like `ip neighbour show nud all dev eth0`, in every state: those of
   * multicast groups are `'noarp'`. Default: those of all links.
   *
   * @example
   * const neighbours = await set.network.neighbours.list('eth0')
   * console.log(neighbours.find(({ address }) => address === '10.0.0.2')?.mac)
   * @see ip-neighbour(8)
   */
  async list(ref?: LinkRef): Promise<List<Neighbour>> {
    return this.#run(neighbourActions.list(ref))
  }

  /**
   * Adds a neighbour or a proxy to a link, like `ip neighbour add`. It accepts a {@link Neighbour} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if the link has a neighbour with that address; `EINVAL` without a `mac` for a state that
   * requires one.
   * @example
   * await set.network.neighbours.add('eth0', { address: '10.0.0.2', mac: '02:00:00:00:00:02', state: 'reachable' })
   * await set.network.neighbours.add('eth0', { address: '10.0.0.9', proxy: true })
   * @see ip-neighbour(8)
   */
  async add(ref: LinkRef, neighbour: NeighbourSpec): Promise<void> {
    return this.#run(neighbourActions.add(ref, neighbour))
  }

  /**
   * Adds a neighbour, or replaces the one with the same address, like `ip neighbour replace`.
   *
   * @throws {@link ActionError} as {@link NetworkNeighbours.add}, except `EEXIST`.
   * @example
   * await set.network.neighbours.replace('eth0', { address: '10.0.0.2', mac: '02:00:00:00:00:03' })
   * @see ip-neighbour(8)
   */
  async replace(ref: LinkRef, neighbour: NeighbourSpec): Promise<void> {
    return this.#run(neighbourActions.replace(ref, neighbour))
  }

  /**
   * Deletes the neighbour with this address, or with `proxy: true` the proxy, like `ip neighbour del`.
   *
   * @throws {@link ActionError} `ENOENT` if the link does not have it.
   * @example
   * await set.network.neighbours.delete('eth0', { address: '10.0.0.2' })
   * @see ip-neighbour(8)
   */
  async delete(ref: LinkRef, neighbour: NeighbourSpec): Promise<void> {
    return this.#run(neighbourActions.delete(ref, neighbour))
  }
}
