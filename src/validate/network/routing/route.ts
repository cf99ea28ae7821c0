import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, object, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, described, u8, u16, u32, whole, word } from '../../values.ts'
import { type Scope, scope } from '../address.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { cidr, type Family, family, ip, milliseconds, octets, text } from '../values.ts'

/** What the kernel does with a packet: ip-route(8). */
export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw'
  | number

/** How packets are encapsulated: the lightweight tunnels of ip-route(8), `encap`. */
export interface RouteEncap {
  /** The type, or its number in linux/lwtunnel.h. */
  type: 'mpls' | 'ip' | 'ila' | 'ip6' | 'seg6' | 'bpf' | 'seg6local' | 'rpl' | 'ioam6' | 'xfrm' | number
  /** The kernel's attributes of the encapsulation, in hexadecimal digits. */
  data: string
  /** In a list, of type `'mpls'`: the labels, the outer one first. In a spec it has no effect. */
  labels?: number[] | undefined
  /** In a list, of type `'seg6'`: the addresses in the order in which packets visit them. In a spec it has no effect. */
  segments?: string[] | undefined
  /** In a list, of type `'seg6'`: how the header is added. In a spec it has no effect. */
  mode?: 'inline' | 'encap' | 'l2encap' | 'encap.red' | 'l2encap.red' | number | undefined
}

/** Metrics of a path: the options `mtu` to `fastopen_no_cookie` of ip-route(8). */
export interface RouteMetrics {
  /** In bytes. */
  mtu?: number | undefined
  /** Maximum window to advertise, in bytes. */
  window?: number | undefined
  /** Initial estimate of the round-trip time, in milliseconds. */
  rtt?: number | undefined
  /** Initial estimate of the variance of the round-trip time, in milliseconds. */
  rttVariance?: number | undefined
  slowStartThreshold?: number | undefined
  /** Maximum congestion window, in packets. It has to be in `locked`. */
  congestionWindow?: number | undefined
  /** Segment size (MSS) to advertise, in bytes. */
  advertisedMss?: number | undefined
  reordering?: number | undefined
  hopLimit?: number | undefined
  /** In packets. */
  initialCongestionWindow?: number | undefined
  /** Bits of `RTAX_FEATURE_*`; 1 is ECN. */
  features?: number | undefined
  /** In milliseconds. */
  minimumRto?: number | undefined
  /** In packets. */
  initialReceiveWindow?: number | undefined
  quickAck?: boolean | undefined
  /** The name of the algorithm, such as `'bbr'`. */
  congestionControl?: string | undefined
  fastOpenNoCookie?: boolean | undefined
  /** The metrics that the kernel must not change: `['mtu']` is `mtu lock` of `ip route`. */
  locked?: readonly Exclude<keyof RouteMetrics, 'locked'>[] | undefined
}

/** One of several next hops of a route. */
export interface RouteNextHop {
  /** The gateway. */
  via?: string
  /** The link through which packets are sent. */
  dev?: { index: number }
  /** Its share of the packets, 1 to 256. */
  weight: number
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. */
  onLink?: boolean
  /** The realms for accounting: `from << 16 | to`. */
  realm?: number
  encap?: RouteEncap
}

/** A route, as in a list. */
export interface Route {
  /** In CIDR notation, or `'default'`. */
  destination: string
  family: 'IPv4' | 'IPv6'
  /** What the kernel does with a packet; usually `'unicast'`. */
  type: RouteType
  /** IPv6: only for packets from this CIDR. */
  from?: string
  /** IPv4: only for packets with this type of service. */
  tos?: number
  /** The gateway. */
  via?: string
  /** The link through which packets are sent. */
  dev?: { index: number }
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. */
  onLink?: boolean
  /** The next hops, if there are several. `via` and `dev` are absent then. */
  nextHops?: RouteNextHop[]
  /** The id of the next hop or next hop group (`ip nexthop`) that it uses. */
  nextHopId?: number
  /** The route with the lowest metric is used. */
  metric?: number
  /** The routing table; 254 is `main`, 255 is `local`. */
  table: number
  /** The source address of packets whose program did not choose one. */
  source?: string
  /** The scope of the destination; always `'global'` for IPv6. */
  scope: Scope
  /** What added it: 2 is the kernel, 3 a user, 4 an administrator, 9 a router advertisement, 16 DHCP (rtnetlink(7)). */
  protocol: number
  metrics?: RouteMetrics
  /** IPv4: the realms for accounting: `from << 16 | to`. */
  realm?: number
  /** IPv6: the preference of its router. Absent for medium. */
  preference?: 'low' | 'medium' | 'high'
  /** IPv6: remaining time in milliseconds until the kernel deletes it. Absent if it does not expire. */
  expires?: number
  encap?: RouteEncap
}

/** One of several next hops of a route to add or delete. */
export interface RouteNextHopSpec {
  /** The gateway. */
  readonly via?: string | undefined
  /** The link through which packets are sent. */
  readonly dev?: LinkRef | undefined
  /** Its share of the packets, 1 to 256. Default: `1`. */
  readonly weight?: number | undefined
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. Default: `false`. */
  readonly onLink?: boolean | undefined
  /** The realms for accounting: `from << 16 | to`. */
  readonly realm?: number | undefined
  readonly encap?: Readonly<RouteEncap> | undefined
}

/**
 * A route to add, replace or delete. It can be a {@link Route} of a list, and means that route then. To delete a route, give as
 * many fields as you know: fields that you omit match any value, except `table`.
 */
export interface RouteSpec {
  /** In CIDR notation, or `'default'`. `'default'` is IPv6 if `family`, `via`, `source` or `from` is IPv6, and IPv4 otherwise. */
  destination: string
  /** The family of the destination. */
  family?: 'IPv4' | 'IPv6' | undefined
  /** IPv6: only for packets from this CIDR. */
  from?: string | undefined
  /** IPv4: only for packets with this type of service. */
  tos?: number | undefined
  /** The gateway. */
  via?: string | undefined
  /** The link through which packets are sent. */
  dev?: LinkRef | undefined
  /** Several next hops, instead of `via` and `dev` (`nexthop` of `ip route`). */
  nextHops?: readonly RouteNextHopSpec[] | undefined
  /** The id of an existing next hop or group (`nhid` of `ip route`), instead of `via`, `dev` and `nextHops`. */
  nextHopId?: number | undefined
  /** The route with the lowest metric is used. Default: the kernel's. */
  metric?: number | undefined
  /** The routing table. Default: `254`, which is `main`. */
  table?: number | undefined
  /** The source address of packets whose program did not choose one (`src` of `ip route`). */
  source?: string | undefined
  /** Default: `'unicast'`. */
  type?: RouteType | undefined
  /** IPv4 only. Default: derived from the type and the gateway. */
  scope?: Scope | undefined
  /** What adds it (`proto` of `ip route`). Default: `3`. */
  protocol?: number | undefined
  /** Whether the kernel assumes that the gateway is on the link, even if no address of the link says so. Default: `false`. */
  onLink?: boolean | undefined
  metrics?: Readonly<RouteMetrics> | undefined
  /** IPv4: the realms for accounting: `from << 16 | to`. */
  realm?: number | undefined
  /** IPv6: the preference of its router. */
  preference?: 'low' | 'medium' | 'high' | undefined
  /** IPv6: in milliseconds, rounded up to seconds: when the kernel deletes it. Default: never. */
  expires?: number | undefined
  encap?: Readonly<RouteEncap> | undefined
}

const typeWord = word(
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
)

const type: Parse<RouteType> = (value, name) => (typeof value === 'number' ? u8(value, name) : typeWord(value, name))

const destination: Parse<string> = (value, name) => (value === 'default' ? 'default' : cidr(value, name))

const METRICS = {
  mtu: u32,
  window: u32,
  rtt: milliseconds,
  rttVariance: milliseconds,
  slowStartThreshold: u32,
  congestionWindow: u32,
  advertisedMss: u32,
  reordering: u32,
  hopLimit: u32,
  initialCongestionWindow: u32,
  features: u32,
  minimumRto: milliseconds,
  initialReceiveWindow: u32,
  quickAck: boolean,
  congestionControl: text,
  fastOpenNoCookie: boolean,
} satisfies FieldsOf<Omit<RouteMetrics, 'locked'>>

const metric = word(...(Object.keys(METRICS) as (keyof typeof METRICS)[]))

const ENCAP_WORD = word('mpls', 'ip', 'ila', 'ip6', 'seg6', 'bpf', 'seg6local', 'rpl', 'ioam6', 'xfrm')

const ENCAP = {
  type: ((value, name) => (typeof value === 'number' ? u16(value, name) : ENCAP_WORD(value, name))) as Parse,
  data: octets,
  labels: described,
  segments: described,
  mode: described,
} satisfies FieldsOf<RouteEncap>

/** @internal */
export const encap: Parse<Plain> = (value, name) => parseFields(value, name, ENCAP, ['type', 'data'])

const NEXT_HOP = {
  via: ip,
  dev: parseLinkRef,
  weight: whole(1, 256),
  onLink: boolean,
  realm: u32,
  encap,
} satisfies FieldsOf<RouteNextHopSpec>

const ROUTE = {
  destination,
  family,
  from: cidr,
  tos: u8,
  via: ip,
  dev: parseLinkRef,
  nextHops: array(object(NEXT_HOP)),
  nextHopId: whole(1, 0xffffffff),
  metric: u32,
  table: u32,
  source: ip,
  type,
  scope,
  protocol: u8,
  onLink: boolean,
  metrics: object({ ...METRICS, locked: array(metric) }),
  realm: u32,
  preference: word('low', 'medium', 'high'),
  expires: milliseconds,
  encap,
} satisfies FieldsOf<RouteSpec | Route>

/** @internal */
export function parseRoute(route: unknown, name: string): Plain {
  const { family, ...parsed } = parseFields(route, name, ROUTE, ['destination'])
  const { destination } = parsed
  if (destination === 'default') return { ...parsed, destination: everywhere(family, parsed) }
  if (family !== undefined && family !== familyName(String(destination))) {
    throw invalidValue(`${name}.family`, `must be the family of the destination, ${destination}`, family)
  }
  return parsed
}

function everywhere(family: unknown, { via, source, from, nextHops }: Plain): string {
  const [first] = (nextHops ?? []) as Plain[]
  const known = family ?? familyName(String(via ?? source ?? from ?? first?.['via'] ?? ''))
  return known === 'IPv6' ? '::/0' : '0.0.0.0/0'
}

/** Returns the family of an address or a CIDR. */
function familyName(text: string): Family {
  return text.includes(':') ? 'IPv6' : 'IPv4'
}

/** @internal Describes a route in messages. */
export function describeRoute(route: unknown): string {
  const { destination, via } = route as Plain
  const where = String(destination).endsWith('/0') ? 'default' : String(destination)
  return via === undefined ? where : `${where} via ${via}`
}
