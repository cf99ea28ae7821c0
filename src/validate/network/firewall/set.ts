import { invalidType, invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseArray, parseFields } from '../../fields.ts'
import { meant } from '../../nearest.ts'
import { quoted, u32, whole, word } from '../../values.ts'
import { type FirewallKeyType, KEY_TYPES } from './matching/data-types.ts'
import { comment, objectName } from './matching/names.ts'
import { elementOf, orAny } from './matching/test.ts'
import { type FirewallVerdict, parseVerdict } from './matching/verdict.ts'
import { type FirewallObjectKind, OBJECT_KINDS } from './objects.ts'
import { type FirewallOwn, own } from './set-statement.ts'

/** A value of a set, a list of values for a concatenation, or `'*'` for all keys that the set does not have. */
export type FirewallKey = string | number | readonly (string | number)[]

/** An element of a set or a map with more than its key. */
export interface FirewallElement {
  key: FirewallKey
  /** What happens to packets with the key. Only, and always, in a map to verdicts. */
  verdict?: FirewallVerdict | undefined
  /** What the map has for the key, or the name of an object of the table. Only, and always, in such maps. */
  value?: FirewallKey | undefined
  /** In milliseconds: how long the element stays. The set must have the flag `'timeout'` or a `timeout`. */
  timeout?: number | undefined
  /** In milliseconds: how long the element still stays. */
  expires?: number | undefined
  /** What it has of its own. Default: what the set says. */
  with?: readonly FirewallOwn[] | undefined
  comment?: string | undefined
}

/** The type of the values of a map, or the types of a concatenation. */
export type FirewallValueType = FirewallKeyType | readonly FirewallKeyType[]

/** A set of a table, or with `data`, a map. */
export interface FirewallSet {
  /** The type of the elements, or the types of a concatenation. */
  type: FirewallKeyType | readonly FirewallKeyType[]
  /**
   * Makes a map: to verdicts, for `vmap`, to values of a type, or of several types, for `map`, or to names of counters or other
   * objects of the table. With `interval`, values are ranges and prefixes, to which `snat` and `dnat` translate.
   */
  data?: 'verdict' | FirewallObjectKind | FirewallValueType | { interval: FirewallValueType } | undefined
  /** `'interval'`: elements can be ranges and prefixes. `'constant'`: elements cannot change. `'dynamic'`: rules can add elements. */
  flags?: readonly ('constant' | 'dynamic' | 'interval' | 'timeout')[] | undefined
  /** In milliseconds: how long elements stay that have no `timeout`. Default: for ever. */
  timeout?: number | undefined
  /** The largest number of elements. */
  size?: number | undefined
  /** Limits, quotas and counters that each element has of its own. A packet whose key is within them is in the set. */
  with?: readonly FirewallOwn[] | undefined
  comment?: string | undefined
  /** They come back sorted by their bytes. */
  elements?: readonly (FirewallKey | FirewallElement)[] | undefined
}

const isObjectKind = (value: unknown): value is FirewallObjectKind =>
  (OBJECT_KINDS as readonly unknown[]).includes(value)

const FLAGS = ['constant', 'dynamic', 'interval', 'timeout'] as const
const KEY_TYPE_NAMES = Object.keys(KEY_TYPES) as FirewallKeyType[]

const milliseconds = whole(1, Number.MAX_SAFE_INTEGER)

const keyType: Parse<FirewallKeyType> = (value, name) => {
  if (KEY_TYPE_NAMES.includes(value as FirewallKeyType)) return value as FirewallKeyType
  throw invalidValue(name, `must be one of ${quoted(KEY_TYPE_NAMES)}${meant(value, KEY_TYPE_NAMES)}`, value)
}

const keyTypes: Parse<FirewallKeyType | FirewallKeyType[]> = (value, name) => {
  if (!Array.isArray(value)) return keyType(value, name)
  const types = parseArray(value, name, keyType)
  if (types.length >= 2 && types.length <= 5) return types
  throw invalidValue(name, 'must be a type, or a list of 2 to 5 types', value)
}

const INTERVAL = { interval: keyTypes } satisfies FieldsOf<{ interval: FirewallValueType }>

const mapTypes: Parse<FirewallKeyType | FirewallKeyType[] | { interval: FirewallKeyType | FirewallKeyType[] }> = (
  value,
  name,
) => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject) return keyTypes(value, name)
  const { interval } = parseFields(value, name, INTERVAL, ['interval'])
  if (['ipv4_addr', 'ipv6_addr'].includes([interval].flat()[0] as string)) return { interval }
  throw invalidValue(`${name}.interval`, 'must be a type of addresses, or one with a type after it', interval)
}

const SET = {
  type: keyTypes,
  data: (value, name) => (value === 'verdict' || isObjectKind(value) ? value : mapTypes(value, name)),
  flags: (value, name) => [...new Set(parseArray(value, name, word(...FLAGS)))].toSorted(),
  timeout: milliseconds,
  size: u32,
  with: array(own),
  comment,
  elements: (value) => value,
} satisfies FieldsOf<FirewallSet>

/** @internal */
export const parseSet: Parse<Plain> = (value, name) => {
  const set = parseFields(value, name, SET, ['type'])
  const types = [set.type].flat().map((type) => KEY_TYPES[type])
  const flags = new Set(set.flags)
  if (set.timeout !== undefined) flags.add('timeout')
  const hasTimeouts = flags.has('timeout')
  const kind = { key: orAny(elementOf(types)), data: dataOf(set.data), hasTimeouts }
  const parsed = parseArray(set.elements ?? [], `${name}.elements`, (element, at) => parseElement(element, at, kind))
  return { ...set, flags: [...flags].toSorted(), elements: parsed }
}

/** What the elements of a set have. */
interface ElementKind {
  key: Parse
  /** For a map: the name of what it has for a key, and how that is parsed. */
  data: { name: 'verdict' | 'value'; parse: Parse } | undefined
  hasTimeouts: boolean
}

function dataOf(data: FirewallSet['data']): ElementKind['data'] {
  if (data === undefined) return undefined
  if (data === 'verdict') return { name: 'verdict', parse: parseVerdict }
  if (isObjectKind(data)) return { name: 'value', parse: objectName }
  const hasIntervals = typeof data === 'object' && 'interval' in data
  const types = [hasIntervals ? data.interval : data].flat() as FirewallKeyType[]
  const parse = elementOf(types.map((type) => KEY_TYPES[type]))
  if (hasIntervals) return { name: 'value', parse }
  const one: Parse = (value, name) => {
    const parsed = parse(value, name)
    if (![parsed].flat().some(isSeveral)) return parsed
    throw invalidValue(
      name,
      'must be one value: for ranges and prefixes, the data of the map must be { interval: type }',
      value,
    )
  }
  return { name: 'value', parse: one }
}

/** Whether a value is a range, a prefix, or the start of a name. */
function isSeveral(value: unknown): boolean {
  return typeof value === 'string' && /^\d+-\d+$|^[\d.]+[/-]|^[\da-f:]+:[\da-f:.]*[/-]|\*$/i.test(value)
}

const onlyForMaps: Parse = (value, name) => {
  throw invalidValue(name, `is only for maps to ${name.endsWith('.value') ? 'values' : 'verdicts'}`, value)
}

function parseElement(value: unknown, name: string, { key, data, hasTimeouts }: ElementKind): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject && data === undefined) return key(value, name)
  const fields = {
    key,
    verdict: data?.name === 'verdict' ? data.parse : onlyForMaps,
    value: data?.name === 'value' ? data.parse : onlyForMaps,
    timeout: milliseconds,
    expires: milliseconds,
    with: array(own),
    comment,
  } satisfies FieldsOf<FirewallElement>
  const element = parseFields(value, name, fields, ['key'])
  if (data !== undefined && element[data.name] === undefined) {
    throw invalidValue(`${name}.${data.name}`, 'is required in this map', undefined)
  }
  if (!hasTimeouts && (element.timeout ?? element.expires) !== undefined) {
    throw invalidValue(`${name}.timeout`, "requires the flag 'timeout' of the set", element.timeout)
  }
  return element
}

function isPart(part: unknown): part is string | number {
  return typeof part === 'string' || typeof part === 'number'
}

const looseKey: Parse<FirewallKey> = (value, name) => {
  if (isPart(value) || (Array.isArray(value) && value.every(isPart))) return value as FirewallKey
  throw invalidType(name, 'a string, a number, or a list of them', value)
}

/** @internal Parses elements of a set whose type only the kernel knows. */
export function parseLooseElements(value: unknown, name: string): unknown[] {
  const fields = {
    key: looseKey,
    verdict: parseVerdict,
    value: looseKey,
    timeout: milliseconds,
    expires: milliseconds,
    with: array(own),
    comment,
  } satisfies FieldsOf<FirewallElement>
  return parseArray(value, name, (element, at) => {
    const isObject = typeof element === 'object' && element !== null && !Array.isArray(element)
    return isObject ? parseFields(element, at, fields, ['key']) : looseKey(element, at)
  })
}
