import type { NetConnectOpts, Socket, SocketConstructorOpts, TcpNetConnectOpts } from 'node:net'
import { invalidType } from '../errors.ts'
import { parseOptions } from '../validate/values.ts'
import { bearInside } from './born-inside.ts'
import { resolveInside } from './lookup.ts'
import { refuseForeign } from './nodes-own.ts'
import type { SocketMaker } from './socket-maker.ts'

/** @internal As `net.connect`, inside. */
export function connect(maker: SocketMaker, options: NetConnectOpts, listener?: () => void): Socket {
  if (options === undefined) throw invalidType('options', 'an object', options)
  const given = parseOptions<TcpNetConnectOpts>(options)
  const { Socket } = process.getBuiltinModule('node:net')
  refuseForeign(given, ['fd', 'handle'])
  maker.ensureOpen()
  const socket = resolveInside(bearInside(new Socket(given as SocketConstructorOpts), maker.native), maker.lookup)
  if (given.timeout) socket.setTimeout(given.timeout)
  return socket.connect(given as TcpNetConnectOpts, listener)
}
