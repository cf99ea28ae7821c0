import type { FieldsOf } from '../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../values.ts'
import { ip, ipv4, milliseconds, text } from './values.ts'

/** What is special about a bridge: a switch, whose ports are the links that have it as their master. */
export interface BridgeData {
  /** Whether it takes part in the spanning tree protocol. */
  stp?: boolean | undefined
  /** Milliseconds for which a new port listens and learns before it forwards; without `stp`, too. */
  forwardDelay?: number | undefined
  /** Milliseconds. */
  helloTime?: number | undefined
  /** Milliseconds. */
  maxAge?: number | undefined
  /** Milliseconds for which a MAC address is remembered. */
  ageingTime?: number | undefined
  /** The lower, the nearer to being the root of the spanning tree. */
  priority?: number | undefined
  /** Whether frames are kept to the VLANs of their ports. */
  vlanFiltering?: boolean | undefined
  /** The VLAN of untagged frames; 0 for none. */
  vlanDefaultPvid?: number | undefined
  /** Whether multicast goes to the ports that asked for it only (IGMP, MLD). */
  multicastSnooping?: boolean | undefined
}

/** What is special about a bond: several links, its ports, that work as one. */
export interface BondData {
  /** Which port a packet leaves by. Default: `'balance-rr'`. */
  mode?: BondMode | undefined
  /** Interval in milliseconds at which the carrier of the ports is checked. Default: never. */
  monitorInterval?: number | undefined
}

/** Which port of a bond a packet leaves by, in the kernel's words. */
export type BondMode =
  | 'balance-rr'
  | 'active-backup'
  | 'balance-xor'
  | 'broadcast'
  | '802.3ad'
  | 'balance-tlb'
  | 'balance-alb'

/** What is special about a GENEVE tunnel: an Ethernet within UDP. */
export interface GeneveData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** The other end. */
  remote?: string | undefined
  /** The UDP port. Default: 6081. */
  port?: number | undefined
  /** Of the packets that carry it. Default: the kernel's. */
  ttl?: number | undefined
}

/** What is special about a GRE tunnel: IP within IP, or, of kind `gretap`, an Ethernet within IP. */
export interface GreData {
  /** This end, an IPv4 address. */
  local?: string | undefined
  /** The other end, an IPv4 address. */
  remote?: string | undefined
  /** The key in both directions. */
  key?: number | undefined
  /** 0 is that of the packet within. */
  ttl?: number | undefined
}

/** What is special about an IP-in-IP tunnel. */
export interface IpipData {
  /** This end, an IPv4 address. */
  local?: string | undefined
  /** The other end, an IPv4 address. */
  remote?: string | undefined
  /** 0 is that of the packet within. */
  ttl?: number | undefined
}

/** What is special about an IPVLAN: a link of its own with the MAC address of the device it is on. */
export interface IpVlanData {
  /** Where its packets are routed. Default: `'l3'`. */
  mode?: 'l2' | 'l3' | 'l3s' | undefined
}

/** What is special about a MACVLAN: a link of its own, with a MAC address of its own, on another's wire. */
export interface MacVlanData {
  /** Whom of the others on the same device it can talk to. Default: `'vepa'`; `'bridge'` for all of them. */
  mode?: 'private' | 'vepa' | 'bridge' | 'passthru' | 'source' | undefined
}

/** What is special about a TUN or TAP: a link whose other end is a program that opens `/dev/net/tun`. */
export interface TunData {
  /** Whether the program reads IP packets (`'tun'`) or frames (`'tap'`). Default: `'tun'`. */
  mode?: 'tun' | 'tap' | undefined
  /** The user who may open it, beside who has CAP_NET_ADMIN. */
  owner?: number | undefined
  /** The group that may. */
  group?: number | undefined
}

/** What is special about a VLAN: a link that carries the frames of another that have its tag. */
export interface VlanData {
  /** The tag, 0 to 4094. */
  id: number
  /** What marks a frame as tagged. Default: `'802.1Q'`. */
  protocol?: '802.1Q' | '802.1ad' | undefined
}

/** What is special about a VRF: a master whose ports use a routing table of their own. */
export interface VrfData {
  /** The number of the routing table; not 0. */
  table: number
}

/** What is special about a VXLAN: an Ethernet within UDP. */
export interface VxlanData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** This end. */
  local?: string | undefined
  /** The multicast group that it belongs to; not with a `remote`. */
  group?: string | undefined
  /** The one other end. */
  remote?: string | undefined
  /** The UDP port; the kernel's own is 8472, the standard's 4789. */
  port?: number | undefined
  /** Of the packets that carry it. Default: the kernel's. */
  ttl?: number | undefined
  /** Whether it learns which address is where. Default: `true`. */
  learning?: boolean | undefined
  /** Milliseconds, whole seconds of them, for which it remembers. */
  ageingTime?: number | undefined
}

/** One of a kind that is known here by its name only. */
export interface OtherData {
  /** The kernel's name of the kind: `'nlmon'`. */
  type: string
}

/** Nothing is special about it. */
export type NoData = Record<never, never>

/** The kinds of link that can be made, and what is special about each. */
export interface LinkData {
  bond: BondData
  bridge: BridgeData
  /** Swallows what is sent to it. */
  dummy: NoData
  geneve: GeneveData
  gre: GreData
  gretap: GreData
  /** For the traffic that a `tc` action redirects to it. */
  ifb: NoData
  ipip: IpipData
  ipvlan: IpVlanData
  macvlan: MacVlanData
  other: OtherData
  tun: TunData
  /** One end of a cable; the other end is a link, too. */
  veth: NoData
  vlan: VlanData
  vrf: VrfData
  vxlan: VxlanData
  /** Its keys and peers are set by `network.wireguard`. */
  wireguard: NoData
}

/** A kind of link that can be made. */
export type LinkKind = keyof LinkData

const networkId = whole(0, 0xffffff)
const gre = { local: ipv4, remote: ipv4, key: u32, ttl: u8 }

/** @internal What each kind takes, and how it is checked. */
export const LINK_KINDS: { readonly [K in LinkKind]: FieldsOf<LinkData[K]> } = {
  bond: {
    mode: word('balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'),
    monitorInterval: milliseconds,
  },
  bridge: {
    stp: boolean,
    forwardDelay: milliseconds,
    helloTime: milliseconds,
    maxAge: milliseconds,
    ageingTime: milliseconds,
    priority: u16,
    vlanFiltering: boolean,
    vlanDefaultPvid: whole(0, 4094),
    multicastSnooping: boolean,
  },
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
