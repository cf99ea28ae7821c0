import { type Scope, scope } from './address.ts'
import { type Fields, type Plain, parseFields } from './fields.ts'
import { type LinkRef, parseLinkRef } from './link-ref.ts'
import { boolean, cidr, familyOf, ip, type Parse, u8, u32, word } from './values.ts'

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

/** Where packets to a destination go. */
export interface Route {
  /** A CIDR, or `'default'`. */
  destination: string
  family: 'IPv4' | 'IPv6'
  /** What becomes of such packets; mostly `'unicast'`. */
  type: RouteType
  /** The gateway. */
  via?: string
  /** The link that packets leave by. */
  dev?: { index: number }
  /** The lower, the better. */
  metric?: number
  /** The routing table; 254 is `main`, 255 is `local`. */
  table: number
  /** The address that packets leave with, where the program did not say. */
  source?: string
  /** How far the destination is; always `'global'` for IPv6. */
  scope: Scope
  /** Who made it: 2 is the kernel, 3 is a person (rtnetlink(7)). */
  protocol: number
}

/** A route that is to be, or not to be any more. */
export interface RouteSpec {
  /** A CIDR, or `'default'`: of IPv6 where `via` is, else of IPv4. */
  destination: string
  /** The gateway. */
  via?: string | undefined
  /** The link that packets leave by. */
  dev?: LinkRef | undefined
  /** The lower, the better; the kernel's own unless told. */
  metric?: number | undefined
  /** The routing table; 254, `main`, unless told. */
  table?: number | undefined
  /** The address that packets leave with, where the program did not say. */
  source?: string | undefined
  /** `'unicast'` unless told. */
  type?: RouteType | undefined
  /** IPv4 only; what follows from the type and the gateway, unless told. */
  scope?: Scope | undefined
  /** Whether the gateway is taken to be on the link, whatever the addresses say. */
  onLink?: boolean | undefined
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

const ROUTE: Fields = {
  destination,
  via: ip,
  dev: parseLinkRef,
  metric: u32,
  table: u32,
  source: ip,
  type,
  scope,
  onLink: boolean,
}

/** @internal */
export function parseRoute(route: unknown, name: string): Plain {
  const parsed = parseFields(route, name, ROUTE, ['destination'])
  return parsed['destination'] === 'default' ? { ...parsed, destination: everywhere(parsed) } : parsed
}

function everywhere({ via, source }: Plain): string {
  return familyOf(String(via ?? source ?? '')) === 6 ? '::/0' : '0.0.0.0/0'
}

/** @internal For people. */
export function describeRoute(route: unknown): string {
  const { destination, via } = route as Plain
  const where = String(destination).endsWith('/0') ? 'default' : String(destination)
  return via === undefined ? where : `${where} via ${via}`
}
