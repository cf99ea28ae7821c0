import type { NativeNetwork, NativeSocket } from '../../../../index.js'
import { nodesWords } from '../system-error.ts'

/** @internal What Node.js has below a socket or a server of TCP or of a pipe. It makes no descriptor before it connects or binds. */
export interface StreamHandle {
  /** -1 as long as it has none. */
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
  /** The handle that a handle of TLS is around. */
  readonly _parent?: StreamHandle
}

/** @internal Error numbers, as libuv has them. */
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

/** @internal Why a handle cannot do what it was asked to: a negative error number, or an error that has none. */
export type Refusal = number | Error

/** @internal Has a handle take a socket that is made inside. Returns 0, or why it has none. */
export function openInside(network: NativeNetwork, handle: object, socket: NativeSocket): Refusal {
  try {
    return network.openHandle(handle, socket)
  } catch (error) {
    return refusalOf(error)
  }
}

/** @internal The number of an error of the kernel's, or the error itself where Node could not name it by its number. */
export function refusalOf(error: unknown): Refusal {
  const { errno } = error as NodeJS.ErrnoException
  return errno !== undefined && nodesWords(errno) !== undefined ? errno : (error as Error)
}
