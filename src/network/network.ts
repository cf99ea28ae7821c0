import { parseOptions, parseSignal } from '../options.ts'
import type { Action, Results, Run } from './action.ts'
import { NetworkAddresses } from './addresses.ts'
import { apply, type Place } from './apply.ts'
import { NetworkLinks } from './links.ts'
import { NetworkQdiscs } from './qdiscs.ts'
import { NetworkRoutes } from './routes.ts'
import { parseActions } from './steps.ts'
import { NetworkSysctls } from './sysctls.ts'
import { NetworkWireGuard } from './wireguard.ts'

/** Options of {@link Network.apply}. */
export interface ApplyOptions {
  /** Ends the list before its next action; what is done stays done. */
  signal?: AbortSignal | undefined
}

/**
 * The network inside a set: {@link NamespaceSet.network}. It works over a netlink socket that is born inside, so that no thread and
 * no program has to go there, and an ordinary user can do in a `user` and `net` set what root can. It is closed with its
 * set.
 *
 * @example
 * using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
 * await set.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'b' } })
 *
 * @see rtnetlink(7)
 */
export class Network {
  /** Bridges, cables, tunnels and whatever else packets leave and arrive by. */
  readonly links: NetworkLinks
  /** IP addresses of links. */
  readonly addresses: NetworkAddresses
  /** Where packets go. */
  readonly routes: NetworkRoutes
  /** How packets wait to leave: latency, loss, rates. */
  readonly qdiscs: NetworkQdiscs
  /** The `net.*` sysctls. */
  readonly sysctls: NetworkSysctls
  /** The keys and peers of WireGuard links. */
  readonly wireguard: NetworkWireGuard

  readonly #place: Place

  /** @hidden Made by {@link NamespaceSet.network}. */
  constructor(place: Omit<Place, 'network'>) {
    this.#place = { ...place, network: this }
    const run: Run = async (action) => (await this.apply([action]))[0]
    this.links = new NetworkLinks(run)
    this.addresses = new NetworkAddresses(run)
    this.routes = new NetworkRoutes(run)
    this.qdiscs = new NetworkQdiscs(run)
    this.sysctls = new NetworkSysctls(run)
    this.wireguard = new NetworkWireGuard(run)
  }

  /**
   * Does actions in order, and stops at the first that fails. Comes to their results, in order. Those that need no
   * JavaScript go to the kernel together, in as few crossings as there can be.
   *
   * @throws {@link ActionError} with the position of the action that failed and the results of those before it, which stay done.
   * @throws `ERR_NSSET_CLOSED` when the set is closed; the signal's reason when it is aborted before the first action.
   * @example
   * const [left, links] = await set.network.apply([
   *   action.links.add({ kind: 'veth', name: 'left', peer: { name: 'right' } }),
   *   action.links.list(),
   * ])
   */
  async apply<const A extends readonly Action<unknown>[]>(actions: A, options?: ApplyOptions): Promise<Results<A>> {
    const signal = parseSignal(parseOptions<ApplyOptions>(options).signal)
    return (await apply(this.#place, parseActions(actions), signal)) as Results<A>
  }
}
