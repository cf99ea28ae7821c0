import type { Socket, TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type ConnectorOptions, parseConnectorOptions } from '../validate/sockets/connector-options.ts'
import { connectBy } from './connect.ts'
import { connectSecurely } from './secure-connect.ts'
import type { SocketMaker } from './socket-maker.ts'

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

/** @internal */
export function connector(maker: SocketMaker, options?: ConnectorOptions): Connector {
  const { allowH2 = false, timeout = PATIENCE, every } = parseConnectorOptions(options)
  return (target, callback) => {
    try {
      const isSecure = target.protocol === 'https:'
      const socket = isSecure ? connectByTls(maker, target, every, allowH2) : connectPlainly(maker, target, every)
      tellOnce(socket, isSecure ? 'secureConnect' : 'connect', timeout, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
}

function connectPlainly(maker: SocketMaker, target: ConnectorTarget, every: ConnectionOptions): Socket {
  return connectBy(maker, { ...every, ...placeOf(target, 80) })
}

function connectByTls(maker: SocketMaker, target: ConnectorTarget, every: ConnectionOptions, allowH2: boolean): Socket {
  const { servername, httpSocket } = target
  const isName = process.getBuiltinModule('node:net').isIP(target.hostname) === 0
  const named = servername ?? (isName ? target.hostname : undefined)
  const options: ConnectionOptions = {
    ALPNProtocols: allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    ...every,
    ...(named === undefined ? {} : { servername: named }),
    ...(httpSocket === undefined ? placeOf(target, 443) : { socket: httpSocket }),
  }
  return connectSecurely(maker, options, (given) => process.getBuiltinModule('node:tls').connect(given))
}

function placeOf({ hostname, port, localAddress }: ConnectorTarget, usual: number): TcpNetConnectOpts {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return { host, port: Number(port) || usual, ...(localAddress ? { localAddress } : {}), noDelay: true }
}

function tellOnce(socket: Socket, event: string, timeout: number, callback: Parameters<Connector>[1]): void {
  const timer = timeout > 0 ? setTimeout(() => socket.destroy(timedOut()), timeout) : undefined
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

function timedOut(): Error {
  return Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' })
}
