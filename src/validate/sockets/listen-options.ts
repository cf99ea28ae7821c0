import type { ListenOptions } from 'node:net'
import { parseOptions } from '../fields.ts'
import { LISTEN } from '../node-options.ts'

/** Options of {@link Network.listen}: those of `server.listen`. */
export interface NetworkListenOptions extends ListenOptions {
  /** Whether other sockets can listen on the same port and share its connections: SO_REUSEPORT of socket(7). */
  reusePort?: boolean | undefined
}

/** @internal */
export function parseListenOptions(options: unknown): NetworkListenOptions {
  return parseOptions(typeof options === 'number' ? { port: options } : options, LISTEN) as NetworkListenOptions
}

/** @internal Throws the error of Node's `server.listen`. */
export function parsePort(port: unknown): number {
  const parsed = port === '' ? Number.NaN : Number(port)
  if (Number.isInteger(parsed) && parsed >= 0 && parsed <= 0xffff) return parsed
  const received = `type ${typeof port} (${process.getBuiltinModule('node:util').inspect(port)})`
  const error = new RangeError(`options.port should be >= 0 and < 65536. Received ${received}.`)
  throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' })
}
