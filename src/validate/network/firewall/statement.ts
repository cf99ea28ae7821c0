import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseObject } from '../../fields.ts'
import { octets } from '../values.ts'
import { type FirewallMapping, onlyEntry, parseMapping } from './mapping.ts'
import { comment, objectName } from './names.ts'
import { type FirewallSelector, type SelectorValue, typesOf } from './selectors.ts'
import {
  addedElement,
  deletedElement,
  type FirewallAddedElement,
  type FirewallDeletedElement,
} from './set-statement.ts'
import {
  destination,
  type FirewallDestination,
  type FirewallLimit,
  type FirewallLog,
  type FirewallPortTranslation,
  type FirewallQueue,
  type FirewallQuota,
  type FirewallSynproxy,
  type FirewallTranslation,
  type FirewallTransparentProxy,
  limit,
  log,
  portTranslation,
  queue,
  quota,
  synproxy,
  tproxy,
  translation,
} from './statement-options.ts'
import { elementOf, type FirewallTest, parseTest } from './test.ts'
import { type FirewallVerdictWord, VERDICT_WORDS } from './verdict.ts'

/** A statement without options. */
export type FirewallWord =
  | FirewallVerdictWord
  | 'counter'
  | 'log'
  | 'reject'
  | 'masquerade'
  | 'redirect'
  | 'notrack'
  | 'queue'
  | 'synproxy'

/** What the sender of a rejected packet is told: `'tcp reset'`, or a code of ICMP. `icmpx` is for both versions of IP. */
export type FirewallRejection =
  | 'tcp reset'
  | `icmpx ${'no-route' | 'port-unreachable' | 'host-unreachable' | 'admin-prohibited'}`
  | `icmp ${'net' | 'host' | 'prot' | 'port'}-unreachable`
  | `icmp ${'net' | 'host' | 'admin'}-prohibited`
  | `icmpv6 ${'no-route' | 'admin-prohibited' | 'addr-unreachable' | 'port-unreachable' | 'policy-fail' | 'reject-route'}`

/** A new value: a constant, that of another selector, or what a map has. */
export type FirewallNewValue<T> = T | readonly T[] | { from: FirewallSelector } | FirewallMapping<T>

/** The things that a rule can change. */
export type FirewallChange = { readonly [S in FirewallSelector]?: FirewallNewValue<SelectorValue<S>> | undefined }

/** What happens to packets, with options. */
export interface FirewallActions {
  /** Goes on with another chain, and comes back from it. */
  jump?: string | undefined
  /** Goes on with another chain. */
  goto?: string | undefined
  /** Counts in a counter of the table. Without a name: `'counter'`. */
  counter?: string | undefined
  /** A number of bytes, or the name of a quota of the table. */
  quota?: FirewallQuota | string | undefined
  limit?: FirewallLimit | undefined
  log?: FirewallLog | undefined
  reject?: FirewallRejection | undefined
  masquerade?: FirewallPortTranslation | undefined
  redirect?: FirewallPortTranslation | undefined
  snat?: FirewallTranslation | undefined
  dnat?: FirewallTranslation | undefined
  tproxy?: FirewallTransparentProxy | undefined
  /** Changes one thing, such as `{ 'meta mark': 1 }`. */
  set?: FirewallChange | undefined
  /** Adds an element to a set of the table. One that exists stays as it is. */
  add?: FirewallAddedElement | undefined
  /** Adds an element to a set of the table, or renews the time of one that exists. */
  update?: FirewallAddedElement | undefined
  /** Deletes an element of a set of the table. */
  delete?: FirewallDeletedElement | undefined
  /** Sends a copy of the packet. */
  dup?: FirewallDestination | undefined
  /** Sends the packet through another link. */
  fwd?: FirewallDestination | undefined
  queue?: FirewallQueue | undefined
  synproxy?: FirewallSynproxy | undefined
  /** A comment on the rule, at most 128 bytes. It is the last statement. */
  comment?: string | undefined
  /** A rule that nsset cannot express, as the kernel has it, in hexadecimal digits. */
  raw?: string | undefined
}

/** Matches, of which a statement has one. Several selectors are joined by ` . `, and compared with lists of values. */
export type FirewallMatches = { readonly [S in FirewallSelector]?: FirewallTest<SelectorValue<S>> | undefined } & {
  /** What the routing table says, such as `'fib daddr type'`, or `'fib saddr . iif oif'` (`'missing'` or `'exists'`). */
  readonly [fib: `fib ${string}`]: FirewallTest<string | number> | undefined
  /** Bytes at an offset in bits, such as `'@nh,96,32'`, in the headers `ll`, `nh`, `th` and `ih`. */
  readonly [bytes: `@${string}`]: FirewallTest<string | number> | undefined
  readonly [several: `${string} . ${string}`]: FirewallTest<readonly (string | number)[] | string | number> | undefined
}

/**
 * A statement of a rule: a word, such as `'accept'`, or an object with exactly one key, which is a match, such as
 * `{ 'tcp dport': 22 }`, or says what happens to the packet, such as `{ jump: 'services' }`.
 */
export type FirewallStatement = FirewallWord | FirewallActions | FirewallMatches

/** Statements in order. A statement is only reached by packets that match all those before it. */
export type FirewallRule = readonly FirewallStatement[]

const WORDS: readonly string[] = [
  ...VERDICT_WORDS,
  ...['counter', 'log', 'reject', 'masquerade', 'redirect', 'notrack', 'queue', 'synproxy'],
]

const REJECTIONS =
  /^(?:tcp reset|icmpx (?:no-route|port-unreachable|host-unreachable|admin-prohibited)|icmp (?:(?:net|host|prot|port)-unreachable|(?:net|host|admin)-prohibited)|icmpv6 (?:no-route|admin-prohibited|addr-unreachable|port-unreachable|policy-fail|reject-route))$/

const rejection: Parse<string> = (value, name) => {
  if (typeof value === 'string' && REJECTIONS.test(value)) return value
  throw invalidValue(name, "must be 'tcp reset' or a code of ICMP, such as 'icmpx port-unreachable'", value)
}

const CHANGED = "must be an object with one key, which is what changes, such as 'meta mark'"
const FROM =
  "must be a value, { from: 'ct mark' }, or a selector and its map, such as { 'tcp dport': { map: [[80, 1]] } }"
const ONE_KEY = 'must have exactly one key: each match and each action is a statement of its own'

const change: Parse<Plain> = (value, name) => {
  const [key, given] = onlyEntry(parseObject(value, name), name, CHANGED)
  const types = typesOf(key, name, CHANGED)
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject) return { [key]: parseTest(given, `${name}.${key}`, types) }
  if (!Object.hasOwn(given, 'from')) return { [key]: parseMapping(given, `${name}.${key}`, elementOf(types)) }
  const [, selector] = onlyEntry(given as Plain, `${name}.${key}`, FROM)
  if (typeof selector !== 'string') throw invalidValue(`${name}.${key}`, FROM, given)
  typesOf(selector, `${name}.${key}.from`, FROM)
  return { [key]: { from: selector } }
}

const ACTIONS = {
  jump: objectName,
  goto: objectName,
  counter: objectName,
  quota: (value, name) => (typeof value === 'string' ? objectName(value, name) : quota(value, name)),
  limit,
  log,
  reject: rejection,
  masquerade: portTranslation,
  redirect: portTranslation,
  snat: translation,
  dnat: translation,
  tproxy,
  set: change,
  add: addedElement,
  update: addedElement,
  delete: deletedElement,
  dup: destination,
  fwd: destination,
  queue,
  synproxy,
  comment,
  raw: octets,
} satisfies FieldsOf<FirewallActions>

/** @internal */
export const parseStatement: Parse = (value, name) => {
  if (typeof value === 'string') {
    if (WORDS.includes(value)) return value
    throw invalidValue(name, `must be one of ${WORDS.map((word) => `'${word}'`).join(', ')}, or an object`, value)
  }
  const [key, given] = onlyEntry(parseObject(value, name), name, ONE_KEY)
  const action = Object.hasOwn(ACTIONS, key) ? (ACTIONS as Fields)[key] : undefined
  if (action !== undefined) return { [key]: action(given, `${name}.${key}`) }
  return { [key]: parseTest(given, `${name}['${key}']`, typesOf(key, name)) }
}
