import type { FieldsOf } from '../../fields.ts'
import { boolean, described, u16, u32, whole, word } from '../../values.ts'
import { milliseconds } from '../values.ts'

/** Data of a bridge: a switch whose ports are the links that have it as their `master`. */
export interface BridgeData {
  /** Whether it uses the spanning tree protocol (`stp_state`). */
  stp?: boolean | undefined
  /** In milliseconds: how long a new port listens and learns before it forwards, also without `stp` (`forward_delay`). */
  forwardDelay?: number | undefined
  /** Interval of the spanning tree protocol's hello messages, in milliseconds (`hello_time`). */
  helloTime?: number | undefined
  /** Maximum age of the spanning tree protocol's messages, in milliseconds (`max_age`). */
  maxAge?: number | undefined
  /** In milliseconds: how long the bridge remembers a MAC address (`ageing_time`). */
  ageingTime?: number | undefined
  /** Priority in the spanning tree. The bridge with the lowest value becomes the root (`priority`). */
  priority?: number | undefined
  /** Whether frames are only forwarded to ports of their VLAN (`vlan_filtering`). `network.vlans` sets the VLANs of ports. */
  vlanFiltering?: boolean | undefined
  /** The protocol of VLAN tags (`vlan_protocol`). */
  vlanProtocol?: '802.1Q' | '802.1ad' | undefined
  /** The VLAN of untagged frames; `0` for none (`vlan_default_pvid`). */
  vlanDefaultPvid?: number | undefined
  /** Whether it counts the frames of each VLAN (`vlan_stats_enabled`). */
  vlanStatistics?: boolean | undefined
  /**
   * Which link-local multicast frames it forwards, as bits: bit 3 for 01:80:C2:00:00:03, bit 14 for LLDP (`group_fwd_mask`). The
   * kernel refuses bits 0 to 2.
   */
  groupForwardMask?: number | undefined
  /** Whether multicast is only forwarded to ports that joined the group, by IGMP or MLD (`mcast_snooping`). */
  multicastSnooping?: boolean | undefined
  /** Whether it sends IGMP and MLD queries (`mcast_querier`). */
  multicastQuerier?: boolean | undefined
  /** Whether it counts as a multicast router: `0` never, `1` if it sees queries, `2` always (`mcast_router`). */
  multicastRouter?: number | undefined
  /** The version of IGMP, 2 or 3 (`mcast_igmp_version`). */
  igmpVersion?: number | undefined
  /** The version of MLD, 1 or 2 (`mcast_mld_version`). */
  mldVersion?: number | undefined
  /** How many MAC addresses it learns; `0` for no limit (`fdb_max_learned`, Linux 6.7). */
  maxLearned?: number | undefined
}

/** @internal */
export const BRIDGE = {
  stp: boolean,
  forwardDelay: milliseconds,
  helloTime: milliseconds,
  maxAge: milliseconds,
  ageingTime: milliseconds,
  priority: u16,
  vlanFiltering: boolean,
  vlanProtocol: word('802.1Q', '802.1ad'),
  vlanDefaultPvid: whole(0, 4094),
  vlanStatistics: boolean,
  groupForwardMask: u16,
  multicastSnooping: boolean,
  multicastQuerier: boolean,
  multicastRouter: whole(0, 2),
  igmpVersion: whole(2, 3),
  mldVersion: whole(1, 2),
  maxLearned: u32,
} satisfies FieldsOf<BridgeData>

/** Settings of a link as the port of a bridge, as with `bridge link set`. */
export interface BridgePort {
  /** What it does; the bridge decides. In a list only. */
  state?: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking' | undefined
  /** Cost of the path in the spanning tree (`cost`). */
  cost?: number | undefined
  /** Priority in the spanning tree, 0 to 63 (`priority`). */
  priority?: number | undefined
  /** Whether frames may leave by the port that they came in by (`hairpin`). */
  hairpin?: boolean | undefined
  /** Whether it exchanges frames only with ports that are not isolated (`isolated`). */
  isolated?: boolean | undefined
  /** Whether the bridge learns the MAC addresses behind it (`learning`). */
  learning?: boolean | undefined
  /** Whether frames to unknown addresses leave by it (`flood`). */
  flood?: boolean | undefined
  /** Whether multicast frames leave by it if nothing is known about the group (`mcast_flood`). */
  multicastFlood?: boolean | undefined
  /** Whether broadcast frames leave by it (`bcast_flood`). */
  broadcastFlood?: boolean | undefined
  /** Whether multicast frames leave by it as unicast ones (`mcast_to_unicast`). */
  multicastToUnicast?: boolean | undefined
  /** Whether a multicast router is behind it: `0` never, `1` if queries arrive, `2` always, `3` for a while (`mcast_router`). */
  multicastRouter?: number | undefined
  /** Whether a group ends as soon as one member leaves it (`fastleave`). */
  fastLeave?: boolean | undefined
  /** Whether arriving messages of the spanning tree protocol disable it (`guard`). */
  guard?: boolean | undefined
  /** Whether it can never become the root port (`root_block`). */
  rootBlock?: boolean | undefined
  /** Whether the bridge answers ARP requests and neighbour solicitations for it (`neigh_suppress`). */
  neighbourSuppression?: boolean | undefined
  /** The same, for each VLAN by itself (`neigh_vlan_suppress`, Linux 6.4). */
  neighbourVlanSuppression?: boolean | undefined
  /** Whether the bridge answers ARP requests (`proxy_arp`). */
  proxyArp?: boolean | undefined
  /** Whether the bridge answers ARP requests, by the rules of IEEE 802.11 and Hotspot 2.0 (`proxy_arp_wifi`). */
  proxyArpWifi?: boolean | undefined
  /** Whether frames from unknown addresses are dropped (`locked`). */
  locked?: boolean | undefined
  /** Whether the VLAN of a frame becomes the id of a tunnel (`vlan_tunnel`). */
  vlanTunnel?: boolean | undefined
  /** Which link-local multicast frames it forwards, as {@link BridgeData.groupForwardMask} (`group_fwd_mask`). */
  groupForwardMask?: number | undefined
}

/** @internal */
export const BRIDGE_PORT = {
  state: described,
  cost: whole(1, 0xffffffff),
  priority: whole(0, 63),
  hairpin: boolean,
  isolated: boolean,
  learning: boolean,
  flood: boolean,
  multicastFlood: boolean,
  broadcastFlood: boolean,
  multicastToUnicast: boolean,
  multicastRouter: whole(0, 3),
  fastLeave: boolean,
  guard: boolean,
  rootBlock: boolean,
  neighbourSuppression: boolean,
  neighbourVlanSuppression: boolean,
  proxyArp: boolean,
  proxyArpWifi: boolean,
  locked: boolean,
  vlanTunnel: boolean,
  groupForwardMask: u16,
} satisfies FieldsOf<BridgePort>
