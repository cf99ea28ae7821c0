import { invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields } from '../fields.ts'
import { boolean, described, u8, u32, word } from '../values.ts'
import { cidr, family, familyOf, ip, ipv4, milliseconds, text } from './values.ts'

/** How far an address or a route counts: ip-address(8). A number is one that /etc/iproute2/rt_scopes may name. */
export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere' | number

/** An address that a link has. */
export interface Address {
  link: { index: number }
  /** With the length of its prefix: `'10.0.0.1/24'`. */
  cidr: string
  /** Without. */
  address: string
  family: 'IPv4' | 'IPv6'
  /** The other end of a point-to-point link. The prefix is its network's then. */
  peer?: string
  /** IPv4 only. */
  broadcast?: string
  scope: Scope
  /** IPv4: the name of the link, and what may follow a colon. */
  label?: string
  /** IPv6: whether it is not known yet that nobody else has it. */
  tentative: boolean
  /** IPv6: whether somebody else has it. */
  duplicate: boolean
  /** Whether it stays until it is deleted. */
  permanent: boolean
  /** After how many milliseconds it goes, where it does. */
  validLifetime?: number
  /** For how many milliseconds programs that do not choose get it, where that ends. */
  preferredLifetime?: number
  /** The metric of the route to its network, where it was given. */
  metric?: number
  /** Who made it: 1 and 3 are the kernel, 2 is a router's advertisement (`IFAPROT_*` of linux/if_addr.h). */
  protocol?: number
  /** IPv6: it was used at once, without asking whether another host has it. */
  noDuplicateDetection?: boolean
  /** IPv6: it is used while that is asked. */
  optimistic?: boolean
  /** IPv6: it is a home address (RFC 6275). */
  home?: boolean
  /** IPv6: the kernel makes temporary addresses of it. */
  manageTemporary?: boolean
  /** It brought no route to its network. */
  noPrefixRoute?: boolean
  /** The kernel joined the multicast group that it is. */
  autoJoin?: boolean
}

/** An address that a link is to have: a CIDR, or that and more. An {@link Address} of a list is one, too. */
export type AddressSpec =
  | string
  | {
      /** `'10.0.0.1/24'`, `'fd00::1/64'`; without a prefix it is all of it. */
      readonly cidr: string
      /** The other end of a point-to-point link. The prefix is its network's then. */
      readonly peer?: string | undefined
      /** IPv4 only. */
      readonly broadcast?: string | undefined
      /** By default `'host'` for 127.0.0.0/8, else `'global'`. */
      readonly scope?: Scope | undefined
      /** IPv4: at most 15 bytes, by default the name of the link. */
      readonly label?: string | undefined
      /** After how many milliseconds it goes; never by default. In whole seconds: `valid_lft` of `ip address`. */
      readonly validLifetime?: number | undefined
      /** For how many milliseconds programs that do not choose get it; 0 is never: `preferred_lft`. */
      readonly preferredLifetime?: number | undefined
      /** The metric of the route to its network. */
      readonly metric?: number | undefined
      /** Who made it, 0 to 255: `proto`. */
      readonly protocol?: number | undefined
      /** IPv6: use it at once, without asking whether another host has it: `nodad`. */
      readonly noDuplicateDetection?: boolean | undefined
      /** IPv6: use it while that is asked: `optimistic`. */
      readonly optimistic?: boolean | undefined
      /** IPv6: it is a home address (RFC 6275): `home`. */
      readonly home?: boolean | undefined
      /** IPv6: have the kernel make temporary addresses of it: `mngtmpaddr`. */
      readonly manageTemporary?: boolean | undefined
      /** It brings no route to its network: `noprefixroute`. */
      readonly noPrefixRoute?: boolean | undefined
      /** Have the kernel join the multicast group that it is: `autojoin`. */
      readonly autoJoin?: boolean | undefined
    }

const scopeWord = word('global', 'site', 'link', 'host', 'nowhere')

/** @internal */
export const scope: Parse<Scope> = (value, name) =>
  typeof value === 'number' ? u8(value, name) : scopeWord(value, name)

const ADDRESS = {
  cidr,
  peer: ip,
  broadcast: ipv4,
  scope,
  label: text,
  validLifetime: milliseconds,
  preferredLifetime: milliseconds,
  metric: u32,
  protocol: u8,
  noDuplicateDetection: boolean,
  optimistic: boolean,
  home: boolean,
  manageTemporary: boolean,
  noPrefixRoute: boolean,
  autoJoin: boolean,
  address: ip,
  family,
  link: described,
  tentative: described,
  duplicate: described,
  permanent: described,
} satisfies FieldsOf<Exclude<AddressSpec, string> | Address>

/** @internal */
export function parseAddress(given: unknown, name: string): Plain {
  if (typeof given === 'string') return { cidr: cidr(given, name) }
  const { address, family, ...parsed } = parseFields(given, name, ADDRESS, ['cidr'])
  const [own = ''] = String(parsed['cidr']).split('/')
  if (address !== undefined && address !== own) {
    throw invalidValue(`${name}.address`, `must be that of the cidr, ${own}`, address)
  }
  if (family !== undefined && family !== (familyOf(own) === 6 ? 'IPv6' : 'IPv4')) {
    throw invalidValue(`${name}.family`, `must be that of the cidr, ${own}`, family)
  }
  return parsed
}
