import type { LookupFunction } from 'node:net'
import type { NativeNetwork } from '../../../index.js'

/** @internal Address families, as in socket(2) on Linux. */
export const AF_UNIX = 1
/** @internal */
export const AF_INET = 2
/** @internal */
export const AF_INET6 = 10

/** @internal */
export const SOCK_STREAM = 1
/** @internal */
export const SOCK_DGRAM = 2

/** @internal Creates sockets inside. They stay inside, wherever they are used. */
export interface SocketMaker {
  readonly native: NativeNetwork
  /** Resolves names inside. */
  readonly lookup: LookupFunction
  /** @throws `ERR_NSSET_CLOSED` if the set is closed. */
  ensureOpen(): void
}

/**
 * @internal Returns whether a path is that of a socket in the caller's file system. Abstract names belong to the network (unix(7)).
 * Node ignores an empty path and uses the port, and rejects a path that is not a string.
 */
export function isOfFileSystem(path: unknown): boolean {
  return Boolean(path) && !(typeof path === 'string' && path.startsWith('\0'))
}
