import type { Socket, TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { parseBoolean, parseInteger, parseOptions } from '../options.ts'
import { connect } from './connect.ts'
import { connectSecurely } from './secure-connect.ts'
import type { SocketMaker } from './socket-maker.ts'
import { sessionKey, TlsSessions } from './tls-sessions.ts'

/** What {@link ConnectorOptions} takes from `net.connect`. */
type TcpOptions =
  | 'autoSelectFamily'
  | 'autoSelectFamilyAttemptTimeout'
  | 'family'
  | 'hints'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
  | 'localAddress'
  | 'localPort'

/**
 * Options of {@link Network.connector}: those of `tls.connect` and `net.connect`, for every connection. As with undici's own
 * connector, `keepAlive` is true by default, with a `keepAliveInitialDelay` of 60,000 milliseconds.
 */
export interface ConnectorOptions extends ConnectionOptions, Partial<Pick<TcpNetConnectOpts, TcpOptions>> {
  /** Whether HTTP/2 is offered, beside HTTP/1.1; the client has to know it, too. */
  allowH2?: boolean | undefined
  /** Milliseconds after which a connection that does not come about is given up; 10,000 by default, and 0 for no limit. */
  timeout?: number | undefined
  /**
   * How many TLS sessions are kept to be resumed, one for each server; 100 by default, and 0 for none. They are resumed by the
   * connections of this connector only: in its network, with its options.
   */
  maxCachedSessions?: number | undefined
}

/** What undici asks for. */
export interface ConnectorTarget {
  /** The name or address to connect to. */
  hostname: string
  /** The same, with the port, as of a URL. */
  host?: string | undefined
  /** `'http:'`, or `'https:'` for TLS. */
  protocol: string
  /** As text; empty for the protocol's own. */
  port: string
  /** The name that TLS asks for and checks; the `hostname` unless told. */
  servername?: string | null | undefined
  /** The address inside to connect from. */
  localAddress?: string | null | undefined
  /** A connection that TLS is to be spoken over: a proxy's. */
  httpSocket?: Socket | undefined
}

/** What undici takes as its `connect`. */
export type Connector = (
  target: ConnectorTarget,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void

const PATIENCE = 10_000
/** As in Node's and undici's agents. */
const CACHED_SESSIONS = 100
const KEEP_ALIVE_DELAY = 60_000
const LONGEST = 0x7fffffff

/** What all connections of a connector have in common. */
interface Common {
  options: ConnectionOptions
  sessions: TlsSessions
}

/** @internal */
export function connector(maker: SocketMaker, options?: ConnectorOptions): Connector {
  const {
    allowH2,
    timeout = PATIENCE,
    maxCachedSessions = CACHED_SESSIONS,
    keepAlive,
    ...every
  } = parseOptions<ConnectorOptions>(options)
  const limit = parseInteger(timeout, 'options.timeout', 0, LONGEST)
  const isKeptAlive = parseBoolean(keepAlive, 'options.keepAlive', true)
  const protocols = parseBoolean(allowH2, 'options.allowH2') ? ['h2', 'http/1.1'] : ['http/1.1']
  const delay = every.keepAliveInitialDelay ?? KEEP_ALIVE_DELAY
  const common: Common = {
    options: { ALPNProtocols: protocols, ...every },
    sessions: new TlsSessions(parseInteger(maxCachedSessions, 'options.maxCachedSessions', 0, LONGEST)),
  }
  return (target, callback) => {
    try {
      const isSecure = target.protocol === 'https:'
      const socket = isSecure ? connectByTls(maker, target, common) : connectPlainly(maker, target, common)
      // A socket of TLS takes neither from its options.
      socket.setNoDelay(true).setKeepAlive(isKeptAlive, delay)
      tellOnce(socket, isSecure ? 'secureConnect' : 'connect', limit, target, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
}

function connectPlainly(maker: SocketMaker, target: ConnectorTarget, { options }: Common): Socket {
  return connect(maker, { ...options, ...placeOf(target, 80) })
}

function connectByTls(maker: SocketMaker, target: ConnectorTarget, { options, sessions }: Common): TLSSocket {
  const { hostname, port, httpSocket } = target
  const isName = process.getBuiltinModule('node:net').isIP(bare(hostname)) === 0
  const servername = target.servername || options.servername || (isName ? hostname : undefined)
  const key = sessionKey(servername, hostname, port)
  const session = options.session ?? sessions.get(key)
  const every: ConnectionOptions = {
    ...options,
    ...(servername === undefined ? {} : { servername }),
    ...(session === undefined ? {} : { session }),
    ...(httpSocket === undefined ? placeOf(target, 443) : { socket: httpSocket }),
  }
  const socket = connectSecurely(maker, every, (given) => process.getBuiltinModule('node:tls').connect(given))
  sessions.keepFrom(socket, key)
  return socket
}

function placeOf({ hostname, port, localAddress }: ConnectorTarget, usual: number): TcpNetConnectOpts {
  return { host: bare(hostname), port: Number(port) || usual, ...(localAddress ? { localAddress } : {}) }
}

/** An address of IPv6 without the brackets of a URL. */
function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

function tellOnce(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeout: number,
  target: ConnectorTarget,
  callback: Parameters<Connector>[1],
): void {
  const timer = timeout > 0 ? setTimeout(() => socket.destroy(timedOut(target, timeout)), timeout) : undefined
  const forget = () => {
    clearTimeout(timer)
    socket.removeListener(event, onConnect)
    socket.removeListener('error', onError)
    socket.removeListener('close', onClose)
  }
  const onConnect = () => {
    forget()
    callback(null, socket)
  }
  const onError = (error: Error) => {
    forget()
    callback(error, null)
  }
  const onClose = () => onError(new Error('The socket was closed before it was connected'))
  socket.once(event, onConnect)
  socket.once('error', onError)
  socket.once('close', onClose)
}

function timedOut({ hostname, port }: ConnectorTarget, timeout: number): Error {
  const message = `Connect Timeout Error (attempted address: ${hostname}:${port}, timeout: ${timeout}ms)`
  return Object.assign(new Error(message), { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' })
}
