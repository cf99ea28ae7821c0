import type { NetConnectOpts, Socket, SocketConstructorOpts, TcpNetConnectOpts } from 'node:net'
import { parseFields } from '../../../validate/fields.ts'
import { CONNECT } from '../../../validate/node-options.ts'
import { createInside } from '../handles/born-inside.ts'
import { resolveInside } from '../names/lookup.ts'
import type { SocketMaker } from '../socket-maker.ts'

/** @internal Same as `net.connect`, inside. */
export function connect(maker: SocketMaker, options: NetConnectOpts, listener?: () => void): Socket {
  return connectBy(maker, parseFields(options, 'options', CONNECT) as TcpNetConnectOpts, listener)
}

/** @internal The same for options that Node has already parsed. */
export function connectBy(maker: SocketMaker, options: NetConnectOpts, listener?: () => void): Socket {
  const { Socket } = process.getBuiltinModule('node:net')
  maker.ensureOpen()
  const given = options as NetConnectOpts & SocketConstructorOpts
  const aborted = given.signal?.aborted ? given.signal : undefined
  const created = new Socket(aborted === undefined ? given : { ...given, signal: undefined })
  const socket = resolveInside(createInside(created, maker.native), maker.lookup)
  // Node connects such a socket all the same, after its 'close'.
  if (aborted !== undefined) return process.getBuiltinModule('node:stream').addAbortSignal(aborted, socket)
  if (options.timeout) socket.setTimeout(options.timeout)
  return socket.connect(options, listener)
}
