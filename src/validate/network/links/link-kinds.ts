import type { FieldsOf } from '../../fields.ts'
import { u16, u32, whole, word } from '../../values.ts'
import { text } from '../values.ts'
import { BOND, type BondData } from './bond.ts'
import { BRIDGE, type BridgeData } from './bridge.ts'
import { MACSEC, type MacsecData, VTI, VTI6, type VtiData, XFRM, type XfrmData } from './encryption.ts'
import { IPVLAN, type IpVlanData, MACVLAN, type MacVlanData, VLAN, type VlanData } from './sharing.ts'
import {
  GRE,
  type GreData,
  IP6GRE,
  IP6TNL,
  IPIP,
  type Ip6GreData,
  type Ip6TnlData,
  type IpipData,
  SIT,
  type SitData,
} from './tunnels.ts'
import { GENEVE, type GeneveData, VXLAN, type VxlanData } from './udp-tunnels.ts'

/** Data of a netkit: a pair of links, like a veth, for BPF programs. Linux 6.7. */
export interface NetkitData {
  /** Whether its ends have hardware addresses (`'l2'`). Default: `'l3'`. */
  mode?: 'l2' | 'l3' | undefined
  /** What happens to packets that this end sends while no program is attached to it. Default: `'forward'`. */
  policy?: 'forward' | 'blackhole' | undefined
  /** The same for the other end. */
  peerPolicy?: 'forward' | 'blackhole' | undefined
  /** Whether packets lose their mark and priority on their way to this end. Linux 6.13. Default: `'default'`, they do. */
  scrub?: 'none' | 'default' | undefined
  /** The same for the other end. */
  peerScrub?: 'none' | 'default' | undefined
  /** Free bytes before the data of each packet. Linux 6.14. */
  headroom?: number | undefined
  /** Free bytes after the data of each packet. Linux 6.14. */
  tailroom?: number | undefined
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

/** Data of a VRF: a master whose ports use a separate routing table. */
export interface VrfData {
  /** The number of the routing table, at least 1. */
  table: number
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
  ip6gre: Ip6GreData
  ip6gretap: Ip6GreData
  ip6tnl: Ip6TnlData
  ipip: IpipData
  ipvlan: IpVlanData
  macsec: MacsecData
  macvlan: MacVlanData
  netkit: NetkitData
  other: OtherData
  sit: SitData
  tun: TunData
  /** One end of a virtual cable. The other end, its peer, is a veth too. */
  veth: NoData
  vlan: VlanData
  vrf: VrfData
  vti: VtiData
  vti6: VtiData
  vxlan: VxlanData
  /** `network.wireguard` sets its keys and peers. */
  wireguard: NoData
  xfrm: XfrmData
}

/** A kind of link that can be created. */
export type LinkKind = keyof LinkData

const policy = word('forward', 'blackhole')
const scrub = word('none', 'default')

/** @internal The table of each kind's data. */
export const LINK_KINDS: { readonly [K in LinkKind]: FieldsOf<LinkData[K]> } = {
  bond: BOND,
  bridge: BRIDGE,
  dummy: {},
  geneve: GENEVE,
  gre: GRE,
  gretap: GRE,
  ifb: {},
  ip6gre: IP6GRE,
  ip6gretap: IP6GRE,
  ip6tnl: IP6TNL,
  ipip: IPIP,
  ipvlan: IPVLAN,
  macsec: MACSEC,
  macvlan: MACVLAN,
  netkit: {
    mode: word('l2', 'l3'),
    policy,
    peerPolicy: policy,
    scrub,
    peerScrub: scrub,
    headroom: u16,
    tailroom: u16,
  },
  other: { type: text },
  sit: SIT,
  tun: { mode: word('tun', 'tap'), owner: u32, group: u32 },
  veth: {},
  vlan: VLAN,
  vrf: { table: whole(1, 0xffffffff) },
  vti: VTI,
  vti6: VTI6,
  vxlan: VXLAN,
  wireguard: {},
  xfrm: XFRM,
}
