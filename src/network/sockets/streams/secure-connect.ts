import type { LookupFunction } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { misuse } from '../../../errors.ts'
import { bearInside } from '../handles/born-inside.ts'
import { hold, resolveInside } from '../names/lookup.ts'
import { isOfFileSystem, type SocketMaker } from '../socket-maker.ts'
import { connectBy } from './connect.ts'

/** @internal As `tls.connect`, inside; `begin` is that, or what calls it. */
export function connectSecurely(
  maker: SocketMaker,
  options: ConnectionOptions,
  begin: (options: ConnectionOptions) => TLSSocket,
): TLSSocket {
  maker.ensureOpen()
  // Within another connection it is where that is.
  const isWithin = Boolean(options.socket) || isOfFileSystem(options.path)
  // A pipe connects at once, before it could be bound to the network.
  if (!isWithin && options.path) return begin({ ...options, socket: connectBy(maker, { path: options.path }) })
  const lookup = (options.lookup as LookupFunction | undefined) ?? maker.lookup
  // Node connects to an address in the next round, and to a name as soon as its lookup has answered: perhaps at once.
  const held = hold(lookup)
  const socket = begin({ ...options, lookup: held.lookup })
  if (!isWithin) ensureNotBegun(socket)
  resolveInside(bearInside(socket, maker.native), maker.lookup)
  process.nextTick(held.release)
  return socket
}

/** As long as there is no descriptor, nothing has begun. */
function ensureNotBegun(socket: TLSSocket): void {
  const { fd = -1 } = (Reflect.get(socket, '_handle') ?? {}) as { fd?: number }
  if (!(fd >= 0)) return
  socket.destroy()
  throw misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', 'this version of Node.js connects before a socket can be put inside')
}
