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
  const socket = bearInside(new net.Socket(given as SocketConstructorOpts), maker.native)
  if (given.timeout) socket.setTimeout(given.timeout)
  return socket.connect({ lookup: maker.lookup, ...options } as TcpNetConnectOpts, listener)
}
