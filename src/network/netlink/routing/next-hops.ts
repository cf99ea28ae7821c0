import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import {
  type NextHop,
  type NextHopRef,
  type NextHopSpec,
  parseNextHop,
  parseNextHopRef,
} from '../../../validate/network/routing/next-hop.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

function make(name: string, hop: NextHopSpec): Action<void> {
  return operation(name, { hop: parseNextHop(hop, 'hop') }, ({ hop }) => `next hop ${(hop as Plain)['id']}`)
}

/** The actions of {@link NetworkNextHops}. */
export const nextHopActions = {
  /** See {@link NetworkNextHops.list}. */
  list(): Action<List<NextHop>> {
    return listing('nextHops.list', {}, () => '')
  },

  /** See {@link NetworkNextHops.add}. */
  add(hop: NextHopSpec): Action<void> {
    return make('nextHops.add', hop)
  },

  /** See {@link NetworkNextHops.replace}. */
  replace(hop: NextHopSpec): Action<void> {
    return make('nextHops.replace', hop)
  },

  /** See {@link NetworkNextHops.delete}. */
  delete(ref: NextHopRef): Action<void> {
    return operation('nextHops.delete', { id: parseNextHopRef(ref, 'ref') }, ({ id }) => `next hop ${id}`)
  },
}

/**
 * The next hop objects of a network, and groups of them, which many routes can share: a change of the object changes all of these
 * routes at once. Routes refer to them by `nextHopId`.
 *
 * Failures reject with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN, `EOPNOTSUPP` before Linux 5.3.
 *
 * @example
 * await set.network.nextHops.add({ id: 1, via: '10.0.0.1', dev: 'eth0' })
 * await set.network.nextHops.add({ id: 2, via: '10.0.1.1', dev: 'eth1' })
 * await set.network.nextHops.add({ id: 10, group: [{ id: 1, weight: 3 }, { id: 2 }] })
 * await set.network.routes.add({ destination: '192.0.2.0/24', nextHopId: 10 })
 *
 * @see ip-nexthop(8)
 */
export class NetworkNextHops {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkNextHops)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the next hops and groups, like `ip nexthop show`.
   *
   * @example
   * const hops = await set.network.nextHops.list()
   * console.log(hops.map(({ id, via }) => `${id} ${via}`))
   * @see ip-nexthop(8)
   */
  async list(): Promise<List<NextHop>> {
    return this.#run(nextHopActions.list())
  }

  /**
   * Adds a next hop or a group, like `ip nexthop add`. It accepts a {@link NextHop} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if the id is in use; `EINVAL` for a combination of values that the kernel rejects.
   * @example
   * await set.network.nextHops.add({ id: 1, via: '10.0.0.1', dev: 'eth0' })
   * @see ip-nexthop(8)
   */
  async add(hop: NextHopSpec): Promise<void> {
    return this.#run(nextHopActions.add(hop))
  }

  /**
   * Adds a next hop or a group, or replaces the one with the same id, like `ip nexthop replace`. Its routes stay.
   *
   * @throws {@link ActionError} as {@link NetworkNextHops.add}, except `EEXIST`.
   * @example
   * await set.network.nextHops.replace({ id: 1, via: '10.0.0.2', dev: 'eth0' })
   * @see ip-nexthop(8)
   */
  async replace(hop: NextHopSpec): Promise<void> {
    return this.#run(nextHopActions.replace(hop))
  }

  /**
   * Deletes a next hop or a group, like `ip nexthop del`. The kernel also deletes the routes that use it.
   *
   * @throws {@link ActionError} `ENOENT` if there is none with that id.
   * @example
   * await set.network.nextHops.delete(1)
   * @see ip-nexthop(8)
   */
  async delete(ref: NextHopRef): Promise<void> {
    return this.#run(nextHopActions.delete(ref))
  }
}
