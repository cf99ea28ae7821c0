import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Plain, parseOptions } from '../../fields.ts'
import { boolean, u8, u32, whole } from '../../values.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { familyOf, ip } from '../values.ts'
import { type IpProtocol, ipProtocol } from './rule.ts'

/** Options of {@link NetworkRoutes.lookup}: what is known of the packet. */
export interface RouteLookupOptions {
  /** Its source address. With `iif` it is required. */
  from?: string | undefined
  /** Its type of service. */
  tos?: number | undefined
  /** The link through which it arrives: the result is then the way of a packet that is forwarded. */
  iif?: LinkRef | undefined
  /** The link to which its socket is bound. */
  oif?: LinkRef | undefined
  /** Its mark (`SO_MARK`, nftables). */
  fwmark?: number | undefined
  /** The user of its socket, as an id of the `user` namespace of the Node.js process. */
  uid?: number | undefined
  ipProto?: IpProtocol | undefined
  /** Its source port. */
  sport?: number | undefined
  /** Its destination port. */
  dport?: number | undefined
  /** Whether the result is the route of the table, with all its next hops, and not the way of this packet. Default: `false`. */
  fibMatch?: boolean | undefined
}

const port = whole(1, 0xffff)

const LOOKUP = {
  from: ip,
  tos: u8,
  iif: parseLinkRef,
  oif: parseLinkRef,
  fwmark: u32,
  uid: whole(0, 0xfffffffe),
  ipProto: ipProtocol,
  sport: port,
  dport: port,
  fibMatch: boolean,
} satisfies FieldsOf<RouteLookupOptions>

/** @internal */
export function parseRouteLookup(address: unknown, options: unknown): Plain {
  const to = ip(address, 'address')
  const parsed = parseOptions(options, LOOKUP)
  if (parsed.from !== undefined && familyOf(parsed.from) !== familyOf(to)) {
    throw invalidValue('options.from', `must be of the family of the address, ${to}`, parsed.from)
  }
  return { address: to, ...parsed }
}
