import type { LookupOptions } from 'node:dns'
import { invalidType, invalidValue, misuse } from '../../errors.ts'
import { type FieldsOf, type Parse, parseOptions } from '../fields.ts'
import { familyOf } from '../network/values.ts'
import { splitZone } from '../network/zone.ts'
import { boolean, nonEmptyText, nullable, text, word } from '../values.ts'

/** @internal The order of the addresses. */
export type Order = 'ipv4first' | 'ipv6first' | 'verbatim'

/** @internal Which addresses a lookup returns. */
export interface Wanted {
  family: number
  hints: number
}

/** @internal */
export const parseHostName = nonEmptyText

const FAMILIES = new Map<unknown, number>([
  [0, 0],
  [4, 4],
  [6, 6],
  ['IPv4', 4],
  ['IPv6', 6],
])

const family: Parse<number> = (value, name) => {
  const known = FAMILIES.get(value)
  if (known === undefined) throw invalidValue(name, 'must be one of: 0, 4, 6', value)
  return known
}

const hints: Parse<number> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  const { ADDRCONFIG, ALL, V4MAPPED } = process.getBuiltinModule('node:dns')
  const known = value >>> 0
  if ((known & ~(ADDRCONFIG | ALL | V4MAPPED)) === 0) return known
  throw invalidValue(name, 'must be a combination of dns.ADDRCONFIG, dns.V4MAPPED and dns.ALL', value)
}

/** @internal As in Node, null means undefined. */
export const LOOKUP = {
  all: nullable(boolean),
  family: nullable(family),
  hints: nullable(hints),
  order: nullable(word('verbatim', 'ipv4first', 'ipv6first')),
  verbatim: nullable(boolean),
} satisfies FieldsOf<LookupOptions>

/** @internal `order` takes precedence over `verbatim`. */
export function parseLookup(options: unknown): Wanted & { all: boolean; order: Order } {
  const given =
    typeof options === 'number' ? { family: family(options, 'family') } : parseOptions(options ?? undefined, LOOKUP)
  const { all = false, hints = 0, order, verbatim } = given as ReturnType<typeof parseOptions<typeof LOOKUP>>
  return { family: given.family ?? 0, hints, all, order: order ?? orderOf(verbatim) }
}

function orderOf(verbatim: boolean | undefined): Order {
  if (verbatim === undefined) return process.getBuiltinModule('node:dns').getDefaultResultOrder() as Order
  return verbatim ? 'verbatim' : 'ipv4first'
}

/** @internal Parses a server as `dns.setServers` does: `'10.0.0.53'`, `'10.0.0.53:5353'`, `'[fd00::53]:53'`. */
export function parseServer(value: unknown, name: string): string {
  const given = text(value, name)
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(given) ?? []
  // As in c-ares, port 0 means the default port.
  const port = Number(digits ?? 0) || 53
  if (familyOf(splitZone(given)[0]) === 6) return `[${given}]:53`
  if (four !== undefined && familyOf(four) === 4 && port <= 0xffff) return `${four}:${port}`
  if (six !== undefined && familyOf(splitZone(six)[0]) === 6 && port <= 0xffff) return `[${six}]:${port}`
  throw misuse(
    'ERR_INVALID_ARG_VALUE',
    `The argument '${name}' must be an IP address with an optional port: '${given}'`,
  )
}
