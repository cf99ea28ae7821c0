import type { NativeNetwork } from '../../index.js'
import type { SetHandle } from '../objects/set-handle.ts'
import { hideUncloneable, INSTEAD_OF_NETWORK } from '../objects/uncloneable.ts'
import type { LinkKind } from '../validate/network/links/link-kinds.ts'
import type { LinkSpecOf } from '../validate/network/links/link-spec.ts'
import { type ApplySyncOptions, parseApplySyncOptions } from '../validate/network/options.ts'
import type { Action, Results } from './actions/action.ts'
import { apply, applyOne } from './actions/apply.ts'
import type { ApplyTarget } from './actions/apply-target.ts'
import { blocking } from './actions/procedure.ts'
import { parseActions } from './actions/steps.ts'
import { BLOCKING } from './actions/way.ts'
import { addressActions, type NetworkAddresses } from './netlink/addresses.ts'
import { conntrackActions, type NetworkConntrack } from './netlink/conntrack.ts'
import { firewallActions, type NetworkFirewall } from './netlink/firewall.ts'
import type { LinkOf } from './netlink/link.ts'
import { linkActions, type NetworkLinks } from './netlink/links.ts'
import { type NetworkSockets, socketActions } from './netlink/network-sockets.ts'
import { type NetworkOffload, offloadActions } from './netlink/offload.ts'
import { classActions, type NetworkClasses } from './netlink/queueing/classes.ts'
import { filterActions, type NetworkFilters } from './netlink/queueing/filters.ts'
import { type NetworkQdiscs, qdiscActions } from './netlink/queueing/qdiscs.ts'
import { forwardingEntryActions, type NetworkForwardingEntries } from './netlink/routing/forwarding-entries.ts'
import { type NetworkNeighbours, neighbourActions } from './netlink/routing/neighbours.ts'
import { type NetworkNextHops, nextHopActions } from './netlink/routing/next-hops.ts'
import { type NetworkRoutes, routeActions } from './netlink/routing/routes.ts'
import { type NetworkRules, ruleActions } from './netlink/routing/rules.ts'
import { type NetworkSysctls, sysctlActions } from './netlink/sysctls.ts'
import { type NetworkVlans, vlanActions } from './netlink/vlans.ts'
import { type NetworkWireGuard, wireguardActions } from './netlink/wireguard.ts'

/** The methods of a part of a {@link Network}. They take the same arguments, and return what the promise resolves with. */
export type SyncMethods<Part> = {
  readonly [M in keyof Part as Part[M] extends (...args: never[]) => Promise<unknown> ? M : never]: Part[M] extends (
    ...args: infer A
  ) => Promise<infer R>
    ? (...args: A) => R
    : never
}

/** The methods of {@link NetworkLinks}, blocking. */
export interface SyncLinks extends Omit<SyncMethods<NetworkLinks>, 'add' | 'ensure'> {
  /** {@link NetworkLinks.add}, blocking. */
  add<K extends LinkKind>(spec: LinkSpecOf<K>): LinkOf<K>
  /** {@link NetworkLinks.ensure}, blocking. */
  ensure<K extends LinkKind>(spec: LinkSpecOf<K>): LinkOf<K>
  /** {@link NetworkLinks.list}, blocking. */
  list: SyncMethods<NetworkLinks>['list']
  /** {@link NetworkLinks.get}, blocking. */
  get: SyncMethods<NetworkLinks>['get']
  /** {@link NetworkLinks.set}, blocking. */
  set: SyncMethods<NetworkLinks>['set']
  /** {@link NetworkLinks.move}, blocking. */
  move: SyncMethods<NetworkLinks>['move']
  /** {@link NetworkLinks.delete}, blocking. */
  delete: SyncMethods<NetworkLinks>['delete']
}

/**
 * The methods of a {@link Network} as blocking calls, from {@link Network.sync}. They take the same arguments, return what the
 * promises resolve with, and throw what they reject with. They use a netlink socket of their own.
 *
 * A call blocks the thread until the kernel has answered, for at most 10 seconds for each request. In a set with a `user`
 * namespace, the first call, `sysctls` and links of kind `tun` also wait for the helper, which creates the socket or opens the
 * file inside; a program inside that stops the helper delays the call until its time limit.
 *
 * @example
 * const { sync } = set.network
 * sync.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
 * console.log(sync.addresses.list('br0')[0]?.cidr) // 10.0.0.1/24
 *
 * @see rtnetlink(7)
 */
export class NetworkSync {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  /** Links (network interfaces), as with `ip link`. */
  readonly links: SyncLinks
  /** IP addresses of links, as with `ip address`. */
  readonly addresses: SyncMethods<NetworkAddresses>
  /** Routes, as with `ip route`. */
  readonly routes: SyncMethods<NetworkRoutes>
  /** Next hop objects and groups, as with `ip nexthop`. */
  readonly nextHops: SyncMethods<NetworkNextHops>
  /** Rules of policy routing, as with `ip rule`. */
  readonly rules: SyncMethods<NetworkRules>
  /** Neighbours (ARP, NDP) and proxies, as with `ip neighbour`. */
  readonly neighbours: SyncMethods<NetworkNeighbours>
  /** Forwarding entries of bridges and VXLANs, as with `bridge fdb`. */
  readonly forwardingEntries: SyncMethods<NetworkForwardingEntries>
  /** Queueing disciplines (latency, loss, rates), as with `tc qdisc`. */
  readonly qdiscs: SyncMethods<NetworkQdiscs>
  /** Classes of queueing disciplines, as with `tc class`. */
  readonly classes: SyncMethods<NetworkClasses>
  /** Filters and their actions, as with `tc filter`. */
  readonly filters: SyncMethods<NetworkFilters>
  /** What listens and is connected inside, as with `ss`. */
  readonly sockets: SyncMethods<NetworkSockets>
  /** Tables of the packet filter, as with `nft`. */
  readonly firewall: SyncMethods<NetworkFirewall>
  /** The connections that the packet filter tracks, as with `conntrack`. */
  readonly conntrack: SyncMethods<NetworkConntrack>
  /** The `net.*` sysctls, as with `sysctl`. */
  readonly sysctls: SyncMethods<NetworkSysctls>
  /** VLANs of bridges and of their ports, as with `bridge vlan`. */
  readonly vlans: SyncMethods<NetworkVlans>
  /** Checksums, segmentation and more that links do themselves, as with `ethtool -K`. */
  readonly offload: SyncMethods<NetworkOffload>
  /** Keys and peers of WireGuard links, as with `wg`. */
  readonly wireguard: SyncMethods<NetworkWireGuard>

  readonly #applyTarget: ApplyTarget

  static {
    hideUncloneable(NetworkSync)
  }

  /** @hidden Created by {@link Network.sync}. */
  constructor(set: SetHandle, network: NativeNetwork) {
    this.#applyTarget = { set, network, way: BLOCKING }
    const run: RunSync = (action) => blocking(applyOne(this.#applyTarget, action))
    this.links = new Links(run) as unknown as SyncLinks
    this.addresses = new Addresses(run) as unknown as SyncMethods<NetworkAddresses>
    this.routes = new Routes(run) as unknown as SyncMethods<NetworkRoutes>
    this.nextHops = new NextHops(run) as unknown as SyncMethods<NetworkNextHops>
    this.rules = new Rules(run) as unknown as SyncMethods<NetworkRules>
    this.neighbours = new Neighbours(run) as unknown as SyncMethods<NetworkNeighbours>
    this.forwardingEntries = new ForwardingEntries(run) as unknown as SyncMethods<NetworkForwardingEntries>
    this.qdiscs = new Qdiscs(run) as unknown as SyncMethods<NetworkQdiscs>
    this.classes = new Classes(run) as unknown as SyncMethods<NetworkClasses>
    this.filters = new Filters(run) as unknown as SyncMethods<NetworkFilters>
    this.sockets = new Sockets(run) as unknown as SyncMethods<NetworkSockets>
    this.firewall = new Firewall(run) as unknown as SyncMethods<NetworkFirewall>
    this.conntrack = new Conntrack(run) as unknown as SyncMethods<NetworkConntrack>
    this.sysctls = new Sysctls(run) as unknown as SyncMethods<NetworkSysctls>
    this.vlans = new Vlans(run) as unknown as SyncMethods<NetworkVlans>
    this.offload = new Offloads(run) as unknown as SyncMethods<NetworkOffload>
    this.wireguard = new WireGuard(run) as unknown as SyncMethods<NetworkWireGuard>
  }

  /**
   * Runs actions in order, as {@link Network.apply} does, and blocks until they have run. Functions in them must not return a
   * promise. Programs that `action.spawn` and `action.script` start run on, as usual.
   *
   * @throws {@link ActionError} as {@link Network.apply}; with `ERR_NSSET_ASYNC_CALLBACK` if a function returns a promise.
   * @throws `ERR_NSSET_CLOSED` if the set is closed; `ERR_INVALID_ARG_VALUE` for a `signal`, which could not abort the call.
   * @example
   * const [bridge, links] = set.network.sync.apply([
   *   action.links.add({ kind: 'bridge', name: 'br0' }),
   *   action.links.list(),
   * ])
   */
  apply<const A extends readonly Action<unknown>[]>(actions: A, options?: ApplySyncOptions): Results<A> {
    parseApplySyncOptions(options)
    return blocking(apply(this.#applyTarget, parseActions(actions))) as Results<A>
  }
}

/** Runs one action. */
type RunSync = (action: Action<unknown>) => unknown

type Actions = Readonly<Record<string, (...args: never[]) => Action<unknown>>>

/** Returns a class with a method for each action, which creates the action and runs it. */
function partOf(className: string, actions: Actions): new (run: RunSync) => object {
  class Part {
    readonly uncloneable = INSTEAD_OF_NETWORK
    readonly #run: RunSync

    static {
      Object.defineProperty(Part, 'name', { value: className })
      hideUncloneable(Part)
      for (const [name, create] of Object.entries(actions)) {
        const { [name]: method } = {
          [name](this: Part, ...args: never[]) {
            return this.#run(create(...args))
          },
        }
        Object.defineProperty(Part.prototype, name, { value: method, writable: true, configurable: true })
      }
    }

    constructor(run: RunSync) {
      this.#run = run
    }
  }
  return Part
}

const Links = partOf('SyncLinks', linkActions)
const Addresses = partOf('SyncAddresses', addressActions)
const Routes = partOf('SyncRoutes', routeActions)
const NextHops = partOf('SyncNextHops', nextHopActions)
const Rules = partOf('SyncRules', ruleActions)
const Neighbours = partOf('SyncNeighbours', neighbourActions)
const ForwardingEntries = partOf('SyncForwardingEntries', forwardingEntryActions)
const Qdiscs = partOf('SyncQdiscs', qdiscActions)
const Classes = partOf('SyncClasses', classActions)
const Filters = partOf('SyncFilters', filterActions)
const Sockets = partOf('SyncSockets', socketActions)
const Firewall = partOf('SyncFirewall', firewallActions)
const Conntrack = partOf('SyncConntrack', conntrackActions)
const Sysctls = partOf('SyncSysctls', sysctlActions)
const Vlans = partOf('SyncVlans', vlanActions)
const Offloads = partOf('SyncOffload', offloadActions)
const WireGuard = partOf('SyncWireGuard', wireguardActions)
