import type { Socket, TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type ConnectorOptions, parseConnectorOptions } from '../../../validate/sockets/connector-options.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { connectBy } from './connect.ts'
import { connectSecurely } from './secure-connect.ts'
import { sessionKey, TlsSessions } from './tls-sessions.ts'

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
  /** The name that TLS asks for and checks; the `hostname` by default. */
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

/** What all connections of a connector have in common. */
interface Common {
  options: ConnectionOptions
  sessions: TlsSessions
}

/** @internal */
export function connector(maker: SocketMaker, options?: ConnectorOptions): Connector {
  const settings = parseConnectorOptions(options)
  const common: Common = { options: settings.every, sessions: new TlsSessions(settings.maxCachedSessions) }
  return (target, callback) => {
    try {
      const isSecure = target.protocol === 'https:'
      const socket = isSecure ? connectByTls(maker, target, common) : connectPlainly(maker, target, common)
      // A socket of TLS takes neither from its options.
      socket.setNoDelay(true).setKeepAlive(settings.keepAlive, settings.keepAliveInitialDelay)
      tellOnce(socket, isSecure ? 'secureConnect' : 'connect', settings.timeout, target, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
}

function connectPlainly(maker: SocketMaker, target: ConnectorTarget, { options }: Common): Socket {
  return connectBy(maker, { ...options, ...placeOf(target, 80) })
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
