import type { LookupFunction } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { misuse } from '../../../errors.ts'
import { createInside } from '../handles/born-inside.ts'
import { hold, resolveInside } from '../names/lookup.ts'
import { isOfFileSystem, type SocketMaker } from '../socket-maker.ts'
import { connectBy } from './connect.ts'

/** Node takes a signal, which its types lack. */
type SecureOptions = ConnectionOptions & { signal?: AbortSignal | undefined }

/** @internal Same as `tls.connect`, inside. `begin` is that function, or one that calls it. */
export function connectSecurely(
  maker: SocketMaker,
  options: SecureOptions,
  begin: (options: ConnectionOptions) => TLSSocket,
): TLSSocket {
  maker.ensureOpen()
  if (options.signal?.aborted) return aborted(options.signal, options, begin)
  // TLS over an existing connection is where that connection is.
  const isWithin = Boolean(options.socket) || isOfFileSystem(options.path)
  // Node connects to a pipe at once, before the socket could be tied to the network.
  if (!isWithin && options.path) return begin({ ...options, socket: connectBy(maker, { path: options.path }) })
  const lookup = (options.lookup as LookupFunction | undefined) ?? maker.lookup
  // Node connects to an address in the next tick, and to a name when its lookup has answered, which can be at once.
  const held = hold(lookup)
  const socket = begin({ ...options, lookup: held.lookup })
  if (!isWithin) ensureNotBegun(socket)
  resolveInside(createInside(socket, maker.native), maker.lookup)
  process.nextTick(held.release)
  return socket
}

/**
 * Returns a socket that the signal has destroyed before it connected. Node connects a socket whose signal is aborted already all the same,
 * after its `'close'`.
 */
function aborted(
  signal: AbortSignal,
  options: SecureOptions,
  begin: (options: ConnectionOptions) => TLSSocket,
): TLSSocket {
  const { signal: _, path: __, ...others } = options
  // Node connects to an address in the next tick, and to a name when its lookup has answered.
  const socket = begin({ ...others, lookup: () => undefined } as ConnectionOptions)
  return process.getBuiltinModule('node:stream').addAbortSignal(signal, socket)
}

/** Without a descriptor, nothing has begun. */
function ensureNotBegun(socket: TLSSocket): void {
  const { fd = -1 } = (Reflect.get(socket, '_handle') ?? {}) as { fd?: number }
  if (!(fd >= 0)) return
  socket.destroy()
  throw misuse(
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    'this version of Node.js connects before nsset can create the socket inside',
  )
}
