import { invalidValue } from '../../errors.ts'
import { array, type FieldsOf, object, type Parse, type Plain, parseFields } from '../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../values.ts'
import { type Scope, scope } from './address.ts'
import { type LinkRef, parseLinkRef } from './link-ref.ts'
import { cidr, type Family, family, ip, milliseconds, octets, text } from './values.ts'

/** What becomes of a packet: ip-route(8). */
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

/** What packets are wrapped into on their way: the lightweight tunnels of ip-route(8), `encap`. */
export interface RouteEncap {
  /** The kind, or its number in linux/lwtunnel.h. */
  type: 'mpls' | 'ip' | 'ila' | 'ip6' | 'seg6' | 'bpf' | 'seg6local' | 'rpl' | 'ioam6' | 'xfrm' | number
  /** The kernel's attributes of it, in hexadecimal digits. */
  data: string
}

/** What is known of a way: the options `mtu` to `fastopen_no_cookie` of ip-route(8). */
export interface RouteMetrics {
  /** In bytes. */
  mtu?: number | undefined
  /** The largest window that is advertised, in bytes. */
  window?: number | undefined
  /** The first estimate of the round trip time, in milliseconds. */
  rtt?: number | undefined
  /** In milliseconds. */
  rttVariance?: number | undefined
  slowStartThreshold?: number | undefined
  /** The largest congestion window, in packets; needs to be in `locked`. */
  congestionWindow?: number | undefined
  /** The segment size that is advertised, in bytes. */
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
  /** The name of the algorithm: `'bbr'`. */
  congestionControl?: string | undefined
  fastOpenNoCookie?: boolean | undefined
  /** The names of those that the kernel does not change by itself: `['mtu']` is `mtu lock` of `ip route`. */
  locked?: readonly Exclude<keyof RouteMetrics, 'locked'>[] | undefined
}

/** One of several ways that packets of a route may go. */
export interface RouteNextHop {
  /** The gateway. */
  via?: string
  /** The link that packets leave by. */
  dev?: { index: number }
  /** Its share of the packets, 1 to 256. */
  weight: number
  /** Whether the gateway is taken to be on the link, whatever the addresses say. */
  onLink?: boolean
  /** What it is accounted under: `from << 16 | to`. */
  realm?: number
  encap?: RouteEncap
}

/** Where packets to a destination go. */
export interface Route {
  /** A CIDR, or `'default'`. */
  destination: string
  family: 'IPv4' | 'IPv6'
  /** What becomes of such packets; mostly `'unicast'`. */
  type: RouteType
  /** IPv6: it is for packets from this CIDR only. */
  from?: string
  /** IPv4: it is for packets with this type of service only. */
  tos?: number
  /** The gateway. */
  via?: string
  /** The link that packets leave by. */
  dev?: { index: number }
  /** Whether the gateway is taken to be on the link, whatever the addresses say. */
  onLink?: boolean
  /** The ways that packets go, where there are several; `via` and `dev` are missing then. */
  nextHops?: RouteNextHop[]
  /** The number of the next hop or group (`ip nexthop`) that packets go by. */
  nextHopId?: number
  /** The lower, the better. */
  metric?: number
  /** The routing table; 254 is `main`, 255 is `local`. */
  table: number
  /** The address that packets leave with, where the program did not say. */
  source?: string
  /** How far the destination is; always `'global'` for IPv6. */
  scope: Scope
  /** Who made it: 2 is the kernel, 3 is a person, 4 an administrator, 9 a router's advertisement, 16 DHCP (rtnetlink(7)). */
  protocol: number
  metrics?: RouteMetrics
  /** IPv4: what it is accounted under: `from << 16 | to`. */
  realm?: number
  /** IPv6: how much its router wants to be used; medium where it is missing. */
  preference?: 'low' | 'medium' | 'high'
  /** IPv6: after how many milliseconds it goes, where it does. */
  expires?: number
  encap?: RouteEncap
}

/** One of several ways of a route that is to be. */
export interface RouteNextHopSpec {
  /** The gateway. */
  readonly via?: string | undefined
  /** The link that packets leave by. */
  readonly dev?: LinkRef | undefined
  /** Its share of the packets, 1 to 256; 1 by default. */
  readonly weight?: number | undefined
  /** Whether the gateway is taken to be on the link, whatever the addresses say. */
  readonly onLink?: boolean | undefined
  /** What it is accounted under: `from << 16 | to`. */
  readonly realm?: number | undefined
  readonly encap?: Readonly<RouteEncap> | undefined
}

/**
 * A route that is to be, or not to be any more. A {@link Route} of a list is one, too, and names that very route. To delete a route,
 * say as much of it as you know: what is left out may be anything, but for the table.
 */
export interface RouteSpec {
  /** A CIDR, or `'default'`: of the `family` where that is given, of IPv6 where `via`, `source` or `from` is, else of IPv4. */
  destination: string
  /** That of the destination. */
  family?: 'IPv4' | 'IPv6' | undefined
  /** IPv6: for packets from this CIDR only. */
  from?: string | undefined
  /** IPv4: for packets with this type of service only. */
  tos?: number | undefined
  /** The gateway. */
  via?: string | undefined
  /** The link that packets leave by. */
  dev?: LinkRef | undefined
  /** Several ways, in the place of `via` and `dev`: `nexthop` of `ip route`. */
  nextHops?: readonly RouteNextHopSpec[] | undefined
  /** The number of a next hop or group that is there: `nhid` of `ip route`. What else is said of the way is then its own. */
  nextHopId?: number | undefined
  /** The lower, the better; by default the kernel's own. */
  metric?: number | undefined
  /** The routing table; 254, `main`, by default. */
  table?: number | undefined
  /** The address that packets leave with, where the program did not say. */
  source?: string | undefined
  /** `'unicast'` by default. */
  type?: RouteType | undefined
  /** IPv4 only; by default what follows from the type and the gateway. */
  scope?: Scope | undefined
  /** Who made it, 3 by default: `proto` of `ip route`. */
  protocol?: number | undefined
  /** Whether the gateway is taken to be on the link, whatever the addresses say. */
  onLink?: boolean | undefined
  metrics?: Readonly<RouteMetrics> | undefined
  /** IPv4: what it is accounted under: `from << 16 | to`. */
  realm?: number | undefined
  /** IPv6 only. */
  preference?: 'low' | 'medium' | 'high' | undefined
  /** IPv6: after how many milliseconds it goes; in whole seconds. */
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
} satisfies FieldsOf<RouteEncap>

const encap: Parse<Plain> = (value, name) => parseFields(value, name, ENCAP, ['type', 'data'])

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
    throw invalidValue(`${name}.family`, `must be that of the destination, ${destination}`, family)
  }
  return parsed
}

function everywhere(family: unknown, { via, source, from, nextHops }: Plain): string {
  const [first] = (nextHops ?? []) as Plain[]
  const known = family ?? familyName(String(via ?? source ?? from ?? first?.['via'] ?? ''))
  return known === 'IPv6' ? '::/0' : '0.0.0.0/0'
}

/** Of an address or a CIDR. */
function familyName(text: string): Family {
  return text.includes(':') ? 'IPv6' : 'IPv4'
}

/** @internal For people. */
export function describeRoute(route: unknown): string {
  const { destination, via } = route as Plain
  const where = String(destination).endsWith('/0') ? 'default' : String(destination)
  return via === undefined ? where : `${where} via ${via}`
}
