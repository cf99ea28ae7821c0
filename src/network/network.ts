import type { Socket as DatagramSocket, RemoteInfo, SocketOptions, SocketType } from 'node:dgram'
import type { Agent, AgentOptions } from 'node:http'
import type { Agent as HttpsAgent, AgentOptions as HttpsAgentOptions } from 'node:https'
import type { LookupFunction, NetConnectOpts, Server, Socket } from 'node:net'
import type { NativeNetwork } from '../../index.js'
import type { SetHandle } from '../objects/set-handle.ts'
import { INSTEAD_OF_NETWORK } from '../objects/uncloneable.ts'
import type { CaptureOptions } from '../validate/monitoring/capture-options.ts'
import {
  parseUntilOptions,
  parseWatchedParts,
  parseWatchOptions,
  type UntilOptions,
  type WatchedPart,
  type WatchOptions,
} from '../validate/monitoring/watch-options.ts'
import type { LinkRef } from '../validate/network/link-ref.ts'
import { type ApplyOptions, parseApplyOptions } from '../validate/network/options.ts'
import type { ConnectorOptions } from '../validate/sockets/connector-options.ts'
import type { ForwardOptions, StartForwardingOptions } from '../validate/sockets/forwarding-options.ts'
import type { NetworkListenOptions } from '../validate/sockets/listen-options.ts'
import type { UplinkOptions } from '../validate/sockets/uplink-options.ts'
import { parseFunction } from '../validate/values.ts'
import type { Action, Results, Run } from './actions/action.ts'
import { apply, applyOne } from './actions/apply.ts'
import { type ApplyTarget, ensureOpen } from './actions/apply-target.ts'
import { awaiting } from './actions/procedure.ts'
import { parseActions } from './actions/steps.ts'
import { WITH_PROMISES } from './actions/way.ts'
import { openCapture } from './capturing/open-capture.ts'
import type { PacketCapture } from './capturing/packet-capture.ts'
import { NetworkAddresses } from './netlink/addresses.ts'
import { NetworkConntrack } from './netlink/conntrack.ts'
import { NetworkFirewall } from './netlink/firewall.ts'
import { NetworkLinks } from './netlink/links.ts'
import { NetworkIds } from './netlink/network-ids.ts'
import { NetworkSockets } from './netlink/network-sockets.ts'
import { NetworkOffload } from './netlink/offload.ts'
import { NetworkClasses } from './netlink/queueing/classes.ts'
import { NetworkFilters } from './netlink/queueing/filters.ts'
import { NetworkQdiscs } from './netlink/queueing/qdiscs.ts'
import { NetworkForwardingEntries } from './netlink/routing/forwarding-entries.ts'
import { NetworkNeighbours } from './netlink/routing/neighbours.ts'
import { NetworkNextHops } from './netlink/routing/next-hops.ts'
import { NetworkRoutes } from './netlink/routing/routes.ts'
import { NetworkRules } from './netlink/routing/rules.ts'
import { NetworkSysctls } from './netlink/sysctls.ts'
import { NetworkVlans } from './netlink/vlans.ts'
import { NetworkWireGuard } from './netlink/wireguard.ts'
import { NetworkSync } from './network-sync.ts'
import { createSocket } from './sockets/datagrams/datagram.ts'
import { Resolver } from './sockets/names/resolver.ts'
import { ResolverFiles } from './sockets/names/resolver-files.ts'
import { ensureNodeSockets } from './sockets/nodes-own.ts'
import type { SocketMaker } from './sockets/socket-maker.ts'
import { httpAgent, httpsAgent } from './sockets/streams/agents.ts'
import { connect } from './sockets/streams/connect.ts'
import { type Connector, connector } from './sockets/streams/connector.ts'
import { FetchInside } from './sockets/streams/fetch.ts'
import { listen } from './sockets/streams/listen.ts'
import { NetworkWatcher } from './watching/network-watcher.ts'
import { until } from './watching/until.ts'
import type { Forwarding } from './ways/forwarding.ts'
import { start } from './ways/start.ts'
import { startUplink } from './ways/start-uplink.ts'
import type { Uplink } from './ways/uplink.ts'

/**
 * The network of a set, from {@link NamespaceSet.network}. It uses a netlink socket that was created inside, so no thread and no
 * program has to enter the network for its methods. In a set of `user` and `net`, an ordinary user can do what root can. It is
 * closed with its set.
 *
 * @example
 * using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
 * await set.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'b' } })
 *
 * @see rtnetlink(7)
 */
export class Network {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  /** Links (network interfaces), as with `ip link`. */
  readonly links: NetworkLinks
  /** IP addresses of links, as with `ip address`. */
  readonly addresses: NetworkAddresses
  /** Routes, as with `ip route`. */
  readonly routes: NetworkRoutes
  /** Next hop objects and groups, as with `ip nexthop`. */
  readonly nextHops: NetworkNextHops
  /** Rules of policy routing, as with `ip rule`. */
  readonly rules: NetworkRules
  /** Neighbours (ARP, NDP) and proxies, as with `ip neighbour`. */
  readonly neighbours: NetworkNeighbours
  /** Forwarding entries of bridges and VXLANs, as with `bridge fdb`. */
  readonly forwardingEntries: NetworkForwardingEntries
  /** Queueing disciplines (latency, loss, rates), as with `tc qdisc`. */
  readonly qdiscs: NetworkQdiscs
  /** Classes of queueing disciplines, as with `tc class`. */
  readonly classes: NetworkClasses
  /** Filters and their actions, as with `tc filter`. */
  readonly filters: NetworkFilters
  /** What listens and is connected inside, as with `ss`. */
  readonly sockets: NetworkSockets
  /** Tables of the packet filter, as with `nft`. */
  readonly firewall: NetworkFirewall
  /** The connections that the packet filter tracks, as with `conntrack`. */
  readonly conntrack: NetworkConntrack
  /** The `net.*` sysctls, as with `sysctl`. */
  readonly sysctls: NetworkSysctls
  /** The ids of other networks, as with `ip netns set` and `ip netns list-id`. */
  readonly ids: NetworkIds
  /** VLANs of bridges and of their ports, as with `bridge vlan`. */
  readonly vlans: NetworkVlans
  /** Checksums, segmentation and more that links do themselves, as with `ethtool -K`. */
  readonly offload: NetworkOffload
  /** Keys and peers of WireGuard links, as with `wg`. */
  readonly wireguard: NetworkWireGuard

  /**
   * `fetch` whose connections are created inside. It uses the undici package that your application has installed, or the one
   * inside Node.js, which it always uses in another mount namespace. Connections are reused, and closed with the set.
   *
   * @throws `ERR_NSSET_UNSUPPORTED_PLATFORM` in a runtime that has neither.
   * @example
   * const response = await set.network.fetch('http://10.0.0.1/')
   * console.log(await response.text())
   */
  readonly fetch: typeof globalThis.fetch

  /**
   * Resolves host names with queries that are sent inside. It has the signature of `dns.lookup`, so you can pass it to any API
   * with a `lookup` option. The order of the addresses is that of getaddrinfo(3) inside, if `order` and `verbatim` are not given.
   *
   * It reads the resolv.conf(5) and hosts(5) of the set's mount namespace, if the set has one; of /etc/netns/NAME, if the network
   * was opened by its name; or else of the caller.
   *
   * @throws by its callback: `ENOTFOUND`; `EAI_AGAIN` if no server answers in time or no server can answer. The `cause` of the
   * error has the details.
   * @example
   * set.network.lookup('example.org', { all: true }, (error, addresses) => console.log(error, addresses))
   * @see getaddrinfo(3), resolv.conf(5), and `getent ahosts NAME` for the same result
   */
  readonly lookup: LookupFunction

  readonly #applyTarget: ApplyTarget
  #sync: NetworkSync | undefined
  readonly #sockets: SocketMaker
  readonly #fetch: FetchInside
  readonly #resolver: Resolver
  readonly #uplinks = new Set<Uplink>()

  /** @hidden Created by {@link NamespaceSet.network}. */
  constructor(set: SetHandle, native: NativeNetwork) {
    this.#applyTarget = { set, network: native, way: WITH_PROMISES }
    const run = ((action) => awaiting(applyOne(this.#applyTarget, action))) as Run
    const maker = { native, ensureOpen: () => ensureOpen(set) }
    this.#resolver = new Resolver(maker, new ResolverFiles(set))
    this.lookup = this.#resolver.lookup
    this.#sockets = { ...maker, lookup: this.lookup }
    this.#fetch = new FetchInside(this.#sockets)
    this.fetch = this.#fetch.fetch
    this.links = new NetworkLinks(run)
    this.addresses = new NetworkAddresses(run)
    this.routes = new NetworkRoutes(run)
    this.nextHops = new NetworkNextHops(run)
    this.rules = new NetworkRules(run)
    this.neighbours = new NetworkNeighbours(run)
    this.forwardingEntries = new NetworkForwardingEntries(run)
    this.qdiscs = new NetworkQdiscs(run)
    this.classes = new NetworkClasses(run)
    this.filters = new NetworkFilters(run)
    this.sockets = new NetworkSockets(run)
    this.firewall = new NetworkFirewall(run)
    this.conntrack = new NetworkConntrack(run)
    this.sysctls = new NetworkSysctls(run)
    this.ids = new NetworkIds(run)
    this.vlans = new NetworkVlans(run)
    this.offload = new NetworkOffload(run)
    this.wireguard = new NetworkWireGuard(run)
  }

  /**
   * Runs actions in order, and stops at the first that fails. Resolves with their results, in order. Actions that need no
   * JavaScript are sent to the native side together.
   *
   * @throws {@link ActionError} with the position of the action that failed and the results of those before it, which are not
   * undone.
   * @throws `ERR_NSSET_CLOSED` if the set is closed; the signal's reason if it is aborted before the first action.
   * @example
   * const [left, links] = await set.network.apply([
   *   action.links.add({ kind: 'veth', name: 'left', peer: { name: 'right' } }),
   *   action.links.list(),
   * ])
   */
  async apply<const A extends readonly Action<unknown>[]>(actions: A, options?: ApplyOptions): Promise<Results<A>> {
    const { signal } = parseApplyOptions(options)
    return (await awaiting(apply(this.#applyTarget, parseActions(actions), signal))) as Results<A>
  }

  /**
   * The same methods as blocking calls, for short programs, command lines and set-up code. A call of the kernel takes
   * microseconds, and the event loop stops meanwhile.
   *
   * @example
   * set.network.sync.links.set('lo', { up: true })
   */
  get sync(): NetworkSync {
    const { set, network } = this.#applyTarget
    this.#sync ??= new NetworkSync(set, network)
    return this.#sync
  }

  /**
   * Watches parts of the network, like `ip monitor`: `'links'`, `'addresses'`, `'routes'`, `'neighbours'`, `'rules'`, `'nextHops'`;
   * like `bridge monitor`: `'forwardingEntries'`, `'vlans'`; like `tc monitor`: `'qdiscs'`, `'classes'`, `'filters'`; like
   * `conntrack -E`: `'conntrack'`; and, like `nft monitor`, `'firewall'`. Each event has the object, as `list` returns it. The kernel
   * reports all changes after this call, whichever program makes them.
   *
   * A change that a list does not show is no event, such as that of a counter. No event is lost silently: if the kernel has
   * dropped some, or more than 8192 wait to be read, the event `{ type: 'resync' }` is followed by the differences. nsset also
   * reports what the kernel changes without a notification, such as the IPv4 routes of a link that goes down or the default qdisc of
   * one that comes up; it lists the part again for that.
   *
   * All watchers of a network share one socket, which the first call opens on the calling thread, as
   * {@link Network.createSocket} does.
   *
   * @throws `ERR_NSSET_CLOSED`; the signal's reason; `EMFILE`; `ERR_INVALID_ARG_VALUE` for an unknown part.
   * @example
   * for await (const event of set.network.watch(['links', 'addresses'], { existing: true })) console.log(event)
   * @see ip-monitor(8), bridge(8), tc(8), rtnetlink(7)
   */
  watch<P extends WatchedPart>(parts: P | readonly P[], options?: WatchOptions): NetworkWatcher<P> {
    const parsed = parseWatchedParts(parts, 'parts')
    const { existing = false, signal } = parseWatchOptions(options)
    return this.#watch(parsed, existing, signal) as unknown as NetworkWatcher<P>
  }

  #watch(parts: WatchedPart[], existing: boolean, signal: AbortSignal | undefined): NetworkWatcher {
    const { set, network } = this.#applyTarget
    signal?.throwIfAborted()
    ensureOpen(set)
    return new NetworkWatcher(network.watch(parts, existing), signal)
  }

  /**
   * Calls a function now and after each change of the network, until it returns something truthy or a promise of that, and resolves
   * with it. It does not poll.
   *
   * @throws what the function throws; the signal's reason; `ERR_NSSET_CLOSED` if the set is closed meanwhile.
   * @example
   * const signal = AbortSignal.timeout(5_000)
   * await set.network.until(async ({ links }) => (await links.get('eth0')).running, { parts: 'links', signal })
   * @see ip-monitor(8)
   */
  async until<R>(predicate: (network: Network) => R, options?: UntilOptions): Promise<Awaited<R>> {
    const ask = parseFunction(predicate, 'predicate')
    const { parts, signal } = parseUntilOptions(options)
    return until(this.#watch(parts, false, signal), () => ask(this), signal)
  }

  /**
   * Captures the packets of a link, like `tcpdump -i eth0 -w -`, or of all links with `'any'`: a `Readable` of pcapng, with times in
   * nanoseconds. The kernel captures from the time when the call returns; for that the call looks up the link and opens a socket
   * on the calling thread. See {@link CaptureOptions.filter} for which packets.
   *
   * The stream ends with its link, its set, or `stop`; with the signal it is destroyed. If it is not read fast enough, the kernel
   * drops packets, and counts them: {@link PacketCapture.statistics}.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist; `EPERM` without CAP_NET_RAW; `ENOMEM` for a buffer that is too large;
   * `ERR_INVALID_ARG_VALUE` for a filter with an error, whose position is in the message; `ERR_NSSET_CLOSED`; the signal's reason.
   * @example
   * const capture = set.network.capture('eth0', { filter: 'tcp port 443' })
   * await pipeline(capture, createWriteStream('tls.pcapng'))
   * @see packet(7), pcap-filter(7), tcpdump(8)
   */
  capture(ref: LinkRef | 'any', options?: CaptureOptions): PacketCapture {
    return openCapture(this.#applyTarget, ref, options)
  }

  /**
   * Connects to a server from inside. Options, events and errors are those of `net.connect`. A `path` is resolved in the caller's
   * file system; an abstract one (`\0name`) belongs to the network.
   *
   * @throws what `net.connect` throws, and `ERR_NSSET_CLOSED`. Errors of the kernel are reported by the event `'error'`.
   * @example
   * const socket = set.network.connect({ host: '10.0.0.1', port: 80 }, () => socket.write('GET / HTTP/1.0\r\n\r\n'))
   * @see tcp(7), unix(7)
   */
  connect(options: NetConnectOpts, listener?: () => void): Socket {
    ensureNodeSockets('connect')
    return connect(this.#sockets, options, listener)
  }

  /**
   * Makes a server of `net`, `http`, `https`, `http2` or `tls` listen inside, and resolves with it. The options are those of
   * `server.listen`; a `host` is resolved and bound inside.
   *
   * @throws Node's own errors: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ERR_SERVER_ALREADY_LISTEN`, `ENOTFOUND`.
   * @example
   * const server = await set.network.listen(http.createServer(handler), { port: 80 })
   * server.close()
   * @see bind(2), listen(2)
   */
  async listen<S extends Server>(server: S, options?: NetworkListenOptions | number): Promise<S> {
    return listen(this.#sockets, server, options)
  }

  /**
   * Creates a socket of `dgram` inside. It is also inside if it is bound implicitly, by `send`, `connect` or joining a group.
   *
   * @throws what `dgram.createSocket` throws, and `ERR_NSSET_CLOSED`.
   * @example
   * const socket = set.network.createSocket('udp4')
   * socket.send('hello', 9, '10.0.0.1', () => socket.close())
   * @see udp(7)
   */
  createSocket(
    typeOrOptions: SocketType | SocketOptions,
    listener?: (message: Buffer, from: RemoteInfo) => void,
  ): DatagramSocket {
    return createSocket(this.#sockets, typeOrOptions, listener)
  }

  /**
   * Creates an `http.Agent` whose connections are created inside. It accepts all options of `http.Agent`.
   *
   * @throws what `new http.Agent` throws; `ERR_INVALID_ARG_VALUE` for an unknown option.
   * @example
   * const agent = set.network.httpAgent({ keepAlive: true })
   * http.get('http://10.0.0.1/', { agent }, (response) => response.resume())
   */
  httpAgent(options?: AgentOptions): Agent {
    ensureNodeSockets('httpAgent')
    return httpAgent(this.#sockets, options)
  }

  /**
   * Creates an `https.Agent` whose connections are created inside. It accepts all options of `https.Agent`.
   *
   * @throws what `new https.Agent` throws; `ERR_INVALID_ARG_VALUE` for an unknown option.
   * @example
   * const agent = set.network.httpsAgent()
   * https.get('https://example.org/', { agent }, (response) => response.resume())
   */
  httpsAgent(options?: HttpsAgentOptions): HttpsAgent {
    ensureNodeSockets('httpsAgent')
    return httpsAgent(this.#sockets, options)
  }

  /**
   * Creates the option `connect` for undici's `Agent`, `Pool` and `Client`, whose connections are then created inside.
   *
   * @throws `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for invalid options.
   * @example
   * const dispatcher = new Agent({ connect: set.network.connector() })
   * await request('http://10.0.0.1/', { dispatcher })
   */
  connector(options?: ConnectorOptions): Connector {
    ensureNodeSockets('connector')
    return connector(this.#sockets, options)
  }

  /**
   * Publishes a server inside: listens outside, and forwards each connection, or the datagrams of each client, to the server. It
   * listens in the network in which the process was when nsset was loaded. The bytes stay in the kernel: splice(2).
   *
   * If the server refuses a connection, the connection outside is reset. Either end can end its direction alone. Names are resolved
   * at the start: those of the listener outside, those of the target inside. An array forwards several ports: all or none.
   *
   * @throws `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` as `server.listen`; `ENOTFOUND`; `ERR_NSSET_CLOSED`; the signal's reason.
   * @example
   * await using published = await set.network.publish({ port: 8080, to: { port: 80 } })
   * const response = await fetch(`http://127.0.0.1:${published.port}/`)
   * @see splice(2), and `socat TCP-LISTEN:8080,fork EXEC:"ip netns exec NAME socat STDIO TCP\:127.0.0.1\:80"`
   */
  async publish(
    options: ForwardOptions | readonly ForwardOptions[],
    startOptions?: StartForwardingOptions,
  ): Promise<Forwarding> {
    return start(this.#sockets, 'outside', options, startOptions)
  }

  /**
   * The reverse of {@link Network.publish}: listens inside, and forwards to a server outside. Names of the listener are resolved
   * inside, those of the target outside.
   *
   * @throws as {@link Network.publish}.
   * @example
   * await using forwarded = await set.network.forward({ port: 5432, to: { path: '/run/postgresql/.s.PGSQL.5432' } })
   * await set.execFile('psql', ['-h', '127.0.0.1', '-c', 'select 1'])
   * @see splice(2)
   */
  async forward(
    options: ForwardOptions | readonly ForwardOptions[],
    startOptions?: StartForwardingOptions,
  ): Promise<Forwarding> {
    return start(this.#sockets, 'inside', options, startOptions)
  }

  /**
   * Starts a way out for every program inside, as root and as an ordinary user: a link with addresses and default routes, whose other
   * end is a TCP/IP stack in this process. Connections are made by the process, from the network in which it was when nsset was
   * loaded, under rules. TCP, UDP and echo requests of IPv4 and IPv6 go out.
   *
   * Without `allow` and `decide`, all public addresses can be reached. The loopback and the addresses of the machine, link-local and
   * private addresses are closed: `allow` has to name them. A name in `allow` stands for the addresses that the uplink has answered
   * for it, and the server name of TLS or the host of HTTP has to be allowed, too.
   *
   * The gateway also resolves names: the resolv.conf(5) of programs has to name it, see {@link Uplink.resolvConf}.
   *
   * @throws {@link ActionError} of the steps inside: `EEXIST` if a link has the name, `EPERM` without rights to the network;
   * `ERR_NSSET_CLOSED`; the signal's reason.
   * @example
   * await using uplink = await set.network.uplink({ allow: ['registry.npmjs.org:443', '192.168.1.0/24'] })
   * for await (const { name, address, reason } of uplink.refusals()) console.log(name ?? address, reason)
   * @see packet(7), veth(4), and `slirp4netns --configure PID tap0`
   */
  async uplink(options?: UplinkOptions): Promise<Uplink> {
    return startUplink(this.#applyTarget, this.#resolver, this.#uplinks, options)
  }

  /**
   * Sets the name servers for `lookup`, instead of those of resolv.conf(5). An empty array restores those of resolv.conf.
   *
   * @throws `ERR_INVALID_ARG_VALUE` if an entry is not an IP address with an optional port.
   * @example
   * set.network.setServers(['10.0.0.53', '[fd00::53]:5353'])
   * @see dns.setServers
   */
  setServers(servers: readonly string[]): void {
    this.#resolver.setServers(servers)
  }

  /** Returns a description such as `Network(net:[4026532177])`, with the namespaces of its set. */
  toString(): string {
    return String(this.#applyTarget.set).replace(/^NamespaceSet/, 'Network')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** @internal Called when the set is closed. */
  close(): void {
    for (const uplink of this.#uplinks) uplink.end()
    this.#applyTarget.network.close()
    this.#fetch.close()
  }
}
