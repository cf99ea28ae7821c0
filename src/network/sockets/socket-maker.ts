import type { LookupFunction } from 'node:net'
import type { NativeNetwork } from '../../../index.js'

/** @internal Families of addresses, as socket(2) has them on Linux. */
export const AF_UNIX = 1
/** @internal */
export const AF_INET = 2
/** @internal */
export const AF_INET6 = 10

/** @internal */
export const SOCK_STREAM = 1
/** @internal */
export const SOCK_DGRAM = 2

/** @internal Makes sockets inside; they stay there, wherever they are used from. */
export interface SocketMaker {
  readonly native: NativeNetwork
  /** Resolves names inside. */
  readonly lookup: LookupFunction
  /** Throws when the set is closed. */
  ensureOpen(): void
}

/**
 * @internal Whether it leads to a socket of the file system, which is the caller's; abstract names belong to the network (unix(7)).
 * An empty path is none for Node, which goes by the port then; what is no text it refuses.
 */
export function isOfFileSystem(path: unknown): boolean {
  return Boolean(path) && !(typeof path === 'string' && path.startsWith('\0'))
}
