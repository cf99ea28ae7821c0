import { invalidValue } from '../../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseArray, parseFields } from '../../../fields.ts'
import { text } from '../../values.ts'
import type { DataType } from './data-types.ts'
import { type FirewallVerdict, parseVerdict } from './verdict.ts'

/** The name of a set of the table, after an `@`. */
export type FirewallSetName = `@${string}`

/** In a set or a map: all keys that it does not have. */
export type FirewallAny = '*'

/** A comparison of a match with an operator, like those of nft(8). Exactly one operator, and `'&'` with it. */
export interface FirewallComparison<T> {
  /** The bits to compare, before the comparison. */
  '&'?: T | readonly T[] | undefined
  /** Equal; for flags: exactly these. */
  '=='?: T | readonly (T | FirewallAny)[] | FirewallSetName | undefined
  /** Not equal; not one of a list; not in a set. */
  '!='?: T | readonly (T | FirewallAny)[] | FirewallSetName | undefined
  /** For flags: none of these is set. */
  '!'?: T | readonly T[] | undefined
  '<'?: T | undefined
  '<='?: T | undefined
  '>'?: T | undefined
  '>='?: T | undefined
  /** For flags: exactly one of a list. For other values, a list alone means this. */
  in?: readonly T[] | undefined
  /** For flags: none of a list. */
  'not in'?: readonly T[] | undefined
  /** What happens depends on the value: pairs of a value and a verdict, or the name of a map of the table. */
  vmap?: readonly (readonly [T | FirewallAny, FirewallVerdict])[] | FirewallSetName | undefined
}

/**
 * What the value of a selector must be: a value, a range (`'1024-65535'`), a prefix (`'10.0.0.0/8'`), one of a list, in a set of the
 * table (`'@name'`), or a comparison. For flags, such as those of `ct state`: at least one of these is set.
 */
export type FirewallTest<T> = T | readonly (T | FirewallAny)[] | FirewallSetName | FirewallComparison<T>

const COMPARISONS = ['==', '!=', '!', '<', '<=', '>', '>='] as const

/** @internal Parses what a selector is compared with. `types` are several for a concatenation. */
export function parseTest(value: unknown, name: string, types: readonly DataType[]): unknown {
  const [type] = types
  const isFlags = types.length === 1 && type?.isFlags === true
  const element = elementOf(types)
  if (typeof value === 'number') return element(value, name)
  const list: Parse<unknown[]> = (given, at) => nonEmpty(parseArray(given, at, orAny(element)), at)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return parseComparison(value, name, isFlags, element, list)
  }
  return operand(value, name, element, list)
}

/** @internal Parses an element of a set: a list of values for a concatenation. */
export function elementOf(types: readonly DataType[]): Parse {
  const [first, ...more] = types
  if (first === undefined || more.length === 0) return first?.parse ?? text
  return (value, name) => {
    const parts = parseArray(value, name, (part) => part)
    if (parts.length === types.length) return parts.map((part, index) => types[index]?.parse(part, `${name}[${index}]`))
    throw invalidValue(name, `must be a list of ${types.length} values`, value)
  }
}

/** @internal Parses an element of a set, or `'*'`. */
export function orAny(element: Parse): Parse {
  return (value, name) => (value === '*' ? value : element(value, name))
}

function operand(value: unknown, name: string, element: Parse, list: Parse<unknown[]>): unknown {
  if (isSetName(value)) return value
  return Array.isArray(value) ? list(value, name) : element(value, name)
}

function parseComparison(
  value: unknown,
  name: string,
  isFlags: boolean,
  element: Parse,
  list: Parse<unknown[]>,
): Plain {
  const flags: Parse = (given, at) => (isFlags && Array.isArray(given) ? list(given, at) : element(given, at))
  const any: Parse = (given, at) => operand(given, at, element, list)
  const fields = {
    '&': flags,
    '==': any,
    '!=': any,
    '!': flags,
    '<': element,
    '<=': element,
    '>': element,
    '>=': element,
    in: list,
    'not in': list,
    vmap: (given, at) =>
      isSetName(given)
        ? given
        : nonEmpty(parseArray(given, at, pairOf(orAny(element), parseVerdict, 'a value and a verdict')), at),
  } satisfies FieldsOf<FirewallComparison<unknown>>
  const parsed: Plain = parseFields(value, name, fields)
  const keys = Object.keys(parsed).filter((key) => key !== '&')
  if (keys.length !== 1) throw invalidValue(name, 'must have exactly one operator, such as { "!=": 22 }', value)
  const [key] = keys
  if (parsed['&'] !== undefined && !COMPARISONS.some((known) => known === key && known !== '!')) {
    throw invalidValue(`${name}.&`, "must be combined with '==', '!=', '<', '<=', '>' or '>='", parsed['&'])
  }
  const isForFlags = key === '!' || key === 'in' || key === 'not in'
  if (isForFlags && !isFlags) {
    const instead = key === 'in' ? 'a list' : "'!='"
    throw invalidValue(`${name}.${key}`, `is only for flags; use ${instead}`, parsed[key])
  }
  return parsed
}

function nonEmpty<T>(list: T[], name: string): T[] {
  if (list.length > 0) return list
  throw invalidValue(name, 'must not be empty', list)
}

/** @internal */
export function pairOf<V>(key: Parse, parse: Parse<V>, description: string): Parse<[unknown, V]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length !== 2) throw invalidValue(name, `must be ${description}`, value)
    return [key(value[0], `${name}[0]`), parse(value[1], `${name}[1]`)]
  }
}

/** @internal */
export function isSetName(value: unknown): value is FirewallSetName {
  return typeof value === 'string' && value.startsWith('@') && /^@(?!(?:ll|nh|th|ih),\d)./s.test(value)
}
