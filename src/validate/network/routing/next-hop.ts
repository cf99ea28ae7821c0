import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, described, u8, u16, whole, word } from '../../values.ts'
import type { Scope } from '../address.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { family, familyOf, ip, milliseconds } from '../values.ts'
import { encap, type RouteEncap } from './route.ts'

/** A member of a group of next hops. */
export interface NextHopGroupMember {
  /** The id of a next hop. */
  id: number
  /** Its share of the packets, 1 to 256. */
  weight: number
}

/** The table of a resilient group. Times are in milliseconds, with a resolution of 10 ms. */
export interface NextHopResilience {
  /** Number of buckets. */
  buckets?: number | undefined
  /** How long a bucket must be unused before it can change its next hop. */
  idleTimer?: number | undefined
  /** How long the group can be out of balance before buckets in use change their next hops. `0`: for ever. */
  unbalancedTimer?: number | undefined
}

/** A next hop object, or a group of them, as in a list. */
export interface NextHop {
  id: number
  /** Absent for a group. */
  family?: 'IPv4' | 'IPv6'
  /** The gateway. */
  via?: string
  /** The link through which packets are sent. */
  dev?: { index: number }
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. */
  onLink?: boolean
  /** Packets are dropped. */
  blackhole?: boolean
  /** It is for forwarding entries of a VXLAN. */
  fdb?: boolean
  /** The members of a group. */
  group?: NextHopGroupMember[]
  /** How the group chooses a member: by a hash; `'resilient'`: so that few flows change when the group changes. */
  groupType?: 'multipath' | 'resilient'
  resilience?: NextHopResilience
  encap?: RouteEncap
  scope: Scope
  /** What added it (rtnetlink(7)). */
  protocol: number
}

/** A next hop or a group to add or replace. It can be a {@link NextHop} of a list. */
export interface NextHopSpec {
  /** Any number that is not in use, from 1. */
  id: number
  /** Default: that of `via`, otherwise IPv4. A group has none. */
  family?: 'IPv4' | 'IPv6' | undefined
  /** The gateway. */
  via?: string | undefined
  /** The link through which packets are sent. */
  dev?: LinkRef | undefined
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. Default: `false`. */
  onLink?: boolean | undefined
  /** Drop the packets. Default: `false`. */
  blackhole?: boolean | undefined
  /** Make it for forwarding entries of a VXLAN. Default: `false`. */
  fdb?: boolean | undefined
  /** The members of a group, instead of the above. Default of a weight: `1`. */
  group?: readonly { readonly id: number; readonly weight?: number | undefined }[] | undefined
  /** Default: `'multipath'`. */
  groupType?: 'multipath' | 'resilient' | undefined
  /** Requires the group type `'resilient'`. */
  resilience?: Readonly<NextHopResilience> | undefined
  encap?: Readonly<RouteEncap> | undefined
  /** What adds it. Default: `0`, nothing is said. */
  protocol?: number | undefined
}

/** A reference to a next hop: its id, or an object with it. */
export type NextHopRef = number | { readonly id: number }

const id = whole(1, 0xffffffff)

const MEMBER = { id, weight: whole(1, 256) } satisfies FieldsOf<NextHopGroupMember>

const RESILIENCE = {
  buckets: u16,
  idleTimer: milliseconds,
  unbalancedTimer: milliseconds,
} satisfies FieldsOf<NextHopResilience>

const NEXT_HOP = {
  id,
  family,
  via: ip,
  dev: parseLinkRef,
  onLink: boolean,
  blackhole: boolean,
  fdb: boolean,
  group: array((value, name) => parseFields(value, name, MEMBER, ['id'])),
  groupType: word('multipath', 'resilient'),
  resilience: ((value, name) => parseFields(value, name, RESILIENCE)) as Parse,
  encap,
  protocol: u8,
  scope: described,
} satisfies FieldsOf<NextHopSpec | NextHop>

/** @internal */
export function parseNextHop(hop: unknown, name: string): Plain {
  const parsed = parseFields(hop, name, NEXT_HOP, ['id'])
  const { via, family } = parsed
  if (via !== undefined && family !== undefined && family !== (familyOf(via) === 6 ? 'IPv6' : 'IPv4')) {
    throw invalidValue(`${name}.family`, `must be the family of the gateway, ${via}`, family)
  }
  if (parsed.resilience !== undefined && parsed.groupType !== 'resilient') {
    throw invalidValue(`${name}.resilience`, "requires the groupType 'resilient'", parsed.resilience)
  }
  return parsed
}

/** @internal Returns the id. */
export function parseNextHopRef(ref: unknown, name: string): number {
  if (typeof ref !== 'object' || ref === null) return id(ref, name)
  return id((ref as Plain)['id'], `${name}.id`)
}
