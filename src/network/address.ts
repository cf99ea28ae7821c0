import { type Fields, type Plain, parseFields } from './fields.ts'
import { boolean, cidr, ip, ipv4, type Parse, u8, word } from './values.ts'

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
}

/** An address that a link is to have: a CIDR, or that and more. */
export type AddressSpec =
  | string
  | {
      /** `'10.0.0.1/24'`, `'fd00::1/64'`; without a prefix it is all of it. */
      readonly cidr: string
      /** The other end of a point-to-point link. The prefix is its network's then. */
      readonly peer?: string | undefined
      /** IPv4 only. */
      readonly broadcast?: string | undefined
      /** `'host'` for 127.0.0.0/8, else `'global'`, unless told. */
      readonly scope?: Scope | undefined
      /** IPv6: use it at once, without asking whether somebody else has it. */
      readonly noDuplicateDetection?: boolean | undefined
    }

const scopeWord = word('global', 'site', 'link', 'host', 'nowhere')

/** @internal */
export const scope: Parse<Scope> = (value, name) =>
  typeof value === 'number' ? u8(value, name) : scopeWord(value, name)

const ADDRESS: Fields = { cidr, peer: ip, broadcast: ipv4, scope, noDuplicateDetection: boolean }

/** @internal */
export function parseAddress(address: unknown, name: string): Plain {
  if (typeof address === 'string') return { cidr: cidr(address, name) }
  return parseFields(address, name, ADDRESS, ['cidr'])
}
