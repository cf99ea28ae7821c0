import type * as Dgram from 'node:dgram'
import type { LookupFunction } from 'node:net'
import { parseFields } from '../../../validate/fields.ts'
import { BIND, DATAGRAM } from '../../../validate/node-options.ts'
import { parseInteger } from '../../../validate/values.ts'
import type { Binding } from '../handles/bind.ts'
import type { SocketMaker } from '../socket-maker.ts'

/** @internal The options of `dgram.createSocket`. Older versions of @types/node lack some of them. */
export type DatagramOptions = Dgram.SocketOptions & { reusePort?: boolean }
/** @internal */
export type DatagramListener = (message: Buffer, from: Dgram.RemoteInfo) => void
/** @internal */
export type DatagramClass = new (
  maker: SocketMaker,
  options: DatagramOptions,
  listener?: DatagramListener,
) => Dgram.Socket

/** @internal Node itself rejects a value that is neither a string nor an object. */
export function parseDatagramOptions(typeOrOptions: unknown): DatagramOptions {
  if (typeof typeOrOptions === 'string') return { type: typeOrOptions as Dgram.SocketType }
  const isObject = typeof typeOrOptions === 'object' && typeOrOptions !== null
  return (isObject ? parseFields(typeOrOptions, 'options', DATAGRAM) : typeOrOptions) as DatagramOptions
}

/** @internal */
export function bindingOf({ reuseAddr = false, reusePort = false, ipv6Only = false }: DatagramOptions): Binding {
  return { reuseAddress: Boolean(reuseAddr), reusePort: Boolean(reusePort), ipv6Only: Boolean(ipv6Only) }
}

/** @internal Node passes the number of the family instead of the options that the types and `dns.lookup` have. */
export function lookupOf(maker: SocketMaker, options: DatagramOptions | undefined): LookupFunction {
  const lookup = (options?.lookup as LookupFunction | undefined) === undefined ? maker.lookup : options?.lookup
  if (typeof lookup !== 'function') return lookup as never
  return (name, family, callback) =>
    (lookup as LookupFunction)(name, { family: family as number, all: false }, callback)
}

/** @internal */
export interface ParsedBind {
  port: number
  address: string | undefined
  listener: unknown
}

/** @internal Parses both signatures: `(port?, address?, listener?)` and `(options, listener?)`. */
export function parseBind([first, second, third]: unknown[]): ParsedBind {
  if (typeof first === 'object' && first !== null) {
    const { port, address } = parseFields(first, 'options', BIND) as Dgram.BindOptions
    return { port: parsePort(port), address: address || undefined, listener: second }
  }
  const listener = [first, second, third].find((argument) => typeof argument === 'function')
  return {
    port: typeof first === 'function' ? 0 : parsePort(first),
    address: typeof second === 'string' && second !== '' ? second : undefined,
    listener,
  }
}

function parsePort(port: unknown): number {
  return port === undefined || port === null ? 0 : parseInteger(Number(port), 'port', 0, 0xffff)
}
