import { array, type FieldsOf, type Parse } from '../../fields.ts'
import { boolean, described, u8, u16, u32, whole, word } from '../../values.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { ip, ipv4, mac, milliseconds } from '../values.ts'

/** How a bond chooses the port for a packet, as the kernel names the modes. */
export type BondMode =
  | 'balance-rr'
  | 'active-backup'
  | 'balance-xor'
  | 'broadcast'
  | '802.3ad'
  | 'balance-tlb'
  | 'balance-alb'

/**
 * Data of a bond: several links, its ports, that work as one link. The kernel refuses options that the mode does not have.
 *
 * @see ip-link(8), and Documentation/networking/bonding.rst of the kernel
 */
export interface BondData {
  /** How the bond chooses the port for a packet (`mode`). Default: `'balance-rr'`. It can change while there are no ports. */
  mode?: BondMode | undefined
  /** The port that is in use as long as it works, in the modes of which one port is active; `null` for none (`primary`). */
  primary?: LinkRef | null | undefined
  /** The port that is in use now (`active_slave`). `links.set` changes it; a new bond has no ports, so that it has no effect there. */
  activePort?: LinkRef | undefined
  /** Interval at which the carrier of the ports is checked, in milliseconds (`miimon`). Default: never. */
  monitorInterval?: number | undefined
  /** In milliseconds, a multiple of `monitorInterval`: how long a port waits after its carrier has come back (`updelay`). */
  upDelay?: number | undefined
  /** In milliseconds, a multiple of `monitorInterval`: how long a port without carrier is still used (`downdelay`). */
  downDelay?: number | undefined
  /** Interval of ARP requests that check the ports, in milliseconds, instead of `monitorInterval` (`arp_interval`). */
  arpInterval?: number | undefined
  /** Whom these ask: up to 16 IPv4 addresses (`arp_ip_target`). */
  arpIpTargets?: readonly string[] | undefined
  /** The same for IPv6 (`ns_ip6_target`). */
  nsIp6Targets?: readonly string[] | undefined
  /** Which ports have to receive the answers (`arp_validate`). */
  arpValidate?: 'none' | 'active' | 'backup' | 'all' | 'filter' | 'filter_active' | 'filter_backup' | undefined
  /** How many targets have to answer (`arp_all_targets`). */
  arpAllTargets?: 'any' | 'all' | undefined
  /** How many checks may fail, 1 to 255 (`missed_max`). */
  missedMax?: number | undefined
  /** When the primary port becomes the active one again (`primary_reselect`). */
  primaryReselect?: 'always' | 'better' | 'failure' | undefined
  /** Which MAC addresses the ports have in the mode `'active-backup'` (`fail_over_mac`). */
  failoverMac?: 'none' | 'active' | 'follow' | undefined
  /** What decides which port sends a packet (`xmit_hash_policy`). */
  transmitHash?: 'layer2' | 'layer2+3' | 'layer3+4' | 'encap2+3' | 'encap3+4' | 'vlan+srcmac' | undefined
  /** How many IGMP reports follow a failover (`resend_igmp`). */
  resendIgmp?: number | undefined
  /** How many gratuitous ARP replies follow a failover (`num_grat_arp`). */
  peerNotifications?: number | undefined
  /** The time between these, in milliseconds (`peer_notify_delay`). */
  peerNotifyDelay?: number | undefined
  /** Whether ports that are not active deliver what they receive (`all_slaves_active`). */
  allPortsActive?: boolean | undefined
  /** How many ports have to work for the bond to have a carrier (`min_links`). */
  minLinks?: number | undefined
  /** Interval of learning packets, in seconds (`lp_interval`). */
  learningPacketInterval?: number | undefined
  /** How many packets leave by a port before the next one, in the mode `'balance-rr'` (`packets_per_slave`). */
  packetsPerPort?: number | undefined
  /** Whether the load of ports is balanced by their rates, in the mode `'balance-tlb'` (`tlb_dynamic_lb`). */
  dynamicBalance?: boolean | undefined
  /** How often the partner sends, in the mode `'802.3ad'`: every 30 seconds or every second (`lacp_rate`). */
  lacpRate?: 'slow' | 'fast' | undefined
  /** Whether the bond sends without being asked (`lacp_active`). */
  lacpActive?: boolean | undefined
  /** Whether a port sends as soon as it receives, in the mode `'802.3ad'` (`coupled_control`). Linux 6.9. */
  coupledControl?: boolean | undefined
  /** Whether ARP and neighbour solicitations leave by all ports, in the mode `'802.3ad'` (`broadcast_neighbor`). Linux 6.17. */
  broadcastNeighbours?: boolean | undefined
  /** Which aggregator is used (`ad_select`). */
  lacpSelect?: 'stable' | 'bandwidth' | 'count' | undefined
  /** The priority of the system (`ad_actor_sys_prio`). */
  lacpSystemPriority?: number | undefined
  /** The MAC address of the system (`ad_actor_system`). */
  lacpSystem?: string | undefined
  /** The key of the user, 0 to 1023 (`ad_user_port_key`). */
  lacpUserKey?: number | undefined
}

const targets4: Parse = array(ipv4)
const targets6: Parse = array(ip)

/** @internal */
export const BOND = {
  mode: word('balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'),
  primary: (value, name) => (value === null ? { index: 0 } : parseLinkRef(value, name)),
  activePort: parseLinkRef,
  monitorInterval: milliseconds,
  upDelay: milliseconds,
  downDelay: milliseconds,
  arpInterval: milliseconds,
  arpIpTargets: targets4,
  nsIp6Targets: targets6,
  arpValidate: word('none', 'active', 'backup', 'all', 'filter', 'filter_active', 'filter_backup'),
  arpAllTargets: word('any', 'all'),
  missedMax: whole(1, 255),
  primaryReselect: word('always', 'better', 'failure'),
  failoverMac: word('none', 'active', 'follow'),
  transmitHash: word('layer2', 'layer2+3', 'layer3+4', 'encap2+3', 'encap3+4', 'vlan+srcmac'),
  resendIgmp: u8,
  peerNotifications: u8,
  peerNotifyDelay: milliseconds,
  allPortsActive: boolean,
  minLinks: u32,
  learningPacketInterval: whole(1, 0x7fffffff),
  packetsPerPort: u16,
  dynamicBalance: boolean,
  lacpRate: word('slow', 'fast'),
  lacpActive: boolean,
  coupledControl: boolean,
  broadcastNeighbours: boolean,
  lacpSelect: word('stable', 'bandwidth', 'count'),
  lacpSystemPriority: whole(1, 0xffff),
  lacpSystem: mac,
  lacpUserKey: whole(0, 1023),
} satisfies FieldsOf<BondData>

/** Settings of a link as the port of a bond. */
export interface BondPort {
  /** Whether it is in use; the bond decides. In a list only. */
  state?: 'active' | 'backup' | undefined
  /** The queue of the bond whose packets leave by it (`queue_id`). */
  queueId?: number | undefined
  /** The port with the greatest value becomes the active one, if it works (`prio`, Linux 6.1). */
  priority?: number | undefined
}

/** @internal */
export const BOND_PORT = {
  state: described,
  queueId: u16,
  priority: whole(-0x80000000, 0x7fffffff),
} satisfies FieldsOf<BondPort>
