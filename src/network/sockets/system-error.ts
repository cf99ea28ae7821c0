import { NamespaceError } from '../../errors.ts'

/** @internal Where a socket was to be. */
interface SocketPlace {
  address: string
  /** Node does not tell a port that the kernel was to choose. */
  port?: number | undefined
}

/**
 * @internal The error that Node's own functions give where the kernel refuses; others stay as they are, and so do those whose
 * number libuv has no name for, as ECHILD and ETOOMANYREFS.
 */
export function systemError(error: unknown, syscall: string, place: SocketPlace): unknown {
  if (!(error instanceof NamespaceError) || error.errno === undefined) return error
  const known = nodesWords(error.errno)
  if (known === undefined) return error
  const [code, words] = known
  return made(error.errno, code, syscall, `${code}: ${words}`, place, error)
}

/** @internal The same of datagram sockets, of which Node gives no words. */
export function bindError(error: unknown, place: SocketPlace): unknown {
  if (!(error instanceof NamespaceError) || error.errno === undefined) return error
  return nodesWords(error.errno) === undefined ? error : refusal(error.errno, 'bind', place, error)
}

/** @internal The error of a call that was refused with this number. */
export function refusal(errno: number, syscall: string, place: SocketPlace, cause?: Error): Error {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno)
  return made(errno, code, syscall, code, place, cause)
}

/** @internal What Node calls an error number; nothing where libuv does not know it. */
export function nodesWords(errno: number): [code: string, words: string] | undefined {
  return process.getBuiltinModule('node:util').getSystemErrorMap().get(errno)
}

function made(
  errno: number,
  code: string,
  syscall: string,
  what: string,
  { address, port }: SocketPlace,
  cause: Error | undefined,
): Error {
  const where = port !== undefined && port > 0 ? `${address}:${port}` : address
  const error = new Error(`${syscall} ${what} ${where}`, cause === undefined ? {} : { cause })
  return Object.assign(error, { errno, code, syscall, address }, port ? { port } : {})
}
