import { invalidValue, misuse } from '../../errors.ts'
import { array, type FieldsOf, object, type Parse, parseFields, parseOptions } from '../fields.ts'
import { milliseconds } from '../network/values.ts'
import { nonEmptyText, signal, u16, whole, word } from '../values.ts'
import { type PortRange, parseRange } from './port-range.ts'

/** Where a forwarding sends what it receives. */
export interface ForwardTarget {
  /** An IP address, or a name that is resolved when the forwarding starts. Default: `127.0.0.1`, then `::1`. */
  host?: string | undefined
  /** Default: the port of the listener. For several ports: the first of as many. */
  port?: number | undefined
  /** The path of a unix socket, or its abstract name after `\0`, instead of `host` and `port`. */
  path?: string | undefined
}

/** What {@link Network.publish} and {@link Network.forward} forward. */
export interface ForwardOptions {
  /** The port of the listener, or several ports. `0`: a free port. */
  port?: number | PortRange | undefined
  /** The address of the listener, or a name. Default: `'127.0.0.1'`. `'::'`: all addresses of both families. */
  host?: string | undefined
  /** The path of the listener, a unix socket, or its abstract name after `\0`, instead of `host` and `port`. */
  path?: string | undefined
  /** Default: `'tcp'`. A unix socket has no protocol. */
  protocol?: 'tcp' | 'udp' | undefined
  /** The other end. */
  to: ForwardTarget
  /** The maximum number of connections that wait to be accepted: listen(2). Default: `511`. */
  backlog?: number | undefined
  /** In milliseconds: a client of UDP that has been silent for longer gets a new source port. Default: `60_000`. */
  idleTimeout?: number | undefined
}

/** Options of {@link Network.publish} and {@link Network.forward}. */
export interface StartForwardingOptions {
  /** Aborts the start. It does not close a forwarding that has started. */
  signal?: AbortSignal | undefined
}

/** Options of {@link Forwarding.close}. */
export interface CloseForwardingOptions {
  /** In milliseconds: how long open connections may continue before they are reset. Default: `0`. */
  grace?: number | undefined
}

/** @internal One of the two ends of a forwarding: a path, or a host with a port. */
export interface ForwardEnd {
  readonly path?: string
  readonly host?: string
  readonly port: number
}

/** @internal What one listener forwards. */
export interface ParsedForward {
  readonly datagrams: boolean
  readonly listener: ForwardEnd
  readonly target: ForwardEnd
  readonly backlog: number
  readonly idle: number
}

/** Port 0 is a free one. */
const port: Parse<PortRange> = (value, name) => {
  if (typeof value !== 'number') return parseRange(value, name)
  const only = u16(value, name)
  return { first: only, last: only }
}

/** Only the first byte may be NUL: it begins an abstract name (unix(7)). */
const path: Parse<string> = (value, name) => {
  const given = typeof value === 'string' && value.startsWith('\0') ? value.slice(1) : value
  nonEmptyText(given, name)
  if (Buffer.byteLength(value as string) <= 107) return value as string
  throw invalidValue(name, 'must have at most 107 bytes', value)
}

const TARGET = { host: nonEmptyText, port: whole(1, 0xffff), path } satisfies FieldsOf<ForwardTarget>

const FORWARD = {
  port,
  host: nonEmptyText,
  path,
  protocol: word('tcp', 'udp'),
  to: object(TARGET),
  backlog: whole(1, 0x7fffffff),
  idleTimeout: milliseconds,
} satisfies FieldsOf<ForwardOptions>

/** @internal Returns one element for each listener. */
export function parseForwards(value: unknown, name = 'options'): ParsedForward[] {
  const parsed = Array.isArray(value) ? array(parseForward)(value, name) : [parseForward(value, name)]
  if (parsed.length === 0) throw invalidValue(name, 'must not be empty', value)
  return parsed.flat()
}

const parseForward: Parse<ParsedForward[]> = (value, name) => {
  const given = parseFields(value, name, FORWARD, ['to'])
  const { to, protocol = 'tcp', backlog = 511, idleTimeout: idle = 60_000 } = given
  alone(given, name)
  alone(to, `${name}.to`)
  const isUdp = protocol === 'udp'
  if (isUdp && (given.path ?? to.path) !== undefined) {
    throw misuse('ERR_INVALID_ARG_VALUE', `${name}.protocol is 'udp', which a path does not have`)
  }
  const how = { datagrams: isUdp, backlog, idle }
  if (given.path !== undefined) {
    return [{ ...how, listener: { path: given.path, port: 0 }, target: end(to, `${name}.to`, 0) }]
  }
  if (given.port === undefined) throw invalidValue(`${name}.port`, 'is required, if there is no path', undefined)
  const { first, last } = given.port
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    ...how,
    listener: { host: given.host ?? '127.0.0.1', port: first + index },
    target: end(to, `${name}.to`, first, index),
  }))
}

function end(to: ForwardTarget, name: string, first: number, index = 0): ForwardEnd {
  if (to.path !== undefined) return { path: to.path, port: 0 }
  const port = (to.port ?? first) + index
  if (port === 0) throw invalidValue(`${name}.port`, 'is required, if the listener has no port or any port', undefined)
  if (port > 0xffff) throw invalidValue(`${name}.port`, `leads beyond port 65535`, to.port)
  return { ...(to.host === undefined ? {} : { host: to.host }), port }
}

function alone({ path, host, port }: { path?: unknown; host?: unknown; port?: unknown }, name: string): void {
  if (path === undefined || (host === undefined && port === undefined)) return
  throw misuse('ERR_INVALID_ARG_VALUE', `${name} has a path, so it cannot have a host or a port`)
}

const START = { signal } satisfies FieldsOf<StartForwardingOptions>
const CLOSE = { grace: milliseconds } satisfies FieldsOf<CloseForwardingOptions>

/** @internal */
export function parseStartForwardingOptions(options: unknown) {
  return parseOptions(options, START)
}

/** @internal */
export function parseCloseForwardingOptions(options: unknown) {
  return parseOptions(options, CLOSE)
}
