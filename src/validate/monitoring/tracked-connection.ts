import { invalidValue } from '../../errors.ts'
import {
  type FieldsOf,
  oneOrMore,
  type Parse,
  type Parsed,
  type Plain,
  parseFields,
  parseObject,
  parseOptions,
} from '../fields.ts'
import { cidr, type Family, family, ip } from '../network/values.ts'
import { described, u8, u16, u32, whole, word } from '../values.ts'

const PROTOCOLS = ['icmp', 'tcp', 'udp', 'dccp', 'gre', 'icmpv6', 'sctp', 'udplite'] as const

/** The protocol of a {@link TrackedConnection}: its name, or its number if nsset has no name for it. */
export type TrackedProtocol = (typeof PROTOCOLS)[number] | number

const STATES = [
  'none',
  'syn-sent',
  'syn-recv',
  'established',
  'fin-wait',
  'close-wait',
  'last-ack',
  'time-wait',
  'close',
  'syn-sent2',
  'closed',
  'cookie-wait',
  'cookie-echoed',
  'shutdown-sent',
  'shutdown-recd',
  'shutdown-ack-sent',
  'heartbeat-sent',
] as const

/** The state of a {@link TrackedConnection} of TCP or SCTP, as conntrack(8) names it, in lower case. */
export type ConnectionState = (typeof STATES)[number]

const STATUSES = [
  'expected',
  'seen-reply',
  'assured',
  'confirmed',
  'snat',
  'dnat',
  'dying',
  'fixed-timeout',
  'helper',
  'offload',
  'hw-offload',
] as const

/**
 * What the kernel knows about a {@link TrackedConnection}: `'assured'` connections are not deleted early to make room; `'snat'` and
 * `'dnat'` have another source or destination behind this network; `'offload'` ones bypass the rules (flow tables).
 */
export type ConnectionStatus = (typeof STATUSES)[number]

/** The sender or the receiver of the packets of a {@link ConnectionDirection}. */
export interface ConnectionEnd {
  address: string
  /** Of TCP, UDP, SCTP, DCCP and UDP-Lite; of GRE its key. */
  port?: number
}

/** The packets of a {@link TrackedConnection} in one direction, as they arrive. */
export interface ConnectionDirection {
  source: ConnectionEnd
  destination: ConnectionEnd
  /** Of an echo request and its like. */
  icmp?: { type: number; code: number; id: number }
  /** The zone, if only this direction has it. */
  zone?: number
  /** Only with the sysctl `net.netfilter.nf_conntrack_acct`, which counts connections that begin after it is set. */
  packets?: number
  /** As `packets`. */
  bytes?: number
}

/**
 * A connection that the kernel tracks. Without address translation, `reply` is `original` with its ends exchanged. With it, they
 * differ: for `masquerade`, `reply.destination` is the address of the router.
 */
export interface TrackedConnection {
  family: Family
  protocol: TrackedProtocol
  original: ConnectionDirection
  reply: ConnectionDirection
  /** Of TCP and SCTP. */
  state?: ConnectionState
  status: ConnectionStatus[]
  /** In milliseconds: when the kernel forgets the connection, if there are no more packets. */
  timeout?: number
  /** Undefined if it is 0. */
  mark?: number
  /** Undefined for zone 0. */
  zone?: number
  /** The numbers of the bits that are set, as in connlabel.conf. */
  labels?: number[]
  /** The name of the helper that reads its packets, such as `'ftp'`. */
  helper?: string
  /** In milliseconds since 1970; only with the sysctl `net.netfilter.nf_conntrack_timestamp`. */
  started?: number
  /** A number of the kernel. A later connection with the same addresses can have the same or another one. */
  id: number
}

/** Selects connections. A field that you omit matches any value, and an array of protocols or states any of its values. */
export interface ConnectionFilter {
  family?: Family | undefined
  protocol?: TrackedProtocol | readonly TrackedProtocol[] | undefined
  state?: ConnectionState | readonly ConnectionState[] | undefined
  /** All of these must be set. */
  status?: ConnectionStatus | readonly ConnectionStatus[] | undefined
  /** A number, or the bits of `mask` in `value`. */
  mark?: number | { value: number; mask: number } | undefined
  zone?: number | undefined
  /** A bit that must be set. */
  label?: number | undefined
  /** An address, or a prefix such as `'10.0.0.0/8'`. */
  sourceAddress?: string | undefined
  sourcePort?: number | undefined
  destinationAddress?: string | undefined
  destinationPort?: number | undefined
  /** Of the replies, as they arrive: behind `dnat`, the real server. */
  replySourceAddress?: string | undefined
  replySourcePort?: number | undefined
  /** Of the replies, as they arrive: with `snat` and `masquerade`, the translated address. */
  replyDestinationAddress?: string | undefined
  replyDestinationPort?: number | undefined
}

/** What {@link NetworkConntrack.statistics} has counted, since the network exists. */
export interface ConntrackStatistics {
  /** How many connections are tracked. */
  entries: number
  /** How many can be: the sysctl `net.netfilter.nf_conntrack_max`. */
  maxEntries: number
  /** Packets whose connection was found though it was just being added. */
  found: number
  /** Packets that do not belong to a connection, and cannot begin one. */
  invalid: number
  insert: number
  insertFailed: number
  /** Packets that were dropped because there was no room for their connection. */
  drop: number
  /** Connections that were deleted early to make room. */
  earlyDrop: number
  /** ICMP errors that do not belong to a connection. */
  error: number
  searchRestart: number
  clashResolve: number
  chainTooLong: number
}

const protocolName = word(...PROTOCOLS)

const protocol: Parse<TrackedProtocol> = (value, name) =>
  typeof value === 'number' ? u8(value, name) : protocolName(value, name)

const state = word(...STATES)
const status = word(...STATUSES)

const MARK = { value: u32, mask: u32 }

const mark: Parse<{ value: number; mask: number }> = (value, name) =>
  typeof value === 'object' && value !== null
    ? parseFields(value, name, MARK, ['value', 'mask'])
    : { value: u32(value, name), mask: 0xffffffff }

const FILTER = {
  family,
  protocol: oneOrMore(protocol),
  state: oneOrMore(state),
  status: oneOrMore(status),
  mark,
  zone: u16,
  label: whole(0, 127),
  sourceAddress: cidr,
  sourcePort: u16,
  destinationAddress: cidr,
  destinationPort: u16,
  replySourceAddress: cidr,
  replySourcePort: u16,
  replyDestinationAddress: cidr,
  replyDestinationPort: u16,
} satisfies FieldsOf<ConnectionFilter>

const END = { address: ip, port: u16 } satisfies FieldsOf<ConnectionEnd>
const end: Parse<Parsed<typeof END, 'address'>> = (value, name) => parseFields(value, name, END, ['address'])

const ICMP = { type: u8, code: u8, id: u16 } satisfies FieldsOf<NonNullable<ConnectionDirection['icmp']>>
const icmp: Parse = (value, name) => parseFields(value, name, ICMP, ['type', 'code', 'id'])

const DIRECTION = {
  source: end,
  destination: end,
  icmp,
  zone: u16,
  packets: described,
  bytes: described,
} satisfies FieldsOf<ConnectionDirection>

const direction: Parse<Parsed<typeof DIRECTION, 'source' | 'destination'>> = (value, name) =>
  parseFields(value, name, DIRECTION, ['source', 'destination'])

/** What identifies a connection. The rest has no effect. */
const CONNECTION = {
  family,
  protocol,
  original: direction,
  reply: described,
  state: described,
  status: described,
  timeout: described,
  mark: described,
  zone: u16,
  labels: described,
  helper: described,
  started: described,
  id: u32,
} satisfies FieldsOf<TrackedConnection>

/** @internal */
export function parseConnectionFilter(filter: unknown): Plain {
  return parseOptions(filter, FILTER, 'filter')
}

/** @internal A connection of a list, or a filter that selects something: one without fields would mean all connections. */
export function parseDeletedConnections(given: unknown): Plain {
  if (Object.hasOwn(parseObject(given, 'filter'), 'original')) return { connection: parseConnection(given) }
  const filter = parseFields(given, 'filter', FILTER)
  if (Object.keys(filter).length > 0) return { filter }
  throw invalidValue('filter', 'must have at least one field; flush() deletes all connections', given)
}

function parseConnection(given: unknown): Plain {
  const parsed = parseFields(given, 'connection', CONNECTION, ['family', 'protocol', 'original', 'id'])
  const { source, destination } = parsed.original
  const bits = (address: string) => (address.includes(':') ? 'IPv6' : 'IPv4')
  for (const [name, { address }] of Object.entries({ source, destination })) {
    if (bits(address) !== parsed.family) {
      throw invalidValue(`connection.original.${name}.address`, `must be an address of ${parsed.family}`, address)
    }
  }
  requireWhole(parsed.original, parsed.protocol)
  return parsed
}

const WITH_PORTS: readonly TrackedProtocol[] = ['tcp', 'udp', 'dccp', 'sctp', 'udplite']
const WITH_MESSAGES: readonly TrackedProtocol[] = ['icmp', 'icmpv6']

interface GivenDirection {
  source: { port?: number }
  destination: { port?: number }
  icmp?: unknown
}

/** The kernel finds a connection by all of its original direction. */
function requireWhole({ source, destination, icmp }: GivenDirection, of: TrackedProtocol): void {
  const name = 'connection.original'
  const rest = 'to delete several connections, pass a filter such as { destinationPort: 53 }'
  if (WITH_MESSAGES.includes(of) && icmp === undefined) {
    throw invalidValue(`${name}.icmp`, `is required, because it identifies a connection of ${of}; ${rest}`, icmp)
  }
  for (const [end, { port }] of Object.entries({ source, destination })) {
    if (WITH_PORTS.includes(of) && port === undefined) {
      throw invalidValue(
        `${name}.${end}.port`,
        `is required, because it identifies a connection of ${of}; ${rest}`,
        port,
      )
    }
  }
}
