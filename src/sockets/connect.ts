import type { NetConnectOpts, Socket, SocketConstructorOpts, TcpNetConnectOpts } from 'node:net'
import { invalidType } from '../errors.ts'
import { parseOptions } from '../options.ts'
import { bearInside } from './born-inside.ts'
import { isOfFileSystem, type SocketMaker } from './socket-maker.ts'

/** @internal As `net.connect`, inside. */
export function connect(maker: SocketMaker, options: NetConnectOpts, listener?: () => void): Socket {
  if (options === undefined) throw invalidType('options', 'an object', options)
  const given = parseOptions<TcpNetConnectOpts & { path?: string }>(options)
  const net = process.getBuiltinModule('node:net')
  maker.ensureOpen()
  if (isOfFileSystem(given.path)) return net.connect(options, listener)
  const socket = resolvingInside(bearInside(new net.Socket(given as SocketConstructorOpts), maker.native), maker)
  if (given.timeout) socket.setTimeout(given.timeout)
  return socket.connect(given as TcpNetConnectOpts, listener)
}

/** Whenever it connects, later too, it looks names up inside, unless it is told how. */
function resolvingInside(socket: Socket, { lookup }: SocketMaker): Socket {
  const connectSocket = socket.connect as (...args: unknown[]) => Socket
  const connectInside = (first: unknown, ...rest: unknown[]) => {
    if (typeof first === 'object' && first !== null && !Array.isArray(first)) {
      const given = first as TcpNetConnectOpts
      return connectSocket.call(socket, { ...given, lookup: given.lookup ?? lookup }, ...rest)
    }
    if (!isPort(first)) return connectSocket.call(socket, first, ...rest)
    const [host, listener] = typeof rest[0] === 'string' ? rest : [undefined, rest[0]]
    return connectSocket.call(socket, { port: first, host, lookup }, listener)
  }
  return Object.defineProperty(socket, 'connect', { value: connectInside, configurable: true, writable: true })
}

/** As Node tells a port from a path. */
function isPort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '' && Number(value) >= 0)
}
