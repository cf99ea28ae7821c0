import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseArray, parseFields } from '../../fields.ts'
import { u32, whole, word } from '../../values.ts'
import { type FirewallKeyType, KEY_TYPES } from './data-types.ts'
import { comment } from './names.ts'
import { elementOf } from './test.ts'
import { type FirewallVerdict, parseVerdict } from './verdict.ts'

/** A value of a set, or a list of values for a concatenation. */
export type FirewallKey = string | number | readonly (string | number)[]

/** An element of a set or a map with more than its key. */
export interface FirewallElement {
  key: FirewallKey
  /** What happens to packets with the key. Only, and always, in a map. */
  verdict?: FirewallVerdict | undefined
  /** In milliseconds: how long the element stays. The set must have the flag `'timeout'` or a `timeout`. */
  timeout?: number | undefined
  /** In milliseconds: how long the element still stays. */
  expires?: number | undefined
  comment?: string | undefined
}

/** A set of a table, or with `data`, a map. */
export interface FirewallSet {
  /** The type of the elements, or the types of a concatenation. */
  type: FirewallKeyType | readonly FirewallKeyType[]
  /** `'verdict'` makes a map, for `vmap`. */
  data?: 'verdict' | undefined
  /** `'interval'`: elements can be ranges and prefixes. `'constant'`: elements cannot change. `'dynamic'`: rules can add elements. */
  flags?: readonly ('constant' | 'dynamic' | 'interval' | 'timeout')[] | undefined
  /** In milliseconds: how long elements stay that have no `timeout`. Default: for ever. */
  timeout?: number | undefined
  /** The largest number of elements. */
  size?: number | undefined
  comment?: string | undefined
  /** They come back sorted by their bytes. */
  elements?: readonly (FirewallKey | FirewallElement)[] | undefined
}

const FLAGS = ['constant', 'dynamic', 'interval', 'timeout'] as const
const KEY_TYPE_NAMES = Object.keys(KEY_TYPES) as FirewallKeyType[]

const milliseconds = whole(1, Number.MAX_SAFE_INTEGER)

const keyType: Parse<FirewallKeyType> = (value, name) => {
  if (KEY_TYPE_NAMES.includes(value as FirewallKeyType)) return value as FirewallKeyType
  throw invalidValue(name, `must be one of ${KEY_TYPE_NAMES.map((known) => `'${known}'`).join(', ')}`, value)
}

const keyTypes: Parse<FirewallKeyType | FirewallKeyType[]> = (value, name) => {
  if (!Array.isArray(value)) return keyType(value, name)
  const types = parseArray(value, name, keyType)
  if (types.length >= 2 && types.length <= 5) return types
  throw invalidValue(name, 'must be a type, or a list of 2 to 5 types', value)
}

const SET = {
  type: keyTypes,
  data: word('verdict'),
  flags: (value, name) => [...new Set(parseArray(value, name, word(...FLAGS)))].toSorted(),
  timeout: milliseconds,
  size: u32,
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
  const parsed = parseElements(
    set.elements ?? [],
    `${name}.elements`,
    elementOf(types),
    set.data !== undefined,
    hasTimeouts,
  )
  return { ...set, flags: [...flags].toSorted(), elements: parsed }
}

/** @internal Parses the elements of a set, or of a map. */
export function parseElements(
  value: unknown,
  name: string,
  key: Parse,
  isMap: boolean,
  hasTimeouts: boolean,
): unknown[] {
  return parseArray(value, name, (element, at) => parseElement(element, at, key, isMap, hasTimeouts))
}

function parseElement(value: unknown, name: string, key: Parse, isMap: boolean, hasTimeouts: boolean): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject && !isMap) return key(value, name)
  const fields = {
    key,
    verdict: parseVerdict,
    timeout: milliseconds,
    expires: milliseconds,
    comment,
  } satisfies FieldsOf<FirewallElement>
  const element = parseFields(value, name, fields, ['key'])
  if (isMap !== (element.verdict !== undefined)) {
    const reason = isMap ? 'is required in a map' : "is only for maps, which have data: 'verdict'"
    throw invalidValue(`${name}.verdict`, reason, element.verdict)
  }
  if (!hasTimeouts && (element.timeout ?? element.expires) !== undefined) {
    throw invalidValue(`${name}.timeout`, "requires the flag 'timeout' of the set", element.timeout)
  }
  return element
}
