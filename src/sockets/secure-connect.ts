import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { bearInside } from './born-inside.ts'
import { connect } from './connect.ts'
import { isOfFileSystem, type SocketMaker } from './socket-maker.ts'

/** @internal As `tls.connect`, inside; `begin` is that, or what calls it. */
export function connectSecurely(
  maker: SocketMaker,
  options: ConnectionOptions,
  begin: (options: ConnectionOptions) => TLSSocket,
): TLSSocket {
  maker.ensureOpen()
  const given = { ...options, lookup: options.lookup ?? maker.lookup }
  // Within another connection it is where that is.
  if (given.socket || isOfFileSystem(given.path)) return begin(given)
  // A pipe connects at once, before it could be told to do so inside.
  if (given.path) return begin({ ...given, socket: connect(maker, { path: given.path }) })
  // Others connect in the next round only.
  return bearInside(begin(given), maker.native)
}
