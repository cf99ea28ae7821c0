import { invalidType, invalidValue, outOfRange } from '../../errors.ts'
import type { Parse } from '../fields.ts'
import { text as anyText, whole, word } from '../values.ts'

/** @internal Rejects lone surrogates, which have no UTF-8 encoding and would make the JSON for the native side invalid. */
export const text: Parse<string> = (value, name) => {
  const given = anyText(value, name)
  if (given.isWellFormed()) return given
  throw invalidValue(name, 'must not contain a lone surrogate', given)
}

/** @internal Bytes in hexadecimal digits, which only the kernel interprets. */
export const octets: Parse<string> = (value, name) => {
  if (/^([0-9a-f]{2})*$/i.test(text(value, name))) return value as string
  throw invalidValue(name, 'must be pairs of hexadecimal digits', value)
}

/** @internal In bit/s. */
export const rate = whole(8, Number.MAX_SAFE_INTEGER)

/** @internal */
export const percentage: Parse<number> = (value, name) => between(value, name, 100, 'a percentage from 0 to 100')

/** @internal Fractions are allowed. */
export const milliseconds: Parse<number> = (value, name) =>
  between(value, name, Number.MAX_SAFE_INTEGER, 'a number of milliseconds, 0 or more')

function between(value: unknown, name: string, most: number, range: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!(value >= 0 && value <= most)) throw outOfRange(name, range, value)
  return value
}

/** @internal */
export const ip: Parse<string> = (value, name) => {
  if (familyOf(text(value, name)) !== 0) return value as string
  throw invalidValue(name, 'must be an IP address', value)
}

/** @internal */
export const ipv4: Parse<string> = (value, name) => {
  if (familyOf(text(value, name)) === 4) return value as string
  throw invalidValue(name, 'must be an IPv4 address', value)
}

/** @internal */
export const ipv6: Parse<string> = (value, name) => {
  if (familyOf(text(value, name)) === 6) return value as string
  throw invalidValue(name, 'must be an IPv6 address', value)
}

/** @internal An IP address with a prefix length. Default: the length of the address. */
export const cidr: Parse<string> = (value, name) => {
  const given = text(value, name)
  const [address = '', prefix, ...more] = given.split('/')
  const family = familyOf(address)
  if (family === 0 || more.length > 0) {
    throw invalidValue(name, "must be an IP address with a prefix length, such as '10.0.0.1/24' or 'fd00::1/64'", value)
  }
  const bits = family === 4 ? 32 : 128
  if (prefix === undefined) return `${address}/${bits}`
  if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) return `${address}/${Number(prefix)}`
  throw invalidValue(name, `must have a prefix length of 0 to ${bits} bits`, value)
}

/** @internal Returns 4, 6, or 0 if the text is not an IP address without a zone. */
export function familyOf(address: string): 0 | 4 | 6 {
  if (address.includes('%')) return 0
  isIP ??= process.getBuiltinModule('node:net').isIP
  return isIP(address) as 0 | 4 | 6
}

/** Found once: getBuiltinModule takes longer than the check of an address. */
let isIP: ((address: string) => number) | undefined

/** An address family. */
export type Family = 'IPv4' | 'IPv6'

/** @internal */
export const family: Parse<Family> = word('IPv4', 'IPv6')

/** @internal A hardware address of a link. */
export const mac: Parse<string> = (value, name) => {
  if (/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text(value, name))) return value as string
  throw invalidValue(name, "must be a hardware address, such as '02:00:00:00:00:01'", value)
}

/** @internal A hardware address of any kind of link: 1 to 32 bytes. */
export const hardwareAddress: Parse<string> = (value, name) => {
  if (/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){0,31}$/i.test(text(value, name))) return value as string
  throw invalidValue(name, "must be a hardware address, such as '02:00:00:00:00:01'", value)
}

/** Bytes that dev_valid_name() of net/core/dev.c rejects. It takes A0 for a space of Latin-1. */
const isWrongByte = (byte: number) =>
  (byte >= 0x09 && byte <= 0x0d) || [0x00, 0x20, 0x25, 0x2f, 0x3a, 0xa0].includes(byte)

/** What nearly all names are: characters of ASCII without whitespace, `%`, `/` and `:`. */
const PLAIN_NAME = /^[!-$&-.0-9;-~]{1,15}$/

/** @internal A name that the kernel accepts for a link. */
export const linkName: Parse<string> = (value, name) => {
  const given = text(value, name)
  if (PLAIN_NAME.test(given) && given !== '.' && given !== '..') return given
  const bytes = Buffer.from(given)
  const isWrong = given === '' || given === '.' || given === '..' || bytes.some(isWrongByte)
  if (!isWrong && bytes.length <= 15) return given
  throw invalidValue(
    name,
    "must be a link's name: 1 to 15 bytes, no '/', ':', '%' or whitespace, not '.' or '..', and no byte A0, which 'à' has in UTF-8",
    given,
  )
}

/** @internal The name or an alternative name of an existing link. */
export const knownName: Parse<string> = (value, name) => {
  const isLong = typeof value === 'string' && value.length > 5 && Buffer.byteLength(value) > 15
  return isLong ? altName(value, name) : linkName(value, name)
}

/** @internal An alternative name of a link, in which the kernel accepts all characters. */
export const altName: Parse<string> = (value, name) => {
  const bytes = Buffer.byteLength(text(value, name))
  if (bytes > 0 && bytes <= 127) return value as string
  throw invalidValue(name, 'must be a name or an alternative name of a link, of 1 to 127 bytes', value)
}

/** @internal */
export const linkIndex = whole(1, 0x7fffffff)

/** @internal */
export const alias: Parse<string> = (value, name) => {
  if (Buffer.byteLength(text(value, name)) <= 255) return value as string
  throw invalidValue(name, 'must have at most 255 bytes', value)
}
