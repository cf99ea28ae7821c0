import { invalidValue } from '../../../errors.ts'
import { array, type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { boolean, described, fd, u8, u16, u32, whole, word } from '../../values.ts'
import { ipProtocol, type NumberRange, rangeOf } from '../routing/rule.ts'
import { cidr, familyOf, mac, octets, text } from '../values.ts'
import { type FilterAction, filterAction } from './action.ts'
import { handle } from './qdisc.ts'

/** The protocol of the packets that a filter sees. A number is one of `ETH_P_*` of linux/if_ether.h. */
export type FilterProtocol = 'all' | 'ip' | 'ipv6' | 'arp' | '802.1Q' | number

/** Fields of packets that a flower filter compares; all of them must match: tc-flower(8). */
export interface FlowerData {
  sourceMac?: string | undefined
  destinationMac?: string | undefined
  /** The protocol of IP. Requires the protocol `'ip'` or `'ipv6'` of the filter. */
  ipProto?: 'tcp' | 'udp' | 'icmp' | 'ipv6-icmp' | 'sctp' | number | undefined
  /** In CIDR notation. */
  source?: string | undefined
  /** In CIDR notation. */
  destination?: string | undefined
  /** The source port, or a range. Requires `ipProto`. */
  sport?: number | Readonly<NumberRange> | undefined
  /** The destination port, or a range. Requires `ipProto`. */
  dport?: number | Readonly<NumberRange> | undefined
  /** The type of service, or the traffic class (`ip_tos`). */
  tos?: number | undefined
  /** The time to live, or the hop limit (`ip_ttl`). */
  ttl?: number | undefined
  /** Whether the packet is a fragment (`ip_flags`). */
  fragment?: boolean | undefined
  /** The flags of TCP, of which those in `mask` count: 2 is SYN, 16 is ACK. Requires `ipProto` `'tcp'`. */
  tcpFlags?: { readonly value: number; readonly mask: number } | undefined
  /** The type of an ICMP message (`type`). Requires `ipProto` `'icmp'` or `'ipv6-icmp'`. */
  icmpType?: number | undefined
  /** The code of an ICMP message (`code`). Requires `ipProto` `'icmp'` or `'ipv6-icmp'`. */
  icmpCode?: number | undefined
  /** The VLAN. Requires the protocol `'802.1Q'` of the filter. */
  vlan?: number | undefined
  /** The priority in the VLAN tag, 0 to 7 (`vlan_prio`). Requires the protocol `'802.1Q'` of the filter. */
  vlanPriority?: number | undefined
  /** The protocol behind the VLAN tag, for the other fields (`vlan_ethtype`). Requires the protocol `'802.1Q'` of the filter. */
  vlanProtocol?: FilterProtocol | undefined
}

/** A word of 32 bits that a u32 filter compares: tc-u32(8). */
export interface U32Match {
  /** The word in the byte order of the network. */
  value: number
  /** The bits that count. */
  mask: number
  /** Its place in bytes from the header of IP, a multiple of 4. Negative: before it. */
  offset: number
}

/** The kinds of filter, and the options of each. */
export interface FilterData {
  /** Every packet matches: tc-matchall(8). */
  matchall: unknown
  flower: FlowerData
  /** All of these words must match. */
  u32: { matches: readonly U32Match[] }
  /** The packets whose mark is the `handle` match: tc-fw(8). */
  fw: {
    /** The bits of the mark that count. Default: all. */
    mask?: number | undefined
  }
  /** A program decides: tc-bpf(8). */
  bpf: {
    /** The descriptor of the program in this process. A list does not have it, so that such a filter cannot be added from it. */
    fd?: number | undefined
    /** A name for lists. Default: `'bpf'`. */
    name?: string | undefined
    /** Whether the result of the program is a verdict, and not a class. Default: `false`. */
    directAction?: boolean | undefined
    /** In a list: the id of the program. In a spec it has no effect. */
    id?: number | undefined
  }
  /** A filter whose kind nsset knows only by its name. */
  other: {
    /** The kernel's name of the kind, such as `'basic'`. */
    type: string
    /** The kernel's attributes of its options, in hexadecimal digits. */
    options?: string | undefined
  }
}

/** A kind of filter. */
export type FilterKind = keyof FilterData

/** The properties of every filter. */
export interface FilterBase {
  link: { index: number }
  /** A qdisc, such as `'1:'`; a class, such as `'1:1'`; or `'ingress'` or `'egress'` of a qdisc of type `clsact`. */
  parent: string
  /** Filters are tried from the lowest number to the highest. */
  priority: number
  protocol: FilterProtocol
  /** Its own number within the priority; of `fw`, the mark. */
  handle: number
  /** The chain, if it is not the first. */
  chain?: number
  /** The class of the packets that match, such as `'1:10'` (`classid`, `flowid`). */
  class?: string
  actions?: FilterAction[]
}

/** A filter of any kind. `kind` tells them apart. */
export type TrafficFilter = { [K in FilterKind]: FilterBase & FilterData[K] & { kind: K } }[FilterKind]

/** The place of a filter, its class and its actions. */
export interface FilterPlace {
  /** A qdisc, such as `'1:'`; a class, such as `'1:1'`; or `'ingress'` or `'egress'` of a qdisc of type `clsact`. */
  parent: string
  /** Filters are tried from the lowest number to the highest. Default: chosen by the kernel. */
  priority?: number | undefined
  /** Default: `'all'`. */
  protocol?: FilterProtocol | undefined
  /** Its own number within the priority; of `fw`, the mark. Default: chosen by the kernel. */
  handle?: number | undefined
  /** Default: the first. */
  chain?: number | undefined
  /** The class of the packets that match, such as `'1:10'` (`classid`, `flowid`). */
  class?: string | undefined
  /** What is done with the packets that match, in order. */
  actions?: readonly FilterAction[] | undefined
}

/** A new filter of any kind. `kind` tells them apart. */
export type TrafficFilterSpec = { [K in FilterKind]: FilterPlace & FilterData[K] & { kind: K } }[FilterKind]

/** Options of {@link NetworkFilters.list}. */
export interface ListFiltersOptions {
  /** Only the filters of this parent. Default: those of all qdiscs and classes of the link. */
  parent?: string | undefined
}

const protocolWord = word('all', 'ip', 'ipv6', 'arp', '802.1Q')

const protocol: Parse<FilterProtocol> = (value, name) =>
  typeof value === 'number' ? whole(1, 0xffff)(value, name) : protocolWord(value, name)

const parent: Parse<string> = (value, name) => (value === 'egress' ? value : handle(value, name))

const port = whole(1, 0xffff)

/** The kernel requires two different ends of a range. */
const ports: Parse<number | NumberRange> = (value, name) => {
  const { start, end } = rangeOf(port)(value, name)
  return start === end ? start : { start, end }
}

const tcpFlags = whole(0, 0xfff)

const TCP_FLAGS = { value: tcpFlags, mask: tcpFlags }

const MATCH = {
  value: u32,
  mask: u32,
  offset: whole(-0x7ffffffc, 0x7ffffffc),
} satisfies FieldsOf<U32Match>

const FILTER_KINDS = {
  matchall: {},
  flower: {
    sourceMac: mac,
    destinationMac: mac,
    ipProto: ipProtocol,
    source: cidr,
    destination: cidr,
    sport: ports,
    dport: ports,
    tos: u8,
    ttl: u8,
    fragment: boolean,
    tcpFlags: (value, name) => parseFields(value, name, TCP_FLAGS, ['value', 'mask']),
    icmpType: u8,
    icmpCode: u8,
    vlan: whole(1, 4094),
    vlanPriority: whole(0, 7),
    vlanProtocol: protocol,
  } satisfies FieldsOf<FlowerData>,
  u32: {
    matches: array((value, name) => parseFields(value, name, MATCH, ['value', 'mask', 'offset'])),
  } satisfies FieldsOf<FilterData['u32']>,
  fw: { mask: u32 } satisfies FieldsOf<FilterData['fw']>,
  bpf: { fd, name: text, directAction: boolean, id: described } satisfies FieldsOf<FilterData['bpf']>,
  other: { type: text, options: octets } satisfies FieldsOf<FilterData['other']>,
} satisfies { readonly [K in FilterKind]: Fields }

const REQUIRED: { readonly [K in FilterKind]?: readonly string[] } = {
  u32: ['matches'],
  fw: ['handle'],
  bpf: ['fd'],
  other: ['type'],
}

const KINDS = Object.keys(FILTER_KINDS) as FilterKind[]

const kind: Parse<FilterKind> = (value, name) => {
  if (KINDS.includes(value as FilterKind)) return value as FilterKind
  throw invalidValue(name, `must be a kind of filter: ${KINDS.join(', ')}`, value)
}

const PLACE = {
  kind,
  parent,
  priority: u16,
  protocol,
  handle: u32,
  chain: u32,
  class: handle,
  actions: array(filterAction),
  link: described,
} satisfies FieldsOf<FilterPlace & FilterBase & { kind: FilterKind }>

/** @internal */
export function parseFilter(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { ...PLACE, ...FILTER_KINDS[of] }
  const parsed = parseFields(spec, name, fields, ['parent', ...(REQUIRED[of] ?? [])])
  if (of === 'flower') ensureFlower(parsed, name)
  return parsed
}

/** The kernel ignores what it cannot compare, and would let packets match that should not. */
function ensureFlower(flower: Plain, name: string): void {
  const { protocol, ipProto, source, destination, vlanProtocol } = flower
  const given = (...keys: (keyof FlowerData)[]) => keys.some((key) => flower[key] !== undefined)
  if (given('sport', 'dport') && ipProto === undefined) {
    throw invalidValue(`${name}.ipProto`, 'is required with a port', undefined)
  }
  if (given('tcpFlags') && ipProto !== TCP)
    throw invalidValue(`${name}.ipProto`, "must be 'tcp' for its flags", ipProto)
  if (given('icmpType', 'icmpCode') && ipProto !== ICMP && ipProto !== ICMPV6) {
    throw invalidValue(`${name}.ipProto`, "must be 'icmp' or 'ipv6-icmp' for a type or a code", ipProto)
  }
  if (given('vlan', 'vlanPriority', 'vlanProtocol') && protocol !== '802.1Q') {
    throw invalidValue(`${name}.protocol`, "must be '802.1Q' for a VLAN", protocol)
  }
  const net = source ?? destination
  if (net === undefined && !given('ipProto', 'tos', 'ttl', 'fragment')) return
  const suited =
    net === undefined ? ['ip', 'ipv6'] : familyOf(String(net).split('/')[0] ?? '') === 6 ? ['ipv6'] : ['ip']
  const [key, inner] = vlanProtocol === undefined ? ['protocol', protocol] : ['vlanProtocol', vlanProtocol]
  if (suited.includes(String(inner))) return
  throw invalidValue(
    `${name}.${key}`,
    `must be ${suited.map((word) => `'${word}'`).join(' or ')} for these fields`,
    inner,
  )
}

const ICMP = 1
const TCP = 6
const ICMPV6 = 58

/** @internal */
export function parseListFiltersOptions(options: unknown): Plain {
  return options === undefined ? {} : parseFields(options, 'options', { parent })
}

/** What identifies a filter to delete. It can be a {@link TrafficFilter} of a list. */
export interface FilterRef {
  /** Its qdisc or class, or `'ingress'` or `'egress'`. */
  parent: string
  /** Its priority. */
  priority: number
  /** Default: `'all'`. */
  protocol?: FilterProtocol | undefined
  /** Default: all filters of the priority. */
  handle?: number | undefined
  /** Default: the first. */
  chain?: number | undefined
  /** Default: any. */
  kind?: FilterKind | undefined
}

/** @internal Parses what identifies a filter. */
export function parseFilterRef(ref: unknown, name: string): Plain {
  const given = parseObject(ref, name)
  const of = given['kind'] === undefined ? undefined : kind(given['kind'], `${name}.kind`)
  const rest = Object.fromEntries(Object.keys(of === undefined ? {} : FILTER_KINDS[of]).map((key) => [key, described]))
  const fields: Fields = { ...PLACE, ...rest, type: text, class: described, actions: described }
  const { parent, priority, protocol, handle, chain, type } = parseFields(ref, name, fields, ['parent', 'priority'])
  return { place: { parent, priority, protocol, handle, chain }, type: of === 'other' ? type : of }
}
