import type { FieldsOf } from '../../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../../values.ts'
import { ip, ipv4, milliseconds, text } from '../values.ts'
import { BOND, type BondData } from './bond.ts'
import { BRIDGE, type BridgeData } from './bridge.ts'

/** Data of a GENEVE tunnel: Ethernet over UDP. */
export interface GeneveData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** The IP address of the other end. */
  remote?: string | undefined
  /** The UDP port. Default: `6081`. */
  port?: number | undefined
  /** TTL of the outer packets. Default: the kernel's. */
  ttl?: number | undefined
}

/** Data of a GRE tunnel: kind `gre` is IP over IP, kind `gretap` is Ethernet over IP. */
export interface GreData {
  /** The IPv4 address of this end. */
  local?: string | undefined
  /** The IPv4 address of the other end. */
  remote?: string | undefined
  /** The key for both directions. */
  key?: number | undefined
  /** TTL of the outer packets. `0`: that of the inner packet. */
  ttl?: number | undefined
}

/** Data of an IP-in-IP tunnel. */
export interface IpipData {
  /** The IPv4 address of this end. */
  local?: string | undefined
  /** The IPv4 address of the other end. */
  remote?: string | undefined
  /** TTL of the outer packets. `0`: that of the inner packet. */
  ttl?: number | undefined
}

/** Data of an IPVLAN: a separate link that shares the MAC address of its device. */
export interface IpVlanData {
  /** Whether the device switches its packets (`'l2'`) or routes them (`'l3'`, `'l3s'`). Default: `'l3'`. */
  mode?: 'l2' | 'l3' | 'l3s' | undefined
}

/** Data of a MACVLAN: a separate link with its own MAC address on another device. */
export interface MacVlanData {
  /** Which other MACVLANs of the same device it can reach. `'bridge'`: all of them. Default: `'vepa'`. */
  mode?: 'private' | 'vepa' | 'bridge' | 'passthru' | 'source' | undefined
}

/** Data of a TUN or TAP: a link whose other end is a program that opens `/dev/net/tun`. */
export interface TunData {
  /** Whether the program reads IP packets (`'tun'`) or Ethernet frames (`'tap'`). Default: `'tun'`. */
  mode?: 'tun' | 'tap' | undefined
  /** The id of a user who may open it without CAP_NET_ADMIN. */
  owner?: number | undefined
  /** The id of a group whose members may open it without CAP_NET_ADMIN. */
  group?: number | undefined
}

/** Data of a VLAN: a link for those frames of its device that have a tag. */
export interface VlanData {
  /** The tag, 0 to 4094. */
  id: number
  /** The protocol of the tag. Default: `'802.1Q'`. */
  protocol?: '802.1Q' | '802.1ad' | undefined
}

/** Data of a VRF: a master whose ports use a separate routing table. */
export interface VrfData {
  /** The number of the routing table, at least 1. */
  table: number
}

/** Data of a VXLAN: Ethernet over UDP. */
export interface VxlanData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** The IP address of this end. */
  local?: string | undefined
  /** The multicast group that it joins. Not together with `remote`. */
  group?: string | undefined
  /** The IP address of the only other end. */
  remote?: string | undefined
  /** The UDP port. Default: `8472`, the kernel's; the standard's is `4789`. */
  port?: number | undefined
  /** TTL of the outer packets. Default: the kernel's. */
  ttl?: number | undefined
  /** Whether it learns which end has which MAC address. Default: `true`. */
  learning?: boolean | undefined
  /** In milliseconds, whole seconds: how long it remembers a learned MAC address. */
  ageingTime?: number | undefined
}

/** Data of a link whose kind nsset knows only by its name. */
export interface OtherData {
  /** The kernel's name of the kind, such as `'nlmon'`. */
  type: string
}

/** A kind of link without data. */
export type NoData = Record<never, never>

/** The kinds of link that can be created, and the data of each. */
export interface LinkData {
  bond: BondData
  bridge: BridgeData
  /** Drops all packets that are sent through it. */
  dummy: NoData
  geneve: GeneveData
  gre: GreData
  gretap: GreData
  /** Receives the traffic that a `tc` action redirects to it. */
  ifb: NoData
  ipip: IpipData
  ipvlan: IpVlanData
  macvlan: MacVlanData
  other: OtherData
  tun: TunData
  /** One end of a virtual cable. The other end, its peer, is a veth too. */
  veth: NoData
  vlan: VlanData
  vrf: VrfData
  vxlan: VxlanData
  /** `network.wireguard` sets its keys and peers. */
  wireguard: NoData
}

/** A kind of link that can be created. */
export type LinkKind = keyof LinkData

const networkId = whole(0, 0xffffff)
const gre = { local: ipv4, remote: ipv4, key: u32, ttl: u8 }

/** @internal The table of each kind's data. */
export const LINK_KINDS: { readonly [K in LinkKind]: FieldsOf<LinkData[K]> } = {
  bond: BOND,
  bridge: BRIDGE,
  dummy: {},
  geneve: { id: networkId, remote: ip, port: u16, ttl: u8 },
  gre,
  gretap: gre,
  ifb: {},
  ipip: { local: ipv4, remote: ipv4, ttl: u8 },
  ipvlan: { mode: word('l2', 'l3', 'l3s') },
  macvlan: { mode: word('private', 'vepa', 'bridge', 'passthru', 'source') },
  other: { type: text },
  tun: { mode: word('tun', 'tap'), owner: u32, group: u32 },
  veth: {},
  vlan: { id: whole(0, 4094), protocol: word('802.1Q', '802.1ad') },
  vrf: { table: whole(1, 0xffffffff) },
  vxlan: {
    id: networkId,
    local: ip,
    group: ip,
    remote: ip,
    port: u16,
    ttl: u8,
    learning: boolean,
    ageingTime: milliseconds,
  },
  wireguard: {},
}
