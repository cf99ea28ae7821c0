import { invalidType, invalidValue, misuse } from '../../errors.ts'
import { type FieldsOf, type Parse, parseArray, parseFields } from '../fields.ts'
import { cidr, familyOf, text } from '../network/values.ts'
import { word } from '../values.ts'
import { type PortRange, parsePorts } from './port-range.ts'

/**
 * What an {@link Uplink} allows or denies: a name or a range of addresses, with an optional port. As a string: `'registry.npmjs.org'`,
 * `'*.github.com:443'`, `'10.0.0.0/8:5432'`, `'[2001:db8::]/32'`, `'192.0.2.1:8000-8010'`. `'*'` is every name. A name or a range is
 * required, if there is no port and no protocol.
 */
export type Rule =
  | string
  | {
      /** A host name; `'*.DOMAIN'` for all names below a domain, without the domain itself; `'*'` for all names. */
      host?: string | undefined
      /** An IP address, or a range of addresses in CIDR notation. */
      cidr?: string | undefined
      /** A port, or several. Default: all. */
      port?: number | PortRange | undefined
      /** Default: all. `'icmp'`: echo requests of both families. */
      protocol?: 'tcp' | 'udp' | 'icmp' | undefined
    }

/** @internal A rule as the native side takes it. */
export interface ParsedRule {
  host?: string
  cidr?: string
  firstPort?: number
  lastPort?: number
  protocol?: 'tcp' | 'udp' | 'icmp'
}

/** Converts a name as resolvers do. A name that ends in a number would be an address in another spelling: 127.1, 0x7f000001. */
const host: Parse<string> = (value, name) => {
  const given = text(value, name)
  if (given === '*') return given
  const [, star = '', domain = ''] = /^(\*\.)?(.*)$/.exec(given) ?? []
  const ascii = process.getBuiltinModule('node:url').domainToASCII(domain)
  const isName = /^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$/i.test(ascii) && !/(^|\.)(\d+|0x[\da-f]*)\.?$/i.test(ascii)
  if (isName && ascii.length <= 253) return `${star}${ascii}`
  throw invalidValue(name, "must be a host name, '*.DOMAIN' or '*'", value)
}

/** The host bits of a range do not matter. */
const FIELDS = {
  host,
  cidr,
  port: parsePorts,
  protocol: word('tcp', 'udp', 'icmp'),
} satisfies FieldsOf<Exclude<Rule, string>>

const parseRule: Parse<ParsedRule> = (value, name) => {
  if (typeof value === 'string') return parseText(value, name)
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'a string or an object', value)
  const { port, ...rule } = parseFields(value, name, FIELDS)
  if (rule.host !== undefined && rule.cidr !== undefined) {
    throw misuse('ERR_INVALID_ARG_VALUE', `${name} has a cidr, so it cannot have a host`)
  }
  if (rule.host === undefined && rule.cidr === undefined && port === undefined && rule.protocol === undefined) {
    throw invalidValue(name, 'must not be empty', value)
  }
  if (port !== undefined && rule.protocol === 'icmp') {
    throw misuse('ERR_INVALID_ARG_VALUE', `${name}.protocol is 'icmp', which has no ports`)
  }
  return { ...rule, ...portsOf(port) }
}

/** `[ADDRESS]/BITS:PORT`, `ADDRESS/BITS:PORT` of IPv4, `NAME:PORT`, or an address of IPv6 alone. */
function parseText(value: string, name: string): ParsedRule {
  const isBare = familyOf(value.split('/')[0] ?? '') === 6
  const [, six, bits = '', other, port] = isBare
    ? [value, value]
    : (/^(?:\[([^\]]*)\](\/\d+)?|([^:[\]]*))(?::([\d-]+))?$/.exec(value) ?? [])
  if (six === undefined && other === undefined) {
    throw invalidValue(name, "must be a name or a range, with an optional port, such as '*.example.org:443'", value)
  }
  const place = six === undefined ? (other as string) : `${six}${bits}`
  const isRange = six !== undefined || familyOf(place.split('/')[0] ?? '') !== 0 || place.includes('/')
  const ports = port === undefined ? undefined : parsePorts(portsIn(port, name), name)
  return { ...(isRange ? { cidr: cidr(place, name) } : { host: host(place, name) }), ...portsOf(ports) }
}

function portsIn(text: string, name: string): number | PortRange {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (first === undefined) throw invalidValue(name, "must have a port, or ports such as '8000-8010'", text)
  return last === undefined ? Number(first) : { first: Number(first), last: Number(last) }
}

function portsOf(ports: PortRange | undefined): { firstPort?: number; lastPort?: number } {
  return ports === undefined ? {} : { firstPort: ports.first, lastPort: ports.last }
}

/** @internal */
export const rules: Parse<ParsedRule[]> = (value, name) => parseArray(value, name, parseRule)

/** @internal One rule, or several. */
export function parseRules(value: unknown): ParsedRule[] {
  return Array.isArray(value) ? rules(value, 'rules') : [parseRule(value, 'rules')]
}
