import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../../values.ts'
import { cidr, familyOf, ip, linkIndex, text } from '../values.ts'
import type { FirewallComputedSelector } from './matching/computed-selectors.ts'
import { DATA_TYPES, type FirewallRange } from './matching/data-types.ts'
import { type FirewallMapping, isCopy, parseMapping } from './matching/mapping.ts'
import { type FirewallSelector, typesOf } from './matching/selectors.ts'

/** A number of bytes. Matches packets up to it. */
export interface FirewallQuota {
  bytes: number
  /** Whether it matches packets after that number instead (`over`). Default: `false`. */
  over?: boolean | undefined
}

/** A rate. Matches packets up to it. */
export interface FirewallLimit {
  /** In packets, or in bytes. */
  rate: number
  /** Default: `'second'`. */
  per?: 'second' | 'minute' | 'hour' | 'day' | 'week' | undefined
  /** How many packets or bytes more can pass at once. Default: `5` packets, or no bytes. */
  burst?: number | undefined
  /** Whether the rate counts bytes. Default: `false`. */
  bytes?: boolean | undefined
  /** Whether it matches packets beyond the rate instead (`over`). Default: `false`. */
  over?: boolean | undefined
}

/** A number of connections. Matches up to it. */
export interface FirewallConnectionCount {
  connections: number
  /** Whether it matches beyond that number instead (`over`). Default: `false`. */
  over?: boolean | undefined
}

/** Options of `log`. */
export interface FirewallLog {
  /** A text before each line, at most 127 bytes. */
  prefix?: string | undefined
  /** Default: `'warn'`. Not together with `group`. */
  level?: 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit' | undefined
  /** The number of a group of nfnetlink_log, whose program gets the packets instead of the kernel's log. */
  group?: number | undefined
  /** How many bytes of a packet the program gets. Only with `group`. */
  snapLength?: number | undefined
  /** How many packets the kernel collects for the program. Only with `group`. */
  queueThreshold?: number | undefined
  flags?: readonly ('tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether')[] | undefined
}

/** Options of `masquerade`, `redirect`, and of other translations. */
export interface FirewallPortTranslation {
  /**
   * A port, a range such as `'1024-65535'`, or what a map has. Requires a match of a protocol with ports before. Default: the same port
   * if it is free.
   */
  port?: number | FirewallRange | FirewallMapping<number> | undefined
  /** Whether ports are chosen at random (`random`). Default: `false`. */
  random?: boolean | undefined
  /** Whether ports are chosen at random without regard to the old one (`fully-random`). Default: `false`. */
  fullyRandom?: boolean | undefined
  /** Whether a client keeps its address (`persistent`). Default: `false`. */
  persistent?: boolean | undefined
}

/** Options of `snat` and `dnat`. */
export interface FirewallTranslation extends FirewallPortTranslation {
  /** An address, a range such as `'192.0.2.1-192.0.2.9'`, or what a map has: addresses or ranges, also with ports. */
  to?: string | FirewallMapping<string | readonly [address: string, port: number | FirewallRange]> | undefined
  /**
   * Whether `to` is a prefix, such as `'10.1.0.0/24'`, or a map to prefixes, in which each address keeps its last bits (`prefix`). Match a
   * prefix of the same length. Default: `false`.
   */
  prefix?: boolean | undefined
}

/** Options of `tproxy`. */
export interface FirewallTransparentProxy {
  /** The address of a local socket. Default: that of the link. */
  to?: string | undefined
  /** Default: that of the packet. */
  port?: number | FirewallMapping<number> | undefined
}

/** Options of `dup` and `fwd`. */
export interface FirewallDestination {
  /** The address of the next hop, or what a map has. */
  to?: string | FirewallMapping<string> | undefined
  /** The index of a link, or what a map has. `dup` and `fwd` in the family `netdev` require it. */
  device?: number | FirewallMapping<number> | undefined
}

/** Options of `queue`. */
export interface FirewallQueue {
  /** The number of a queue of nfnetlink_queue, a range, or what depends on the packet: a selector, or what a map has. Default: `0`. */
  num?:
    | number
    | FirewallRange
    | { from: FirewallSelector | FirewallComputedSelector }
    | FirewallMapping<number>
    | undefined
  /** Whether packets pass if no program listens. Default: `false`. */
  bypass?: boolean | undefined
  /** Whether a processor always uses the same queue. Default: `false`. */
  fanout?: boolean | undefined
}

/** Options of `synproxy`. */
export interface FirewallSynproxy {
  /** The largest segment that clients are offered. */
  mss?: number | undefined
  /** The scale of the window. */
  wscale?: number | undefined
  timestamp?: boolean | undefined
  sackPerm?: boolean | undefined
}

const { inet_service: port } = DATA_TYPES

const QUOTA = { bytes: whole(0, Number.MAX_SAFE_INTEGER), over: boolean } satisfies FieldsOf<FirewallQuota>

const CONNECTION_COUNT = { connections: u32, over: boolean } satisfies FieldsOf<FirewallConnectionCount>

/** @internal */
export const LIMIT = {
  rate: whole(1, Number.MAX_SAFE_INTEGER),
  per: word('second', 'minute', 'hour', 'day', 'week'),
  burst: u32,
  bytes: boolean,
  over: boolean,
} satisfies FieldsOf<FirewallLimit>

const prefix: Parse<string> = (value, name) => {
  if (Buffer.byteLength(text(value, name)) <= 127) return value as string
  throw invalidValue(name, 'must have at most 127 bytes', value)
}

const LOG = {
  prefix,
  level: word('emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'),
  group: u16,
  snapLength: u32,
  queueThreshold: u16,
  flags: array(word('tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether')),
} satisfies FieldsOf<FirewallLog>

const addressOrRange: Parse<string> = (value, name) => {
  if (text(value, name).includes('/')) return cidr(value, name)
  const ends = text(value, name).split('-')
  const versions = new Set(ends.map(familyOf))
  if (ends.length === 2 && versions.size === 2 && !versions.has(0)) {
    throw invalidValue(name, 'must be a range whose ends are both IPv4 addresses or both IPv6 addresses', value)
  }
  if (ends.length <= 2 && versions.size === 1 && !versions.has(0)) return value as string
  throw invalidValue(name, "must be an IP address or a range, such as '192.0.2.1-192.0.2.9'", value)
}

const addressAndPort: Parse = (value, name) => {
  if (!Array.isArray(value)) return addressOrRange(value, name)
  if (value.length === 2) return [addressOrRange(value[0], `${name}[0]`), port.parse(value[1], `${name}[1]`)]
  throw invalidValue(name, "must be an address, or an address and a port, such as ['10.0.0.2', 80]", value)
}

const newAddress: Parse = (value, name) => {
  if (typeof value !== 'object' || value === null) return addressOrRange(value, name)
  const mapping = parseMapping(value, name, addressAndPort)
  const [{ map }] = Object.values(mapping) as [{ map: string | [unknown, unknown][] }]
  const kinds = new Set(typeof map === 'string' ? [] : map.map(([, to]) => kindOf(to)))
  if (kinds.size <= 1) return mapping
  throw invalidValue(
    name,
    'must have a map to addresses of one version of IP, all of them with a port or without',
    value,
  )
}

function kindOf(to: unknown): string {
  const version = (address: unknown) => ((address as string).includes(':') ? 6 : 4)
  return Array.isArray(to) ? `${version(to[0])} and port` : `${version(to)}`
}

const newPort: Parse = (value, name) =>
  typeof value === 'object' && value !== null ? parseMapping(value, name, u16) : port.parse(value, name)

const PORT_TRANSLATION = {
  port: newPort,
  random: boolean,
  fullyRandom: boolean,
  persistent: boolean,
} satisfies FieldsOf<FirewallPortTranslation>

const TRANSLATION = { to: newAddress, ...PORT_TRANSLATION, prefix: boolean } satisfies FieldsOf<FirewallTranslation>
const oneOrMapped =
  (parse: Parse): Parse =>
  (value, name) =>
    typeof value === 'object' && value !== null ? parseMapping(value, name, parse) : parse(value, name)

const TPROXY = { to: ip, port: oneOrMapped(u16) } satisfies FieldsOf<FirewallTransparentProxy>
const DESTINATION = { to: oneOrMapped(ip), device: oneOrMapped(linkIndex) } satisfies FieldsOf<FirewallDestination>
const FROM = "must be a selector, such as 'numgen inc mod 4'"

const QUEUE_FROM = {
  from: (value, name) => {
    typesOf(text(value, name), name, FROM)
    return value as string
  },
} satisfies FieldsOf<{ from: string }>

const queueNumber: Parse = (value, name) => {
  if (typeof value !== 'object' || value === null) return DATA_TYPES.u16.parse(value, name)
  return isCopy(value) ? parseFields(value, name, QUEUE_FROM, ['from']) : parseMapping(value, name, u16)
}

const QUEUE = { num: queueNumber, bypass: boolean, fanout: boolean } satisfies FieldsOf<FirewallQueue>
/** @internal */
export const SYNPROXY = {
  mss: u16,
  wscale: u8,
  timestamp: boolean,
  sackPerm: boolean,
} satisfies FieldsOf<FirewallSynproxy>

/** @internal */
export const quota: Parse<Plain> = (value, name) => parseFields(value, name, QUOTA, ['bytes'])
/** @internal */
export const limit: Parse<Plain> = (value, name) => parseFields(value, name, LIMIT, ['rate'])
/** @internal */
export const connectionCount: Parse<Plain> = (value, name) =>
  parseFields(value, name, CONNECTION_COUNT, ['connections'])
/** @internal */
export const portTranslation: Parse<Plain> = (value, name) => parseFields(value, name, PORT_TRANSLATION)
/** @internal */
export const tproxy: Parse<Plain> = (value, name) => parseFields(value, name, TPROXY)
/** @internal */
export const destination: Parse<Plain> = (value, name) => parseFields(value, name, DESTINATION)
/** @internal */
export const queue: Parse<Plain> = (value, name) => parseFields(value, name, QUEUE)
/** @internal */
export const synproxy: Parse<Plain> = (value, name) => parseFields(value, name, SYNPROXY)

/** @internal */
export const log: Parse<Plain> = (value, name) => {
  const parsed = parseFields(value, name, LOG)
  if (parsed.group !== undefined && parsed.level !== undefined) {
    throw invalidValue(`${name}.level`, "must not be combined with 'group'", parsed.level)
  }
  if (parsed.group === undefined && (parsed.snapLength !== undefined || parsed.queueThreshold !== undefined)) {
    throw invalidValue(name, "must have a 'group' with 'snapLength' or 'queueThreshold'", value)
  }
  return parsed
}

/** @internal */
export const translation: Parse<Plain> = (value, name) => {
  const parsed = parseFields(value, name, TRANSLATION)
  const isPrefix = typeof parsed.to === 'string' && parsed.to.includes('/')
  const isMapped = typeof parsed.to === 'object'
  if (!isMapped && isPrefix !== (parsed.prefix ?? false)) {
    throw invalidValue(`${name}.to`, "must be a prefix with 'prefix', and an address or a range without", parsed.to)
  }
  if (parsed.to !== undefined || parsed.port !== undefined) return parsed
  throw invalidValue(name, "must have 'to' or 'port'", value)
}
