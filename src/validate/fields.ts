import { invalidType, invalidValue, misuse } from '../errors.ts'
import type { Parse } from './network/values.ts'

/** @internal What an object may have, and how each is checked. */
export type Fields = Readonly<Record<string, Parse>>

/** @internal Plain data, as the native side takes it. */
export type Plain = Record<string, unknown>

/** @internal An object that has these fields and no others. What is undefined is left out. */
export function parseFields(value: unknown, name: string, fields: Fields, required: readonly string[] = []): Plain {
  const parsed: Plain = {}
  for (const [key, field] of Object.entries(parseObject(value, name))) {
    if (field === undefined) continue
    if (!Object.hasOwn(fields, key)) throw unknownField(`${name}.${key}`, Object.keys(fields))
    parsed[key] = fields[key]?.(field, `${name}.${key}`)
  }
  const missing = required.find((key) => parsed[key] === undefined)
  if (missing !== undefined) throw invalidValue(`${name}.${missing}`, 'must be given', undefined)
  return parsed
}

/** @internal */
export function parseObject(value: unknown, name: string): Plain {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Plain
  throw invalidType(name, 'an object', value)
}

/** @internal */
export function parseArray<T>(value: unknown, name: string, parse: Parse<T>): T[] {
  if (!Array.isArray(value)) throw invalidType(name, 'an array', value)
  return Array.from(value, (element, index) => parse(element, `${name}[${index}]`))
}

/** Its value is not told: it may be a key that was only misspelt. */
function unknownField(name: string, known: readonly string[]): Error {
  const isWord = /^[\w.[\]]{1,60}$/.test(name) && !/\w{40}/.test(name)
  const called = isWord ? `The argument '${name}'` : 'An argument'
  return misuse('ERR_INVALID_ARG_VALUE', `${called} is not known; there are ${known.join(', ')}`)
}
