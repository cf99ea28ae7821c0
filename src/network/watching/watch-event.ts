import type { FirewallObject } from '../../validate/monitoring/firewall-object.ts'
import type { TrackedConnection } from '../../validate/monitoring/tracked-connection.ts'
import type { WatchedPart } from '../../validate/monitoring/watch-options.ts'
import type { Address } from '../../validate/network/address.ts'
import type { BridgeVlan } from '../../validate/network/links/vlan.ts'
import type { TrafficClass } from '../../validate/network/queueing/class.ts'
import type { TrafficFilter } from '../../validate/network/queueing/filter.ts'
import type { Qdisc } from '../../validate/network/queueing/qdisc.ts'
import type { ForwardingEntry } from '../../validate/network/routing/forwarding-entry.ts'
import type { Neighbour } from '../../validate/network/routing/neighbour.ts'
import type { NextHop } from '../../validate/network/routing/next-hop.ts'
import type { Route } from '../../validate/network/routing/route.ts'
import type { RoutingRule } from '../../validate/network/routing/rule.ts'
import type { Link } from '../netlink/link.ts'
import { type LinkAnswer, readLink } from '../netlink/link-answer.ts'
import { readQdisc } from '../netlink/queueing/qdiscs.ts'

/** The objects of each part of {@link Network.watch}, as `list` returns them. */
export interface WatchedValues {
  links: Link
  addresses: Address
  routes: Route
  neighbours: Neighbour
  rules: RoutingRule
  nextHops: NextHop
  forwardingEntries: ForwardingEntry
  vlans: BridgeVlan
  qdiscs: Qdisc
  classes: TrafficClass
  filters: TrafficFilter
  conntrack: TrackedConnection
  firewall: FirewallObject
}

/** A change of an object. */
export interface ObjectEvent<P extends WatchedPart = WatchedPart> {
  /**
   * - `'existing'`: the object was there when the watcher began.
   * - `'add'`, `'change'`: `value` is the object as it is now.
   * - `'remove'`: `value` is the object as it was at the end.
   */
  type: 'existing' | 'add' | 'change' | 'remove'
  part: P
  value: WatchedValues[P]
}

/** Events were lost. The events after it are the differences between what was reported and what there is. */
export interface ResyncEvent {
  type: 'resync'
}

/** An event of {@link Network.watch}. */
export type WatchEvent<P extends WatchedPart = WatchedPart> = { [K in P]: ObjectEvent<K> }[P] | ResyncEvent

/** @internal Reads the events of the native side. */
export function readEvents<P extends WatchedPart>(text: string): WatchEvent<P>[] {
  const events = JSON.parse(text) as WatchEvent[]
  for (const event of events) {
    if (event.type === 'resync') continue
    if (event.part === 'links') readLink(event.value as unknown as LinkAnswer)
    if (event.part === 'qdiscs') readQdisc(event.value)
  }
  return events as WatchEvent<P>[]
}
