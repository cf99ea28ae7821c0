import { invalidValue } from '../../../../errors.ts'
import { type Parse, type Plain, parseArray, parseFields, parseObject } from '../../../fields.ts'
import type { FirewallComputedSelector } from './computed-selectors.ts'
import { type FirewallSelector, type SelectorValue, typesOf } from './selectors.ts'
import { elementOf, type FirewallAny, type FirewallSetName, isSetName, orAny, pairOf } from './test.ts'

/** A map: pairs of a key and a value, or the name of a map of the table. */
export interface FirewallMapTo<K, V> {
  map: readonly (readonly [K | FirewallAny, V])[] | FirewallSetName
}

/**
 * A value that depends on the packet: what a map has for a selector, such as `{ 'tcp dport': { map: [[80, 8080]] } }`, or for several
 * selectors that are joined by ` . `. It has exactly one key. Packets for which the map has no value do not match.
 */
export type FirewallMapping<V> = {
  readonly [S in FirewallSelector]?: FirewallMapTo<SelectorValue<S>, V> | undefined
} & {
  readonly [several: `${string} . ${string}`]: FirewallMapTo<readonly (string | number)[], V> | undefined
  readonly [masked: `${string} & ${string}`]: FirewallMapTo<string | number, V> | undefined
} & { readonly [C in FirewallComputedSelector]?: FirewallMapTo<number | string, V> | undefined }

const SELECTOR = "must be an object with one key, which is a selector such as 'tcp dport'"

/** @internal Parses a mapping to values. */
export function parseMapping(value: unknown, name: string, parse: Parse): Plain {
  const [key, given] = onlyEntry(parseObject(value, name), name, SELECTOR)
  const pair = pairOf(orAny(elementOf(typesOf(key, name, SELECTOR))), parse, 'a key and a value')
  const map: Parse = (list, at) => {
    if (isSetName(list)) return list
    const pairs = parseArray(list, at, pair)
    if (pairs.length > 0) return pairs
    throw invalidValue(at, 'must not be empty', list)
  }
  return { [key]: parseFields(given, `${name}['${key}']`, { map }, ['map']) }
}

/** @internal Whether a value is that of a selector, `{ from: 'ct mark' }`, and not a constant or a mapping. */
export function isCopy(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'from')
}

/** @internal Returns the only entry of an object. */
export function onlyEntry(value: Plain, name: string, reason: string): [string, unknown] {
  let only: string | undefined
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue
    if (only !== undefined) throw invalidValue(name, reason, value)
    only = key
  }
  if (only !== undefined) return [only, value[only]]
  throw invalidValue(name, reason, value)
}
