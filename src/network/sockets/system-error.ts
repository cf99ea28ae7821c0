import { NamespaceError } from '../../errors.ts'

/** @internal The address of a socket, for an error. */
interface Endpoint {
  address: string
  /** As in Node's errors, `undefined` if the kernel was to choose the port. */
  port?: number | undefined
}

/**
 * @internal Converts an error of the kernel to the one that Node's own functions throw. Other errors remain the same, also those
 * whose number libuv does not know, such as ECHILD and ETOOMANYREFS.
 */
export function systemError(error: unknown, syscall: string, endpoint: Endpoint): unknown {
  if (!(error instanceof NamespaceError) || error.errno === undefined) return error
  const known = nodesWords(error.errno)
  if (known === undefined) return error
  const [code, words] = known
  return createError(error.errno, code, syscall, `${code}: ${words}`, endpoint, error)
}

/** @internal The same for datagram sockets, whose errors have no description in Node. */
export function bindError(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof NamespaceError) || error.errno === undefined) return error
  return nodesWords(error.errno) === undefined ? error : errorOf(error.errno, 'bind', endpoint, error)
}

/** @internal Creates the error for an error number. */
export function errorOf(errno: number, syscall: string, endpoint: Endpoint, cause?: Error): Error {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno)
  return createError(errno, code, syscall, code, endpoint, cause)
}

/** @internal Returns Node's code and description of an error number; undefined if libuv does not know it. */
export function nodesWords(errno: number): [code: string, words: string] | undefined {
  return process.getBuiltinModule('node:util').getSystemErrorMap().get(errno)
}

function createError(
  errno: number,
  code: string,
  syscall: string,
  what: string,
  { address, port }: Endpoint,
  cause: Error | undefined,
): Error {
  const where = port !== undefined && port > 0 ? `${address}:${port}` : address
  const error = new Error(`${syscall} ${what} ${where}`, cause === undefined ? {} : { cause })
  return Object.assign(error, { errno, code, syscall, address }, port ? { port } : {})
}
