import type { Socket as DatagramSocket, RemoteInfo, SocketOptions, SocketType } from 'node:dgram'
import type { Agent, AgentOptions } from 'node:http'
import type { Agent as HttpsAgent, AgentOptions as HttpsAgentOptions } from 'node:https'
import type { LookupFunction, NetConnectOpts, Server, Socket } from 'node:net'
import type { NativeNetwork } from '../../index.js'
import type { SetHandle } from '../objects/set-handle.ts'
import { hideUncloneable, INSTEAD_OF_NETWORK } from '../objects/uncloneable.ts'
import { type ApplyOptions, parseApplyOptions } from '../validate/network/options.ts'
import type { ConnectorOptions } from '../validate/sockets/connector-options.ts'
import type { NetworkListenOptions } from '../validate/sockets/listen-options.ts'
import type { Action, Results, Run } from './actions/action.ts'
import { apply } from './actions/apply.ts'
import { ensureOpen, type Place } from './actions/place.ts'
import { parseActions } from './actions/steps.ts'
import { NetworkAddresses } from './netlink/addresses.ts'
import { NetworkLinks } from './netlink/links.ts'
import { NetworkQdiscs } from './netlink/qdiscs.ts'
import { NetworkRoutes } from './netlink/routes.ts'
import { NetworkSysctls } from './netlink/sysctls.ts'
import { NetworkWireGuard } from './netlink/wireguard.ts'
import { createSocket } from './sockets/datagrams/datagram.ts'
import { Resolver } from './sockets/names/resolver.ts'
import { ResolverFiles } from './sockets/names/resolver-files.ts'
import { ensureNodesOwn } from './sockets/nodes-own.ts'
import type { SocketMaker } from './sockets/socket-maker.ts'
import { httpAgent, httpsAgent } from './sockets/streams/agents.ts'
import { connect } from './sockets/streams/connect.ts'
import { type Connector, connector } from './sockets/streams/connector.ts'
import { FetchInside } from './sockets/streams/fetch.ts'
import { listen } from './sockets/streams/listen.ts'

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
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
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

  /**
   * `fetch`, inside: with the undici that is installed beside this package, or with Node's own. Connections are kept for later requests until the
   * set is closed.
   *
   * @throws `ERR_NSSET_UNSUPPORTED_PLATFORM` in a runtime that has neither.
   * @example
   * const response = await set.network.fetch('http://10.0.0.1/')
   */
  readonly fetch: typeof globalThis.fetch

  /**
   * Resolves names by queries that are sent inside, as `dns.lookup`: usable as the `lookup` option of whatever has one.
   * The files are those of the set's mount namespace where it has one, else /etc/netns/NAME/resolv.conf and hosts for a
   * network opened by its name, else the caller's. Addresses come in the order of getaddrinfo(3) inside, unless `order` or
   * `verbatim` say otherwise.
   *
   * @throws by its callback: `ENOTFOUND`, and `EAI_AGAIN` where no server answers in time or none can say, with more in its `cause`.
   * @example
   * set.network.lookup('example.org', { all: true }, (error, addresses) => console.log(error, addresses))
   * @see getaddrinfo(3), resolv.conf(5), and `getent ahosts` for what it finds
   */
  readonly lookup: LookupFunction

  readonly #place: Place
  readonly #sockets: SocketMaker
  readonly #fetch: FetchInside
  readonly #resolver: Resolver

  static {
    hideUncloneable(Network)
  }

  /** @hidden Made by {@link NamespaceSet.network}. */
  constructor(set: SetHandle, native: NativeNetwork) {
    this.#place = { set, network: native }
    const run: Run = async (action) => (await this.apply([action]))[0]
    const maker = { native, ensureOpen: () => ensureOpen(set) }
    this.#resolver = new Resolver(maker, new ResolverFiles(set))
    this.lookup = this.#resolver.lookup
    this.#sockets = { ...maker, lookup: this.lookup }
    this.#fetch = new FetchInside(this.#sockets)
    this.fetch = this.#fetch.fetch
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
    const { signal } = parseApplyOptions(options)
    return (await apply(this.#place, parseActions(actions), signal)) as Results<A>
  }

  /**
   * Connects to a server inside. Everything is as with `net.connect`: options, events, errors. A `path` belongs to the file
   * system, which is the caller's; an abstract one (`\0name`) to the network.
   *
   * @throws what `net.connect` throws, and `ERR_NSSET_CLOSED`; what the kernel refuses comes by `'error'`.
   * @example
   * const socket = set.network.connect({ host: '10.0.0.1', port: 80 }, () => socket.write('GET / HTTP/1.0\r\n\r\n'))
   * @see tcp(7), unix(7)
   */
  connect(options: NetConnectOpts, listener?: () => void): Socket {
    ensureNodesOwn('connect')
    return connect(this.#sockets, options, listener)
  }

  /**
   * Has a server of `net`, `http`, `https`, `http2` or `tls` listen inside, and gives it. Options are those of `server.listen`;
   * a `host` is looked up, and bound, inside.
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
   * A socket of `dgram` that is inside, wherever it binds by itself, too: on `send`, on `connect`, and to join groups.
   *
   * @throws what `dgram.createSocket` throws, and `ERR_NSSET_CLOSED`.
   * @example
   * set.network.createSocket('udp4').send('hello', 9, '10.0.0.1')
   * @see udp(7)
   */
  createSocket(
    typeOrOptions: SocketType | SocketOptions,
    listener?: (message: Buffer, from: RemoteInfo) => void,
  ): DatagramSocket {
    return createSocket(this.#sockets, typeOrOptions, listener)
  }

  /**
   * An `http.Agent` whose connections are inside, with all its options.
   *
   * @example
   * http.get('http://10.0.0.1/', { agent: set.network.httpAgent({ keepAlive: true }) }, (response) => response.resume())
   */
  httpAgent(options?: AgentOptions): Agent {
    ensureNodesOwn('httpAgent')
    return httpAgent(this.#sockets, options)
  }

  /**
   * An `https.Agent` whose connections are inside, with all its options.
   *
   * @example
   * https.get('https://example.org/', { agent: set.network.httpsAgent() }, (response) => response.resume())
   */
  httpsAgent(options?: HttpsAgentOptions): HttpsAgent {
    ensureNodesOwn('httpsAgent')
    return httpsAgent(this.#sockets, options)
  }

  /**
   * What undici takes as the `connect` of its `Agent`, `Pool` and `Client`.
   *
   * @example
   * const dispatcher = new Agent({ connect: set.network.connector() })
   * await request('http://10.0.0.1/', { dispatcher })
   */
  connector(options?: ConnectorOptions): Connector {
    ensureNodesOwn('connector')
    return connector(this.#sockets, options)
  }

  /**
   * Has names be resolved by these servers from now on, and not by those of resolv.conf; by those again when there are none.
   *
   * @throws `ERR_INVALID_ARG_VALUE`
   * @example
   * set.network.setServers(['10.0.0.53', '[fd00::53]:5353'])
   * @see dns.setServers
   */
  setServers(servers: readonly string[]): void {
    this.#resolver.setServers(servers)
  }

  /** @internal Its set is closed. */
  close(): void {
    this.#place.network.close()
    this.#fetch.close()
  }
}
