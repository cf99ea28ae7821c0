import { invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields } from '../fields.ts'
import { boolean, described, u8, u32, word } from '../values.ts'
import { cidr, family, familyOf, ip, ipv4, milliseconds, text } from './values.ts'

/** The area in which an address or a route is valid (ip-address(8)). A number is a scope of /etc/iproute2/rt_scopes. */
export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere' | number

/** An address of a link, as in a list. */
export interface Address {
  link: { index: number }
  /** The address with its prefix length: `'10.0.0.1/24'`. */
  cidr: string
  /** The address without the prefix length. */
  address: string
  family: 'IPv4' | 'IPv6'
  /** The address of the other end of a point-to-point link. The prefix length of `cidr` then belongs to it. */
  peer?: string
  /** The broadcast address. IPv4 only. */
  broadcast?: string
  scope: Scope
  /** IPv4: the name of the link, optionally followed by a colon and a suffix. */
  label?: string
  /** IPv6: duplicate address detection has not finished. */
  tentative: boolean
  /** IPv6: another host uses this address (duplicate address detection failed). */
  duplicate: boolean
  /** Whether the address has no limited lifetime. */
  permanent: boolean
  /** Remaining time in milliseconds until the kernel deletes the address. Absent if it has no limited lifetime. */
  validLifetime?: number
  /** Remaining time in milliseconds for which programs get it as their source address. Absent if unlimited. */
  preferredLifetime?: number
  /** The metric of the route to its network, if one was set. */
  metric?: number
  /** What added it: 1 and 3 are the kernel, 2 is a router advertisement (`IFAPROT_*` of linux/if_addr.h). */
  protocol?: number
  /** IPv6: it was added without duplicate address detection. */
  noDuplicateDetection?: boolean
  /** IPv6: it can be used during duplicate address detection. */
  optimistic?: boolean
  /** IPv6: it is a home address (RFC 6275). */
  home?: boolean
  /** IPv6: the kernel creates temporary addresses from it. */
  manageTemporary?: boolean
  /** The kernel did not add a route to its network. */
  noPrefixRoute?: boolean
  /** The kernel joined the multicast group of this address. */
  autoJoin?: boolean
}

/** An address to add or delete: a string in CIDR notation, or an object. It can be an {@link Address} of a list. */
export type AddressSpec =
  | string
  | {
      /** The address with its prefix length: `'10.0.0.1/24'`, `'fd00::1/64'`. Default of the prefix length: 32 or 128. */
      readonly cidr: string
      /** The address of the other end of a point-to-point link. The prefix length of `cidr` then belongs to it. */
      readonly peer?: string | undefined
      /** The broadcast address. IPv4 only. */
      readonly broadcast?: string | undefined
      /** Default: `'host'` for 127.0.0.0/8, `'global'` for other addresses. */
      readonly scope?: Scope | undefined
      /** IPv4: a label of at most 15 bytes. Default: the name of the link. */
      readonly label?: string | undefined
      /** In milliseconds, rounded up to seconds: when the kernel deletes the address (`valid_lft`). Default: never. */
      readonly validLifetime?: number | undefined
      /** In milliseconds, rounded up to seconds: how long programs get it as their source address (`preferred_lft`). `0`: never. */
      readonly preferredLifetime?: number | undefined
      /** The metric of the route to its network (`metric`). */
      readonly metric?: number | undefined
      /** What added it, 0 to 255 (`proto`). */
      readonly protocol?: number | undefined
      /** IPv6: skip duplicate address detection (`nodad`). Default: `false`. */
      readonly noDuplicateDetection?: boolean | undefined
      /** IPv6: allow its use during duplicate address detection (`optimistic`). Default: `false`. */
      readonly optimistic?: boolean | undefined
      /** IPv6: it is a home address, RFC 6275 (`home`). Default: `false`. */
      readonly home?: boolean | undefined
      /** IPv6: make the kernel create temporary addresses from it (`mngtmpaddr`). Default: `false`. */
      readonly manageTemporary?: boolean | undefined
      /** Do not add a route to its network (`noprefixroute`). Default: `false`. */
      readonly noPrefixRoute?: boolean | undefined
      /** Make the kernel join the multicast group of this address (`autojoin`). Default: `false`. */
      readonly autoJoin?: boolean | undefined
    }

/** An address to add, and whether to wait until it can be used. */
export type NewAddressSpec =
  | string
  | (Exclude<AddressSpec, string> & {
      /**
       * IPv6: wait until duplicate address detection has ended, for at most 10 seconds. The link has to be up, with a carrier.
       * Default: `false`.
       */
      readonly settle?: boolean | undefined
    })

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

const NEW_ADDRESS = { ...ADDRESS, settle: boolean } satisfies FieldsOf<Exclude<NewAddressSpec, string> | Address>

/** @internal */
export function parseAddress(given: unknown, name: string): Plain {
  return parseBy(ADDRESS, given, name)
}

/** @internal Returns the parts of an operation: the address, and whether to wait for it. */
export function parseNewAddress(given: unknown, name: string): Plain {
  const { settle = false, ...address } = parseBy(NEW_ADDRESS, given, name)
  return { address, settle }
}

function parseBy(fields: typeof ADDRESS, given: unknown, name: string): Plain {
  if (typeof given === 'string') return { cidr: cidr(given, name) }
  const { address, family, ...parsed } = parseFields(given, name, fields, ['cidr'])
  const [own = ''] = String(parsed['cidr']).split('/')
  if (address !== undefined && address !== own) {
    throw invalidValue(`${name}.address`, `must be the address of the cidr, ${own}`, address)
  }
  if (family !== undefined && family !== (familyOf(own) === 6 ? 'IPv6' : 'IPv4')) {
    throw invalidValue(`${name}.family`, `must be the family of the cidr, ${own}`, family)
  }
  return parsed
}
