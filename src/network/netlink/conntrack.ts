import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeFilter } from '../../validate/monitoring/describe-filter.ts'
import {
  type ConnectionFilter,
  type ConntrackStatistics,
  parseConnectionFilter,
  parseDeletedConnections,
  type TrackedConnection,
} from '../../validate/monitoring/tracked-connection.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { listing } from '../actions/list.ts'

const target = ({ filter }: Plain) => (filter === undefined ? '' : describeFilter(filter as Plain))

/** The actions of {@link NetworkConntrack}. */
export const conntrackActions = {
  /** See {@link NetworkConntrack.list}. */
  list(filter?: ConnectionFilter): Action<TrackedConnection[]> {
    return listing('conntrack.list', { filter: parseConnectionFilter(filter) }, target)
  },

  /** See {@link NetworkConntrack.delete}. */
  delete(filter: ConnectionFilter | TrackedConnection): Action<TrackedConnection[]> {
    const parsed = parseDeletedConnections(filter)
    const read = 'connection' in parsed ? () => [filter as TrackedConnection] : undefined
    return operation('conntrack.delete', parsed, target, read)
  },

  /** See {@link NetworkConntrack.flush}. */
  flush(): Action<void> {
    return operation('conntrack.flush', {}, target)
  },

  /** See {@link NetworkConntrack.statistics}. */
  statistics(): Action<ConntrackStatistics> {
    return operation('conntrack.statistics', {}, target)
  },
}

/**
 * The connections that the kernel tracks for the packet filter of a network. It tracks connections while a rule of
 * {@link NetworkFirewall} needs that: one with `ct`, or with address translation.
 *
 * Failures reject with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN; `EINVAL` if the kernel has no module
 * nf_conntrack_netlink.
 *
 * @example
 * for (const { original, reply } of await router.network.conntrack.list({ status: 'snat' })) {
 *   console.log(original.source.address, 'leaves as', reply.destination.address)
 * }
 *
 * @see conntrack(8)
 */
export class NetworkConntrack {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkConntrack)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the connections that match, like `conntrack -L`. Connections that begin or end during the call can be in the list
   * or not.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN.
   * @example
   * const established = await set.network.conntrack.list({ protocol: 'tcp', state: 'established', destinationPort: 443 })
   * @see conntrack(8)
   */
  async list(filter?: ConnectionFilter): Promise<TrackedConnection[]> {
    return this.#run(conntrackActions.list(filter))
  }

  /**
   * Makes the kernel forget the connections that match, or one of `list`, like `conntrack -D`, and resolves with those that it has
   * forgotten. The next packet of such a connection meets the rules as if it began one, and gets a new translation.
   *
   * @throws {@link ActionError} `ENOENT` if a connection of `list` has ended; `EPERM` without CAP_NET_ADMIN.
   * @throws `ERR_INVALID_ARG_VALUE` for a filter without a field, which would select all connections.
   * @example
   * await router.network.conntrack.delete({ sourceAddress: '10.0.0.0/24', status: 'snat' })
   * @see conntrack(8)
   */
  async delete(filter: ConnectionFilter | TrackedConnection): Promise<TrackedConnection[]> {
    return this.#run(conntrackActions.delete(filter))
  }

  /**
   * Makes the kernel forget all connections, like `conntrack -F`.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN.
   * @example
   * await router.network.conntrack.flush()
   * @see conntrack(8)
   */
  async flush(): Promise<void> {
    return this.#run(conntrackActions.flush())
  }

  /**
   * Resolves with how many connections there are and can be, and what the kernel has counted about tracking them, like
   * `conntrack -C` and `conntrack -S`.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN.
   * @example
   * const { entries, maxEntries, drop } = await router.network.conntrack.statistics()
   * @see conntrack(8)
   */
  async statistics(): Promise<ConntrackStatistics> {
    return this.#run(conntrackActions.statistics())
  }
}
