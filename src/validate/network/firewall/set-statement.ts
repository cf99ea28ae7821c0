import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { whole } from '../../values.ts'
import { text } from '../values.ts'
import { type FirewallSelector, typesOf } from './matching/selectors.ts'
import { type FirewallSetName, isSetName } from './matching/test.ts'
import {
  connectionCount,
  type FirewallConnectionCount,
  type FirewallLimit,
  type FirewallQuota,
  limit,
  quota,
} from './statement-options.ts'

/** A selector, some bits of it (`'ip saddr & 255.255.255.0'`), or several that are joined by ` . `. */
export type FirewallSelectors = FirewallSelector | `${string} . ${string}` | `${string} & ${string}`

/** What each element of a set has of its own: a packet only matches if it is within the limit, the quota and the number. */
export type FirewallOwn =
  | 'counter'
  | { limit: FirewallLimit }
  | { quota: FirewallQuota }
  | { 'ct count': FirewallConnectionCount }

/** Options of `delete`. */
export interface FirewallDeletedElement {
  /** The set of the table, with the flag `'dynamic'`. */
  set: FirewallSetName
  /** What of the packet is the key, such as `'ip saddr'`. */
  key: FirewallSelectors
}

/** Options of `add` and `update`. */
export interface FirewallAddedElement extends FirewallDeletedElement {
  /** For a map: what of the packet is the value, or a constant. */
  value?: FirewallSelectors | string | number | readonly (string | number)[] | undefined
  /** In milliseconds: how long the element stays. The set must have the flag `'timeout'`. Default: that of the set. */
  timeout?: number | undefined
  with?: readonly FirewallOwn[] | undefined
}

const set: Parse<FirewallSetName> = (value, name) => {
  if (isSetName(value)) return value
  throw invalidValue(name, "must be the name of a set after an '@', such as '@clients'", value)
}

const SELECTORS = "must be a selector, such as 'ip saddr', or several that are joined by ' . '"

const selectors: Parse<string> = (value, name) => {
  typesOf(text(value, name), name, SELECTORS)
  return value as string
}

const elementValue: Parse = (value, name) => {
  const isPart = (part: unknown) => typeof part === 'string' || typeof part === 'number'
  if (isPart(value) || (Array.isArray(value) && value.length > 0 && value.every(isPart))) return value
  throw invalidValue(name, "must be a selector, such as 'ip daddr', a value, or a list of values", value)
}

const OWN = { limit, quota, 'ct count': connectionCount } satisfies FieldsOf<{
  limit: FirewallLimit
  quota: FirewallQuota
  'ct count': FirewallConnectionCount
}>

/** @internal */
export const own: Parse = (value, name) => {
  if (value === 'counter') return value
  const parsed = typeof value === 'object' && value !== null ? parseFields(value, name, OWN) : {}
  if (Object.keys(parsed).length === 1) return parsed
  throw invalidValue(name, "must be 'counter', { limit }, { quota } or { 'ct count' }", value)
}

const DELETED = { set, key: selectors } satisfies FieldsOf<FirewallDeletedElement>

const ADDED = {
  ...DELETED,
  value: elementValue,
  timeout: whole(1, Number.MAX_SAFE_INTEGER),
  with: array(own),
} satisfies FieldsOf<FirewallAddedElement>

/** @internal */
export const addedElement: Parse<Plain> = (value, name) => parseFields(value, name, ADDED, ['set', 'key'])
/** @internal */
export const deletedElement: Parse<Plain> = (value, name) => parseFields(value, name, DELETED, ['set', 'key'])
