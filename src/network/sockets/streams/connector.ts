import type { Socket, TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type ConnectorOptions, parseConnectorOptions } from '../../../validate/sockets/connector-options.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { connectBy } from './connect.ts'
import { connectSecurely } from './secure-connect.ts'
import { sessionKey, TlsSessions } from './tls-sessions.ts'

/** The target that undici passes to a connector. */
export interface ConnectorTarget {
  /** The name or address of the server. */
  hostname: string
  /** The name or address of the server with its port, as in a URL. */
  host?: string | undefined
  /** `'http:'`, or `'https:'` for TLS. */
  protocol: string
  /** The port as a string. An empty string means the protocol's default port. */
  port: string
  /** The server name for TLS (SNI and the check of the certificate). Default: `hostname`. */
  servername?: string | null | undefined
  /** The local address inside to connect from. */
  localAddress?: string | null | undefined
  /** An existing connection over which to use TLS, such as that to a proxy. */
  httpSocket?: Socket | undefined
}

/** The function that undici takes as its option `connect`. */
export type Connector = (
  target: ConnectorTarget,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void

/** What all connections of a connector share. */
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
      // tls.connect ignores these options, so they are set here.
      socket.setNoDelay(true).setKeepAlive(settings.keepAlive, settings.keepAliveInitialDelay)
      reportOnce(socket, isSecure ? 'secureConnect' : 'connect', settings.timeout, target, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
}

function connectPlainly(maker: SocketMaker, target: ConnectorTarget, { options }: Common): Socket {
  return connectBy(maker, { ...options, ...endpointOf(target, 80) })
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
    ...(httpSocket === undefined ? endpointOf(target, 443) : { socket: httpSocket }),
  }
  const socket = connectSecurely(maker, every, (given) => process.getBuiltinModule('node:tls').connect(given))
  sessions.keepFrom(socket, key)
  return socket
}

function endpointOf({ hostname, port, localAddress }: ConnectorTarget, usual: number): TcpNetConnectOpts {
  return { host: bare(hostname), port: Number(port) || usual, ...(localAddress ? { localAddress } : {}) }
}

/** Removes the brackets that an IPv6 address has in a URL. */
function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

function reportOnce(
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
