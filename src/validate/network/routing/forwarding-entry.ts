import { type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, described, u16, whole, word } from '../../values.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { ip, mac } from '../values.ts'

/**
 * How long a forwarding entry stays, with the words of bridge(8): `'permanent'` and `'static'` always, `'dynamic'` until it has not
 * been used for some time, and is `'stale'`. In the table of a bridge, frames to a permanent entry are for this host. A number is
 * `NUD_*` of linux/neighbour.h.
 */
export type ForwardingState = 'permanent' | 'static' | 'dynamic' | 'stale' | number

/** Times of a forwarding entry in milliseconds. */
export interface ForwardingEntryStatistics {
  /** Time since a frame was last forwarded to it. */
  used: number
  /** Time since it was learned or changed. */
  updated: number
}

/** Where a bridge or a VXLAN sends the frames to a hardware address, as in a list. */
export interface ForwardingEntry {
  /** The link through which frames are sent. */
  link: { index: number }
  /** The hardware address. `'00:00:00:00:00:00'` of a VXLAN is for those without an entry. */
  mac: string
  /** `'self'`: the table of the link itself; `'master'`: that of the bridge of which it is a port. */
  table: 'self' | 'master'
  /** The bridge, if the entry belongs to one. */
  master?: { index: number }
  state: ForwardingState
  /** The VLAN, in a bridge that filters VLANs. */
  vlan?: number
  /** VXLAN: the address of the other end of the tunnel. */
  dst?: string
  /** VXLAN: the UDP port of the other end, if it differs from that of the link. */
  port?: number
  /** VXLAN: the network identifier, if it differs from that of the link. */
  vni?: number
  /** VXLAN with external metadata: the identifier of the frames. */
  sourceVni?: number
  /** VXLAN: the link through which the packets of the tunnel are sent. */
  via?: { index: number }
  /** VXLAN: the id of a group of next hops, instead of `dst`. */
  nextHopId?: number
  /** The bridge never moves it to another port. */
  sticky?: boolean
  /** A program has learned it (`extern_learn`). */
  externallyLearned?: boolean
  /** The hardware forwards by it. */
  offloaded?: boolean
  statistics: ForwardingEntryStatistics
}

/** A forwarding entry to add, replace or delete. It can be a {@link ForwardingEntry} of a list. */
export interface ForwardingEntrySpec {
  /** The hardware address. */
  mac: string
  /** `'self'`: the table of the link itself; `'master'`: that of the bridge of which it is a port. Default: `'self'`. */
  table?: 'self' | 'master' | undefined
  /** Default: `'permanent'`. */
  state?: ForwardingState | undefined
  /** The VLAN, in a bridge that filters VLANs. Default: all of the port. */
  vlan?: number | undefined
  /** VXLAN: the address of the other end of the tunnel. */
  dst?: string | undefined
  /** VXLAN: the UDP port of the other end. Default: that of the link. */
  port?: number | undefined
  /** VXLAN: the network identifier. Default: that of the link. */
  vni?: number | undefined
  /** VXLAN with external metadata: the identifier of the frames. */
  sourceVni?: number | undefined
  /** VXLAN: the link through which the packets of the tunnel are sent. */
  via?: LinkRef | undefined
  /** VXLAN: the id of a group of next hops, instead of `dst`. */
  nextHopId?: number | undefined
  /** Keep the bridge from moving it to another port. Default: `false`. */
  sticky?: boolean | undefined
  /** Mark it as learned by a program (`extern_learn`). Default: `false`. */
  externallyLearned?: boolean | undefined
}

const stateWord = word('permanent', 'static', 'dynamic', 'stale')

const state: Parse<ForwardingState> = (value, name) =>
  typeof value === 'number' ? u16(value, name) : stateWord(value, name)

const vni = whole(0, 0xffffff)

const FORWARDING_ENTRY = {
  mac,
  table: word('self', 'master'),
  state,
  vlan: whole(1, 4094),
  dst: ip,
  port: whole(1, 0xffff),
  vni,
  sourceVni: vni,
  via: parseLinkRef,
  nextHopId: whole(1, 0xffffffff),
  sticky: boolean,
  externallyLearned: boolean,
  link: described,
  master: described,
  offloaded: described,
  statistics: described,
} satisfies FieldsOf<ForwardingEntrySpec | ForwardingEntry>

/** @internal */
export function parseForwardingEntry(entry: unknown, name: string): Plain {
  return parseFields(entry, name, FORWARDING_ENTRY, ['mac'])
}
