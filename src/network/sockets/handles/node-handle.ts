import type { NativeNetwork, NativeSocket } from '../../../../index.js'
import { nodesWords } from '../system-error.ts'

/** @internal Node's handle below a TCP or pipe socket or server. It creates its descriptor when it connects or binds. */
export interface StreamHandle {
  /** -1 if it has no descriptor. */
  readonly fd: number
  open(fd: number): number
  close(callback?: () => void): void
  connect(request: object, address: string, ...rest: unknown[]): number
  connect6(request: object, address: string, ...rest: unknown[]): number
  bind(address: string, port: number, ...rest: unknown[]): number
  bind6(address: string, port: number, ...rest: unknown[]): number
  listen(backlog: number): number
  getsockname(out: object): number
  getpeername(out: object): number
  onconnection?: (status: number, client?: StreamHandle) => void
  /** The handle that a TLS handle wraps. */
  readonly _parent?: StreamHandle
}

/** @internal Error numbers, negative as in libuv. */
export const EBADF = -9
/** @internal */
export const EAGAIN = -11
/** @internal */
export const EBUSY = -16
/** @internal */
export const EINVAL = -22
/** @internal */
export const EALREADY = -114
/** @internal */
export const ECANCELED = -125

/** @internal Why a handle failed: a negative error number, or an error that has none. 0 means success. */
export type HandleFailure = number | Error

/** @internal Makes a handle use a socket that is created inside. Returns 0 or the failure. */
export function openInside(network: NativeNetwork, handle: object, socket: NativeSocket): HandleFailure {
  try {
    return network.openHandle(handle, socket)
  } catch (error) {
    return failureOf(error)
  }
}

/** @internal Returns the number of an error of the kernel, or the error itself if libuv does not know the number. */
export function failureOf(error: unknown): HandleFailure {
  const { errno } = error as NodeJS.ErrnoException
  return errno !== undefined && nodesWords(errno) !== undefined ? errno : (error as Error)
}
