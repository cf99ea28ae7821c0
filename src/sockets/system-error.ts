import { NamespaceError } from '../errors.ts'

/** @internal Where a socket was to be. */
interface SocketPlace {
  address: string
  port?: number | undefined
}

/** @internal The error that Node's own functions give where the kernel refuses; others stay as they are. */
export function systemError(error: unknown, syscall: string, { address, port }: SocketPlace): unknown {
  if (!(error instanceof NamespaceError) || error.errno === undefined) return error
  const { getSystemErrorMap } = process.getBuiltinModule('node:util')
  const [code, words] = getSystemErrorMap().get(error.errno) ?? [error.code, error.message]
  const where = port === undefined ? address : `${address}:${port}`
  const made = new Error(`${syscall} ${code}: ${words} ${where}`, { cause: error })
  return Object.assign(made, { errno: error.errno, code, syscall, address }, port === undefined ? {} : { port })
}
