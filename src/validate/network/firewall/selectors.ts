import { invalidValue } from '../../../errors.ts'
import { nearest } from '../../nearest.ts'
import { DATA_TYPES, type DataType, type DataTypeName, type ValueOf } from './data-types.ts'

const payload = {
  'ether saddr': 'ether_addr',
  'ether daddr': 'ether_addr',
  'ether type': 'ether_type',
  'ip saddr': 'ipv4_addr',
  'ip daddr': 'ipv4_addr',
  'ip protocol': 'inet_proto',
  'ip length': 'u16',
  'ip id': 'u16',
  'ip frag-off': 'u16',
  'ip ttl': 'u8',
  'ip dscp': 'dscp',
  'ip6 saddr': 'ipv6_addr',
  'ip6 daddr': 'ipv6_addr',
  'ip6 nexthdr': 'inet_proto',
  'ip6 length': 'u16',
  'ip6 hoplimit': 'u8',
  'arp htype': 'u16',
  'arp ptype': 'ether_type',
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
  'tcp urgptr': 'u16',
  'udp sport': 'inet_service',
  'udp dport': 'inet_service',
  'udp length': 'u16',
  'sctp sport': 'inet_service',
  'sctp dport': 'inet_service',
  'sctp vtag': 'u32',
  'dccp sport': 'inet_service',
  'dccp dport': 'inet_service',
  'udplite sport': 'inet_service',
  'udplite dport': 'inet_service',
  'th sport': 'inet_service',
  'th dport': 'inet_service',
  'icmp type': 'icmp_type',
  'icmp code': 'u8',
  'icmpv6 type': 'icmpv6_type',
  'icmpv6 code': 'u8',
  'esp spi': 'u32',
  'esp sequence': 'u32',
  'ah spi': 'u32',
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
  'meta day': 'day',
  'meta hour': 'hour',
} as const

const connection = {
  'ct state': 'ct_state',
  'ct direction': 'ct_dir',
  'ct status': 'ct_status',
  'ct mark': 'mark',
  'ct expiration': 'u32',
  'ct l3proto': 'nf_proto',
  'ct protocol': 'inet_proto',
  'ct packets': 'u64',
  'ct bytes': 'u64',
  'ct zone': 'u16',
  'ct id': 'u32',
  'ct original protocol': 'inet_proto',
  'ct original proto-src': 'inet_service',
  'ct original proto-dst': 'inet_service',
  'ct original packets': 'u64',
  'ct original bytes': 'u64',
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
  'ct reply zone': 'u16',
  'ct reply ip saddr': 'ipv4_addr',
  'ct reply ip daddr': 'ipv4_addr',
  'ct reply ip6 saddr': 'ipv6_addr',
  'ct reply ip6 daddr': 'ipv6_addr',
} as const

/** What a match compares, with the types of the values. */
export const SELECTORS = { ...payload, ...meta, ...connection } as const satisfies Record<string, DataTypeName>

/** What a match compares, as nft(8) writes it: a field of the packet, `meta`, `ct`. */
export type FirewallSelector = keyof typeof SELECTORS

/** What a value of a selector can be. */
export type SelectorValue<S extends FirewallSelector> = ValueOf<(typeof SELECTORS)[S]>

const FIB_FLAG = '(?:saddr|daddr|mark|iif|oif)'
const FIB = new RegExp(`^fib ${FIB_FLAG}(?: \\. ${FIB_FLAG})* (oif|oifname|type)$`)
const FIB_TYPES = { oif: DATA_TYPES.presence, oifname: DATA_TYPES.ifname, type: DATA_TYPES.fib_addrtype }

const RAW_TYPES: Readonly<Record<string, DataType>> = {
  8: DATA_TYPES.u8,
  16: DATA_TYPES.u16,
  32: DATA_TYPES.u32,
}

const STATEMENT =
  "must be a word such as 'accept', or an object with one key: a selector such as 'tcp dport', or what happens to the packet"

/** @internal Returns the types of a selector, or of several that are joined by ` . `. `expected` is for the message. */
export function typesOf(selector: string, name: string, expected = STATEMENT): DataType[] {
  const one = typeOf(selector)
  if (one !== undefined) return [one]
  return selector.split(' . ').map((part) => {
    const type = typeOf(part)
    if (type !== undefined) return type
    const suggestion = nearest(part, Object.keys(SELECTORS))
    const meant = suggestion === undefined ? '' : `; did you mean '${suggestion}'?`
    throw invalidValue(name, `${expected}${meant}`, part)
  })
}

function typeOf(selector: string): DataType | undefined {
  if (Object.hasOwn(SELECTORS, selector)) return DATA_TYPES[SELECTORS[selector as FirewallSelector]]
  const result = FIB.exec(selector)?.[1]
  if (result !== undefined) return FIB_TYPES[result as keyof typeof FIB_TYPES]
  const [, offset, bits] = /^@(?:ll|nh|th|ih),(\d{1,5}),(8|16|32)$/.exec(selector) ?? []
  return offset !== undefined && Number(offset) % 8 === 0 ? RAW_TYPES[bits as string] : undefined
}
