import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeFilter } from '../../validate/monitoring/describe-filter.ts'
import {
  type InetSocket,
  type NetworkSocket,
  parseDestroyFilter,
  parseSocketFilter,
  type SocketFilter,
} from '../../validate/monitoring/network-socket.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { listing } from '../actions/list.ts'

const target = ({ filter }: Plain) => describeFilter(filter as Plain)

/** The actions of {@link NetworkSockets}. */
export const socketActions = {
  /** See {@link NetworkSockets.list}. */
  list(filter?: SocketFilter): Action<NetworkSocket[]> {
    return listing('sockets.list', { filter: parseSocketFilter(filter) }, target)
  },

  /** See {@link NetworkSockets.destroy}. */
  destroy(filter: SocketFilter): Action<InetSocket[]> {
    return operation('sockets.destroy', { filter: parseDestroyFilter(filter) }, target)
  },
}

/**
 * The sockets of a network: what listens and what is connected inside, whichever process has it open.
 *
 * Failures reject with an {@link ActionError}: `ENOENT` if the kernel has no module for a protocol of the filter.
 *
 * @example
 * const listening = await set.network.sockets.list({ protocol: 'tcp', state: 'listen' })
 *
 * @see sock_diag(7), ss(8)
 */
export class NetworkSockets {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkSockets)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the sockets that match, like `ss -tuwxa`. Default: all sockets of TCP, UDP and unix(7), and raw ones. Sockets that
   * come or go during the call can be in the list or not.
   *
   * @throws {@link ActionError} `ENOENT` if the kernel has no module for a protocol of the filter.
   * @example
   * for (const socket of await set.network.sockets.list({ protocol: 'tcp', state: ['listen', 'established'] })) {
   *   if (socket.protocol === 'tcp') console.log(socket.state, socket.local.port, socket.remote?.address)
   * }
   * @see ss(8)
   */
  async list(filter?: SocketFilter): Promise<NetworkSocket[]> {
    return this.#run(socketActions.list(filter))
  }

  /**
   * Closes the sockets of TCP and UDP and the raw ones that match, like `ss -K`, and resolves with them. Their programs get
   * `ECONNABORTED`, and TCP sends a reset.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN; `EOPNOTSUPP` if the kernel was built without `CONFIG_INET_DIAG_DESTROY`.
   * @throws `ERR_INVALID_ARG_VALUE` for a filter without a field, which would select all sockets.
   * @example
   * await set.network.sockets.destroy({ protocol: 'tcp', remoteAddress: '10.0.0.9' })
   * @see ss(8)
   */
  async destroy(filter: SocketFilter): Promise<InetSocket[]> {
    return this.#run(socketActions.destroy(filter))
  }
}
