import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse } from '../../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../../values.ts'
import { cidr, type Family, familyOf, ipv4, ipv6 } from '../values.ts'

/** What every tunnel over IP can have. */
export interface TunnelData {
  /**
   * The protocol over UDP in which the packets are: foo over UDP, or generic UDP encapsulation. `ip fou` lets the other end receive
   * them. The kernel needs its module fou, or fou6, and loads neither itself: without it the link is an `EINVAL`.
   */
  encap?: 'fou' | 'gue' | undefined
  /** The UDP port of the other end (`encap-dport`). */
  encapPort?: number | undefined
  /** The UDP port of this end (`encap-sport`). `0`: one for each flow. Default: `0`. */
  encapSourcePort?: number | undefined
  /** Which checksums the UDP packets have (`encap-csum`, `encap-csum6`, `encap-remcsum`). Default: none. */
  encapFlags?: readonly TunnelEncapFlag[] | undefined
  /**
   * Whether each packet says where it goes, because a route or a filter with an encapsulation says so: the tunnel has no other end
   * then. Not together with `encap`.
   */
  external?: boolean | undefined
}

/**
 * A checksum of a tunnel over UDP.
 *
 * - `'checksum'`, `'checksum6'`: packets over IPv4, or over IPv6, have one
 * - `'remote-checksum'`: the other end computes that of the inner packet; only with `'gue'`
 */
export type TunnelEncapFlag = 'checksum' | 'checksum6' | 'remote-checksum'

/** What the tunnels of GRE have over IPv4 and IPv6. `true`, or the direction for which it holds: `'input'` for packets that arrive. */
export interface GreKeys extends TunnelData {
  /** The key for both directions. */
  key?: number | undefined
  /** The key of packets that arrive (`ikey`). Not together with `key`. */
  inputKey?: number | undefined
  /** The key of packets that leave (`okey`). Not together with `key`. */
  outputKey?: number | undefined
  /** Which packets have a checksum (`csum`, `icsum`, `ocsum`). Default: none. */
  checksum?: boolean | 'input' | 'output' | undefined
  /** Which packets are numbered: the kernel drops those that arrive late (`seq`, `iseq`, `oseq`). Default: none. */
  sequence?: boolean | 'input' | 'output' | undefined
}

/** Data of a GRE tunnel: kind `gre` is IP over IP, kind `gretap` is Ethernet over IP. */
export interface GreData extends GreKeys {
  /** The IPv4 address of this end. */
  local?: string | undefined
  /** The IPv4 address of the other end. */
  remote?: string | undefined
  /** TTL of the outer packets. `0`: that of the inner packet. */
  ttl?: number | undefined
  /** TOS of the outer packets. `1`: that of the inner packet. */
  tos?: number | undefined
  /** Whether routers must not divide the outer packets (`pmtudisc`). Default: `true`. */
  pathMtuDiscovery?: boolean | undefined
  /** Whether packets that must not be divided are divided nevertheless (`ignore-df`). Requires that `pathMtuDiscovery` is `false`. */
  ignoreDontFragment?: boolean | undefined
  /** The mark by which the kernel looks up the route of the outer packets (`fwmark`). */
  mark?: number | undefined
}

/** Data of an IP-in-IP tunnel. */
export interface IpipData extends TunnelData {
  /** The IPv4 address of this end. */
  local?: string | undefined
  /** The IPv4 address of the other end. */
  remote?: string | undefined
  /** What is inside: IPv4 (`'ipip'`), MPLS (`'mplsip'`), or both. Default: `'ipip'`; that of `ip link` is `'any'`. */
  mode?: 'any' | 'ipip' | 'mplsip' | undefined
  /** TTL of the outer packets. `0`: that of the inner packet. */
  ttl?: number | undefined
  /** TOS of the outer packets. `1`: that of the inner packet. */
  tos?: number | undefined
  /** Whether routers must not divide the outer packets (`pmtudisc`). Default: `true`. */
  pathMtuDiscovery?: boolean | undefined
  /** The mark by which the kernel looks up the route of the outer packets (`fwmark`). */
  mark?: number | undefined
}

/** Data of a SIT tunnel: IPv6, and other protocols, over IPv4. */
export interface SitData extends TunnelData {
  /** The IPv4 address of this end. */
  local?: string | undefined
  /** The IPv4 address of the other end. */
  remote?: string | undefined
  /** What is inside: IPv6 (`'ip6ip'`), IPv4 (`'ipip'`), MPLS (`'mplsip'`), or all of them. Default: `'ip6ip'`. */
  mode?: 'any' | 'ipip' | 'ip6ip' | 'mplsip' | undefined
  /** TTL of the outer packets. `0`: that of the inner packet. Default: `64`. */
  ttl?: number | undefined
  /** TOS of the outer packets. `1`: that of the inner packet. */
  tos?: number | undefined
  /** Whether routers must not divide the outer packets (`pmtudisc`). Default: `true`. */
  pathMtuDiscovery?: boolean | undefined
  /** The mark by which the kernel looks up the route of the outer packets (`fwmark`). */
  mark?: number | undefined
  /**
   * IPv6 rapid deployment (RFC 5969): the prefix whose addresses contain the IPv4 address of their router (`6rd-prefix`), in CIDR
   * notation. Default: `'2002::/16'`, that of 6to4. The kernel needs CONFIG_IPV6_SIT_6RD.
   */
  rapidDeployment?: string | undefined
  /** What all these IPv4 addresses begin with, which the IPv6 addresses leave out (`6rd-relay_prefix`). Default: `'0.0.0.0/0'`. */
  rapidDeploymentRelay?: string | undefined
}

/**
 * What a tunnel over IPv6 copies and ignores.
 *
 * - `'no-encap-limit'`: the packets can enter any number of further tunnels (`encaplimit none`)
 * - `'copy-traffic-class'`, `'copy-flow-label'`: from the inner packet (`tclass inherit`, `flowlabel inherit`)
 * - `'copy-dscp'`: from the outer packet to the inner one (`dscp inherit`)
 * - `'copy-mark'`: the mark of the inner packet counts for the route of the outer one (`fwmark inherit`)
 * - `'allow-local-remote'`: the other end can have an address of this network (`allow-localremote`)
 */
export type Ip6TunnelFlag =
  | 'no-encap-limit'
  | 'copy-traffic-class'
  | 'copy-flow-label'
  | 'copy-dscp'
  | 'copy-mark'
  | 'allow-local-remote'

/** Data of every tunnel over IPv6. */
export interface Ip6TunnelData extends TunnelData {
  /** The IPv6 address of this end. */
  local?: string | undefined
  /** The IPv6 address of the other end. */
  remote?: string | undefined
  /** Hop limit of the outer packets (`hoplimit`). Default: `0`, that of the route; for GRE, that of the inner packet. */
  ttl?: number | undefined
  /** How many more tunnels the packets can enter (`encaplimit`). Default: `0`; with `ip`, `4`. */
  encapLimit?: number | undefined
  /** The traffic class in bits 20 to 27, and the flow label in bits 0 to 19, of the outer packets. */
  flowInfo?: number | undefined
  /** Default: none. */
  flags?: readonly Ip6TunnelFlag[] | undefined
  /** The mark by which the kernel looks up the route of the outer packets (`fwmark`). */
  mark?: number | undefined
}

/** Data of an ip6tnl tunnel: IP over IPv6. */
export interface Ip6TnlData extends Ip6TunnelData {
  /** What is inside: IPv4 (`'ipip6'`), IPv6 (`'ip6ip6'`), or both. Default: `'any'`. */
  mode?: 'any' | 'ipip6' | 'ip6ip6' | undefined
}

/** Data of a GRE tunnel over IPv6: kind `ip6gre` is IP over IPv6, kind `ip6gretap` is Ethernet over IPv6. */
export interface Ip6GreData extends Ip6TunnelData, GreKeys {}

/** @internal The kernel has no attribute for `false`. */
export const flag: Parse<true | undefined> = (value, name) => boolean(value, name) || undefined

const tunnel = {
  encap: word('fou', 'gue'),
  encapPort: u16,
  encapSourcePort: u16,
  encapFlags: array(word('checksum', 'checksum6', 'remote-checksum')),
  external: flag,
} satisfies FieldsOf<TunnelData>

const ipv4tunnel = { ...tunnel, local: ipv4, remote: ipv4, ttl: u8, tos: u8, pathMtuDiscovery: boolean, mark: u32 }

const ways: Parse<boolean | 'input' | 'output'> = (value, name) =>
  typeof value === 'boolean' ? value : word('input', 'output')(value, name)

const keys = { key: u32, inputKey: u32, outputKey: u32, checksum: ways, sequence: ways }

const ip6tunnel = {
  ...tunnel,
  local: ipv6,
  remote: ipv6,
  ttl: u8,
  encapLimit: u8,
  flowInfo: whole(0, 0x0fffffff),
  flags: array(
    word(
      ...(['no-encap-limit', 'copy-traffic-class', 'copy-flow-label'] as const),
      ...(['copy-dscp', 'copy-mark', 'allow-local-remote'] as const),
    ),
  ),
  mark: u32,
} satisfies FieldsOf<Ip6TunnelData>

function netOf(family: Family): Parse<string> {
  return (value, name) => {
    const net = cidr(value, name)
    if (familyOf(net.split('/')[0] ?? '') === (family === 'IPv6' ? 6 : 4)) return net
    throw invalidValue(name, `must be of ${family}`, value)
  }
}

/** @internal */
export const GRE = { ...ipv4tunnel, ...keys, ignoreDontFragment: boolean } satisfies FieldsOf<GreData>

/** @internal */
export const IP6GRE = { ...ip6tunnel, ...keys } satisfies FieldsOf<Ip6GreData>

/** @internal */
export const IP6TNL = { ...ip6tunnel, mode: word('any', 'ipip6', 'ip6ip6') } satisfies FieldsOf<Ip6TnlData>

/** @internal */
export const IPIP = { ...ipv4tunnel, mode: word('any', 'ipip', 'mplsip') } satisfies FieldsOf<IpipData>

/** @internal */
export const SIT = {
  ...ipv4tunnel,
  mode: word('any', 'ipip', 'ip6ip', 'mplsip'),
  rapidDeployment: netOf('IPv6'),
  rapidDeploymentRelay: netOf('IPv4'),
} satisfies FieldsOf<SitData>
