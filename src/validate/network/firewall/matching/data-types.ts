import { invalidType, invalidValue, outOfRange } from '../../../../errors.ts'
import type { Parse } from '../../../fields.ts'
import { meant } from '../../../nearest.ts'
import { quoted } from '../../../values.ts'
import { familyOf, mac, text } from '../../values.ts'

/** A type of values, as nft(8) has them. `flags` are bits, of which several can be given. */
export interface DataType<T = unknown> {
  readonly parse: (value: unknown, name: string) => T
  readonly isFlags: boolean
}

/** A range of numbers, both ends included: `'1024-65535'`. */
export type FirewallRange = `${number}-${number}`

/** Numbers of a size, with a name for some of them. A range is a text. */
function numbers<const N extends string = never>(
  bits: number,
  ...names: readonly N[]
): DataType<number | FirewallRange | N> {
  const most = bits > 53 ? Number.MAX_SAFE_INTEGER : 2 ** bits - 1
  const range = `a whole number from 0 to ${most}`
  const isNumber = (number: number) => Number.isInteger(number) && number >= 0 && number <= most
  const parse: Parse<number | FirewallRange | N> = (value, name) => {
    if (typeof value === 'number') {
      if (isNumber(value)) return value
      throw outOfRange(name, range, value)
    }
    if (typeof value !== 'string') throw invalidType(name, 'a number or a string', value)
    if (names.includes(value as N)) return value as N
    const [from, to] = bounds(value).map(Number) as [number?, number?]
    if (from !== undefined && to !== undefined && isNumber(from) && isNumber(to) && from <= to)
      return value as FirewallRange
    const words = names.length === 0 ? '' : `, or one of ${quoted(names)}${meant(value, names)}`
    throw invalidValue(name, `must be ${range}, a range such as '1-5'${words}`, value)
  }
  return { parse, isFlags: false }
}

/** Returns the two numbers of a range; nothing if it is not one. */
function bounds(value: string): string[] {
  return /^(\d+)-(\d+)$/.exec(value)?.slice(1) ?? []
}

function flags<const N extends string>(...names: readonly N[]): DataType<N | number> {
  const parse: Parse<N | number> = (value, name) => {
    if (names.includes(value as N) || (Number.isInteger(value) && (value as number) >= 0)) return value as N
    throw invalidValue(name, `must be one of ${quoted(names)}${meant(value, names)}`, value)
  }
  return { parse, isFlags: true }
}

/** Addresses of one version of IP. A prefix and a range are texts. */
function addresses(version: 4 | 6): DataType<string> {
  const example =
    version === 4 ? "'10.0.0.1', '10.0.0.0/8' or '10.0.0.1-10.0.0.9'" : "'fd00::1', 'fd00::/8' or 'fd00::1-fd00::9'"
  const parse: Parse<string> = (value, name) => {
    const given = text(value, name)
    if (familyOf(given) === version) return given
    const [address = '', bits] = given.split('/')
    const isPrefix = bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
    if (familyOf(address) === version && (bits === undefined || isPrefix)) return given
    const ends = given.split('-')
    if (ends.length === 2 && ends.every((end) => familyOf(end) === version)) return given
    throw invalidValue(name, `must be an IPv${version} address, a prefix or a range, such as ${example}`, value)
  }
  return { parse, isFlags: false }
}

function texts(pattern: RegExp, description: string): DataType<string> {
  const parse: Parse<string> = (value, name) => {
    if (pattern.test(text(value, name)) && Buffer.byteLength(value as string) <= 15) return value as string
    throw invalidValue(name, `must be ${description}`, value)
  }
  return { parse, isFlags: false }
}

const hours: DataType<string> = {
  parse(value, name) {
    const time = '([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?'
    if (new RegExp(`^${time}(-${time})?$`).test(text(value, name))) return value as string
    throw invalidValue(name, "must be a time of day in UTC, such as '08:30', or a range, such as '08:30-17:00'", value)
  },
  isFlags: false,
}

const dates: DataType<string> = {
  parse(value, name) {
    const ends = text(value, name).split('/')
    const isDate = (end: string) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(end) && Number(new Date(end)) >= 0
    if (ends.length <= 2 && ends.every(isDate)) return value as string
    throw invalidValue(name, "must be a time such as '2026-01-31T12:00:00Z', or two with a '/' between them", value)
  },
  isFlags: false,
}

/** @internal Bytes of a packet, as hexadecimal digits. */
export function octetsOf(size: number): DataType<string> {
  const pattern = new RegExp(`^0x[0-9a-f]{${2 * size}}$`)
  const parse: Parse<string> = (value, name) => {
    if (pattern.test(text(value, name))) return value as string
    throw invalidValue(name, `must be '0x' and ${2 * size} hexadecimal digits in lower case`, value)
  }
  return { parse, isFlags: false }
}

const icmpTypes = [
  ...['echo-reply', 'destination-unreachable', 'source-quench', 'redirect', 'echo-request'],
  ...['router-advertisement', 'router-solicitation', 'time-exceeded', 'parameter-problem', 'timestamp-request'],
  ...['timestamp-reply', 'info-request', 'info-reply', 'address-mask-request', 'address-mask-reply'],
] as const

const icmpv6Types = [
  ...['destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem', 'echo-request'],
  ...['echo-reply', 'mld-listener-query', 'mld-listener-report', 'mld-listener-done', 'nd-router-solicit'],
  ...['nd-router-advert', 'nd-neighbor-solicit', 'nd-neighbor-advert', 'nd-redirect', 'router-renumbering'],
  ...['ind-neighbor-solicit', 'ind-neighbor-advert', 'mld2-listener-report'],
] as const

const protocols = [
  ...['icmp', 'igmp', 'tcp', 'udp', 'dccp', 'gre', 'esp', 'ah', 'icmpv6', 'comp', 'sctp', 'udplite'],
] as const

const ctEvents = [
  ...['new', 'related', 'destroy', 'reply', 'assured', 'protoinfo', 'helper', 'mark', 'seqadj', 'secmark', 'label'],
] as const

const hardwareAddress: DataType<string> = { parse: mac, isFlags: false }

/** @internal The types of the keys of sets. The names are those of nft(8). */
export const KEY_TYPES = {
  ipv4_addr: addresses(4),
  ipv6_addr: addresses(6),
  ether_addr: hardwareAddress,
  ether_type: numbers(16, 'ip', 'arp', 'ip6', '8021q', '8021ad'),
  inet_proto: numbers(8, ...protocols),
  inet_service: numbers(16),
  icmp_type: numbers(8, ...icmpTypes),
  icmpv6_type: numbers(8, ...icmpv6Types),
  mark: numbers(32),
  ifname: texts(/^[^\s/:*@]+\*?$/, "the name of a link with at most 15 bytes, or its start and '*'"),
  iface_index: numbers(32),
  uid: numbers(32),
  gid: numbers(32),
  ct_state: flags('invalid', 'established', 'related', 'new', 'untracked'),
  nf_proto: numbers(8, 'ipv4', 'ipv6', 'arp', 'bridge', 'netdev'),
  arp_op: numbers(16, 'request', 'reply', 'rrequest', 'rreply', 'inrequest', 'inreply', 'nak'),
  tcp_flag: flags('fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr'),
  ct_status: flags('expected', 'seen-reply', 'assured', 'confirmed', 'snat', 'dnat', 'dying'),
  ct_dir: numbers(8, 'original', 'reply'),
  ct_event: flags(...ctEvents),
  pkt_type: numbers(8, 'host', 'broadcast', 'multicast', 'other'),
  iface_type: numbers(16, 'ether', 'ppp', 'ipip', 'ipip6', 'loopback', 'sit', 'ipgre'),
  dscp: numbers(6),
  ecn: numbers(2, 'not-ect', 'ect1', 'ect0', 'ce'),
  fib_addrtype: numbers(
    32,
    ...['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit'],
  ),
  devgroup: numbers(32),
  realm: numbers(32),
  hour: hours,
  day: numbers(8, 'Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'),
} satisfies Record<FirewallKeyType, DataType>

/** All types of values. */
export const DATA_TYPES = {
  ...KEY_TYPES,
  u1: numbers(1),
  u2: numbers(2),
  u3: numbers(3),
  u4: numbers(4),
  u7: numbers(7),
  u8: numbers(8),
  u12: numbers(12),
  u13: numbers(13),
  u16: numbers(16),
  u20: numbers(20),
  u32: numbers(32),
  u64: numbers(64),
  presence: numbers(1, 'missing', 'exists'),
  index_or_presence: numbers(32, 'missing', 'exists'),
  link_kind: texts(/^[\w-]+$/, 'a kind of link'),
  name: texts(/^[^\0]+$/, 'a name of at most 15 bytes'),
  date: dates,
} satisfies Record<string, DataType>

/** A type of the keys of sets, as nft(8) names it. */
export type FirewallKeyType =
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'ether_addr'
  | 'ether_type'
  | 'inet_proto'
  | 'inet_service'
  | 'icmp_type'
  | 'icmpv6_type'
  | 'mark'
  | 'ifname'
  | 'iface_index'
  | 'uid'
  | 'gid'
  | 'ct_state'
  | 'nf_proto'
  | 'arp_op'
  | 'tcp_flag'
  | 'ct_status'
  | 'ct_dir'
  | 'ct_event'
  | 'pkt_type'
  | 'iface_type'
  | 'dscp'
  | 'ecn'
  | 'fib_addrtype'
  | 'devgroup'
  | 'realm'
  | 'hour'
  | 'day'

/** The name of a type of values. */
export type DataTypeName = keyof typeof DATA_TYPES

/** What a value of a type can be. */
export type ValueOf<D extends DataTypeName> = (typeof DATA_TYPES)[D] extends DataType<infer T> ? T : never
