import { invalidType, invalidValue } from '../../errors.ts'
import type { Parse } from '../fields.ts'
import { text } from './values.ts'

/** @internal The first `.` or `/` is the separator, as with sysctl(8): `net/ipv4/conf/eth0.100/forwarding`. */
export const parseSysctl: Parse<string> = (value, argument) => {
  const given = text(value, argument)
  const parts = given.split(given.match(/[./]/)?.[0] ?? '.')
  const isWrong = parts.length < 2 || parts[0] !== 'net' || parts.some((part) => ['', '.', '..'].includes(part))
  if (!isWrong) return given
  throw invalidValue(argument, "must be a sysctl of the network, such as 'net.ipv4.ip_forward'", given)
}

/** @internal */
export const parseSysctlValue: Parse<string> = (given, argument) => {
  if (typeof given === 'boolean') return given ? '1' : '0'
  if (typeof given === 'number' && Number.isFinite(given)) return String(given)
  if (typeof given !== 'string') throw invalidType(argument, 'a string, a number or a boolean', given)
  return text(given, argument)
}
