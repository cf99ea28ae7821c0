import { array, type FieldsOf, type Parse, parseFields } from '../../fields.ts'
import { u32, whole, word } from '../../values.ts'
import { mac } from '../values.ts'

/** Data of an IPVLAN: a separate link that shares the MAC address of its device. */
export interface IpVlanData {
  /** Whether the device switches its packets (`'l2'`) or routes them (`'l3'`, `'l3s'`). Default: `'l3'`. */
  mode?: 'l2' | 'l3' | 'l3s' | undefined
  /**
   * Which other IPVLANs of the device it can reach: all of them, none, or all through a switch that sends frames back. It holds for
   * all IPVLANs of the device. Default: `'bridge'`.
   */
  isolation?: 'bridge' | 'private' | 'vepa' | undefined
}

/** Data of a MACVLAN: a separate link with its own MAC address on another device. */
export interface MacVlanData {
  /** Which other MACVLANs of the same device it can reach. `'bridge'`: all of them. Default: `'vepa'`. */
  mode?: 'private' | 'vepa' | 'bridge' | 'passthru' | 'source' | undefined
  /** The hardware addresses whose frames it receives, in the mode `'source'` (`macaddr set`). */
  sourceMacs?: readonly string[] | undefined
  /**
   * `'not-promiscuous'`: its device does not receive all frames, in the mode `'passthru'` (`nopromisc`); `'no-destination'`: only
   * those for its own address wake it, in the mode `'source'` (`nodst`). Default: none.
   */
  flags?: readonly MacVlanFlag[] | undefined
  /** How many broadcast frames wait for it (`bcqueuelen`). The device uses the largest value of its MACVLANs. */
  broadcastQueueLength?: number | undefined
}

/** A flag of a MACVLAN. */
export type MacVlanFlag = 'not-promiscuous' | 'no-destination'

/** Data of a VLAN: a link for those frames of its device that have a tag. */
export interface VlanData {
  /** The tag, 0 to 4094. */
  id: number
  /** The protocol of the tag. Default: `'802.1Q'`. */
  protocol?: '802.1Q' | '802.1ad' | undefined
  /** Exactly these flags. Default: `['reorder-header']`. */
  flags?: readonly VlanFlag[] | undefined
  /** The priority in the tag, 0 to 7, that packets of a priority get (`egress-qos-map`). Default: 0 for all. */
  egressPriorities?: readonly VlanPriority[] | undefined
  /** The priority that packets with a priority in the tag, 0 to 7, get (`ingress-qos-map`). Default: 0 for all. */
  ingressPriorities?: readonly VlanPriority[] | undefined
}

/**
 * A flag of a VLAN.
 *
 * - `'reorder-header'`: programs see the frames without their tag (`reorder_hdr`)
 * - `'gvrp'`, `'mvrp'`: it is registered with the switch
 * - `'loose-binding'`: it does not follow the state of its device (`loose_binding`)
 * - `'bridge-binding'`: on a bridge, it follows the state of the ports of its VLAN (`bridge_binding`)
 */
export type VlanFlag = 'reorder-header' | 'gvrp' | 'loose-binding' | 'mvrp' | 'bridge-binding'

/** A priority, and the one that it becomes. */
export interface VlanPriority {
  readonly from: number
  readonly to: number
}

/** @internal */
export const IPVLAN = {
  mode: word('l2', 'l3', 'l3s'),
  isolation: word('bridge', 'private', 'vepa'),
} satisfies FieldsOf<IpVlanData>

/** @internal */
export const MACVLAN = {
  mode: word('private', 'vepa', 'bridge', 'passthru', 'source'),
  sourceMacs: array(mac),
  flags: array(word('not-promiscuous', 'no-destination')),
  broadcastQueueLength: u32,
} satisfies FieldsOf<MacVlanData>

const inTag = whole(0, 7)

const priorities = (from: Parse<number>, to: Parse<number>): Parse =>
  array((value, name) => parseFields(value, name, { from, to } satisfies FieldsOf<VlanPriority>, ['from', 'to']))

/** @internal */
export const VLAN = {
  id: whole(0, 4094),
  protocol: word('802.1Q', '802.1ad'),
  flags: array(word('reorder-header', 'gvrp', 'loose-binding', 'mvrp', 'bridge-binding')),
  egressPriorities: priorities(u32, inTag),
  ingressPriorities: priorities(inTag, u32),
} satisfies FieldsOf<VlanData>
