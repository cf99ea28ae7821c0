import { invalidValue } from '../../../../errors.ts'
import { meant } from '../../../nearest.ts'
import { computedType } from './computed-selectors.ts'
import { DATA_TYPES, type DataType, type DataTypeName, octetsOf, type ValueOf } from './data-types.ts'
import { headers } from './headers.ts'

const payload = {
  'ether saddr': 'ether_addr',
  'ether daddr': 'ether_addr',
  'ether type': 'ether_type',
  'vlan id': 'u12',
  'vlan pcp': 'u3',
  'vlan dei': 'u1',
  'vlan type': 'ether_type',
  'ip version': 'u4',
  'ip hdrlength': 'u4',
  'ip saddr': 'ipv4_addr',
  'ip daddr': 'ipv4_addr',
  'ip protocol': 'inet_proto',
  'ip length': 'u16',
  'ip id': 'u16',
  'ip frag-off': 'u16',
  'ip ttl': 'u8',
  'ip dscp': 'dscp',
  'ip ecn': 'ecn',
  'ip checksum': 'u16',
  'ip6 version': 'u4',
  'ip6 dscp': 'dscp',
  'ip6 ecn': 'ecn',
  'ip6 flowlabel': 'u20',
  'ip6 saddr': 'ipv6_addr',
  'ip6 daddr': 'ipv6_addr',
  'ip6 nexthdr': 'inet_proto',
  'ip6 length': 'u16',
  'ip6 hoplimit': 'u8',
  'arp htype': 'u16',
  'arp ptype': 'ether_type',
  'arp hlen': 'u8',
  'arp plen': 'u8',
  'arp operation': 'arp_op',
  'arp saddr ether': 'ether_addr',
  'arp saddr ip': 'ipv4_addr',
  'arp daddr ether': 'ether_addr',
  'arp daddr ip': 'ipv4_addr',
  'tcp sport': 'inet_service',
  'tcp dport': 'inet_service',
  'tcp sequence': 'u32',
  'tcp ackseq': 'u32',
  'tcp flags': 'tcp_flag',
  'tcp window': 'u16',
  'tcp checksum': 'u16',
  'tcp doff': 'u4',
  'tcp reserved': 'u4',
  'tcp urgptr': 'u16',
  'udp sport': 'inet_service',
  'udp dport': 'inet_service',
  'udp length': 'u16',
  'udp checksum': 'u16',
  'sctp sport': 'inet_service',
  'sctp dport': 'inet_service',
  'sctp vtag': 'u32',
  'sctp checksum': 'u32',
  'dccp sport': 'inet_service',
  'dccp dport': 'inet_service',
  'dccp type': 'u4',
  'udplite sport': 'inet_service',
  'udplite dport': 'inet_service',
  'udplite checksum': 'u16',
  'th sport': 'inet_service',
  'th dport': 'inet_service',
  'icmp type': 'icmp_type',
  'icmp code': 'u8',
  'icmp checksum': 'u16',
  'igmp type': 'u8',
  'igmp mrt': 'u8',
  'igmp checksum': 'u16',
  'igmp group': 'ipv4_addr',
  'icmpv6 type': 'icmpv6_type',
  'icmpv6 code': 'u8',
  'icmpv6 checksum': 'u16',
  'esp spi': 'u32',
  'esp sequence': 'u32',
  'ah nexthdr': 'inet_proto',
  'ah hdrlength': 'u8',
  'ah spi': 'u32',
  'ah sequence': 'u32',
  'comp nexthdr': 'inet_proto',
  'comp flags': 'u8',
  'comp cpi': 'u16',
} as const

const meta = {
  iif: 'iface_index',
  oif: 'iface_index',
  iifname: 'ifname',
  oifname: 'ifname',
  iiftype: 'iface_type',
  oiftype: 'iface_type',
  iifgroup: 'devgroup',
  oifgroup: 'devgroup',
  'meta length': 'u32',
  'meta protocol': 'ether_type',
  'meta priority': 'u32',
  'meta mark': 'mark',
  'meta skuid': 'uid',
  'meta skgid': 'gid',
  'meta nftrace': 'u8',
  'meta rtclassid': 'realm',
  'meta secmark': 'u32',
  'meta nfproto': 'nf_proto',
  'meta l4proto': 'inet_proto',
  'meta ibrname': 'ifname',
  'meta obrname': 'ifname',
  'meta pkttype': 'pkt_type',
  'meta cpu': 'u32',
  'meta cgroup': 'u32',
  'meta random': 'u32',
  'meta ipsec': 'presence',
  'meta iifkind': 'link_kind',
  'meta oifkind': 'link_kind',
  'meta ibrpvid': 'u16',
  'meta ibrvproto': 'ether_type',
  'meta time': 'date',
  'meta day': 'day',
  'meta hour': 'hour',
  'meta sdif': 'iface_index',
  'meta sdifname': 'ifname',
  'meta broute': 'u1',
} as const

const connection = {
  'ct state': 'ct_state',
  'ct direction': 'ct_dir',
  'ct status': 'ct_status',
  'ct mark': 'mark',
  'ct secmark': 'u32',
  'ct expiration': 'u32',
  'ct helper': 'name',
  'ct label': 'u7',
  'ct event': 'ct_event',
  'ct l3proto': 'nf_proto',
  'ct protocol': 'inet_proto',
  'ct packets': 'u64',
  'ct bytes': 'u64',
  'ct avgpkt': 'u64',
  'ct zone': 'u16',
  'ct id': 'u32',
  'ct original protocol': 'inet_proto',
  'ct original proto-src': 'inet_service',
  'ct original proto-dst': 'inet_service',
  'ct original packets': 'u64',
  'ct original bytes': 'u64',
  'ct original avgpkt': 'u64',
  'ct original zone': 'u16',
  'ct original ip saddr': 'ipv4_addr',
  'ct original ip daddr': 'ipv4_addr',
  'ct original ip6 saddr': 'ipv6_addr',
  'ct original ip6 daddr': 'ipv6_addr',
  'ct reply protocol': 'inet_proto',
  'ct reply proto-src': 'inet_service',
  'ct reply proto-dst': 'inet_service',
  'ct reply packets': 'u64',
  'ct reply bytes': 'u64',
  'ct reply avgpkt': 'u64',
  'ct reply zone': 'u16',
  'ct reply ip saddr': 'ipv4_addr',
  'ct reply ip daddr': 'ipv4_addr',
  'ct reply ip6 saddr': 'ipv6_addr',
  'ct reply ip6 daddr': 'ipv6_addr',
} as const

const surroundings = {
  'rt classid': 'realm',
  'rt ip nexthop': 'ipv4_addr',
  'rt ip6 nexthop': 'ipv6_addr',
  'rt mtu': 'u16',
  'rt ipsec': 'presence',
  'socket transparent': 'u1',
  'socket mark': 'mark',
  'socket wildcard': 'u1',
  'osf name': 'name',
  'osf version': 'name',
  'ipsec in ip saddr': 'ipv4_addr',
  'ipsec in ip daddr': 'ipv4_addr',
  'ipsec in ip6 saddr': 'ipv6_addr',
  'ipsec in ip6 daddr': 'ipv6_addr',
  'ipsec in reqid': 'u32',
  'ipsec in spi': 'u32',
  'ipsec out ip saddr': 'ipv4_addr',
  'ipsec out ip daddr': 'ipv4_addr',
  'ipsec out ip6 saddr': 'ipv6_addr',
  'ipsec out ip6 daddr': 'ipv6_addr',
  'ipsec out reqid': 'u32',
  'ipsec out spi': 'u32',
} as const

/** What a match compares, with the types of the values. */
export const SELECTORS = { ...payload, ...headers, ...meta, ...connection, ...surroundings } as const satisfies Record<
  string,
  DataTypeName
>

/** What a match compares, as nft(8) writes it: a field of the packet, `meta`, `ct`. */
export type FirewallSelector = keyof typeof SELECTORS

/** What a value of a selector can be. */
export type SelectorValue<S extends FirewallSelector> = ValueOf<(typeof SELECTORS)[S]>

const FIB_FLAG = '(?:saddr|daddr|mark|iif|oif)'
const FIB = new RegExp(`^fib ${FIB_FLAG}(?: \\. ${FIB_FLAG})* (oif|oifname|type)$`)
const FIB_TYPES = { oif: DATA_TYPES.index_or_presence, oifname: DATA_TYPES.ifname, type: DATA_TYPES.fib_addrtype }

/**
 * @internal Returns the types of a selector, or of several that are joined by ` . `. `expected` and `others`, the other words that can
 * be meant, are for the message.
 */
export function typesOf(selector: string, name: string, expected: string, others: readonly string[] = []): DataType[] {
  const one = typeOf(selector) ?? maskedType(selector)
  if (one !== undefined) return [one]
  return selector.split(' . ').map((part) => {
    const type = typeOf(part) ?? maskedType(part)
    if (type !== undefined) return type
    throw invalidValue(name, expected + meant(part, [...Object.keys(SELECTORS), ...others]), part)
  })
}

function typeOf(selector: string): DataType | undefined {
  if (Object.hasOwn(SELECTORS, selector)) return DATA_TYPES[SELECTORS[selector as FirewallSelector]]
  const result = FIB.exec(selector)?.[1]
  if (result !== undefined) return FIB_TYPES[result as keyof typeof FIB_TYPES]
  const [, offset, bits] = /^@(?:ll|nh|th|ih),(\d{1,5}),(\d{1,3})$/.exec(selector) ?? []
  if (offset !== undefined) return Number(offset) % 8 === 0 ? bytesType(Number(bits)) : undefined
  return computedType(selector, (part) => Object.hasOwn(SELECTORS, part))
}

/** The type of bytes of a packet. Those that are no number in JavaScript, or in the kernel, are hexadecimal digits. */
function bytesType(bits: number): DataType | undefined {
  if (bits === 8) return DATA_TYPES.u8
  if (bits === 16) return DATA_TYPES.u16
  if (bits === 32) return DATA_TYPES.u32
  return bits >= 8 && bits <= 128 && bits % 8 === 0 ? octetsOf(bits / 8) : undefined
}

/** The type of some bits of a selector, such as `ip saddr & 255.255.255.0`. */
function maskedType(selector: string): DataType | undefined {
  const [name = '', mask, ...more] = selector.split(' & ')
  if (mask === undefined || more.length > 0) return undefined
  const type = typeOf(name)
  return type !== undefined && !type.isFlags && isOneValue(mask, type) ? type : undefined
}

function isOneValue(text: string, type: DataType): boolean {
  if (/[-/*]/.test(text)) return false
  try {
    type.parse(/^\d+$/.test(text) ? Number(text) : text, '')
    return true
  } catch {
    return false
  }
}
