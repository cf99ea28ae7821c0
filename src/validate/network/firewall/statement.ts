import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { meant } from '../../nearest.ts'
import { quoted, whole } from '../../values.ts'
import { octets, text } from '../values.ts'
import type { FirewallComputedSelector } from './matching/computed-selectors.ts'
import { DATA_TYPES } from './matching/data-types.ts'
import { type FirewallMapping, isCopy, onlyEntry, parseMapping } from './matching/mapping.ts'
import { comment, objectName } from './matching/names.ts'
import { type FirewallSelector, type SelectorValue, typesOf } from './matching/selectors.ts'
import { elementOf, type FirewallSetName, type FirewallTest, isSetName, parseTest } from './matching/test.ts'
import { type FirewallVerdictWord, VERDICT_WORDS } from './matching/verdict.ts'
import { SET_BY } from './objects.ts'
import {
  addedElement,
  deletedElement,
  type FirewallAddedElement,
  type FirewallDeletedElement,
} from './set-statement.ts'
import {
  connectionCount,
  destination,
  type FirewallConnectionCount,
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

/** The value of a selector, of which bits are changed on the way: kept, then inverted, then set, then shifted. */
export interface FirewallCopy {
  from: FirewallSelector | FirewallComputedSelector
  /** The bits that stay. Default: all. */
  '&'?: number | undefined
  /** The bits that are inverted. */
  '^'?: number | undefined
  /** The bits that are set. */
  '|'?: number | undefined
  /** By how many bits the value is shifted to the left. */
  '<<'?: number | undefined
  /** By how many bits the value is shifted to the right. */
  '>>'?: number | undefined
}

/** A new value: a constant, that of another selector, or what a map has. */
export type FirewallNewValue<T> = T | readonly T[] | FirewallCopy | FirewallMapping<T>

/** The things that a rule can change. */
export type FirewallChange = {
  readonly [S in Exclude<FirewallSelector, 'ct helper' | 'meta secmark'>]?:
    | FirewallNewValue<SelectorValue<S>>
    | undefined
} & {
  /** The name of a helper of the table, or a map to names. */
  readonly 'ct helper'?: string | FirewallMapping<string> | undefined
  /** The name of a timeout of the table, or a map to names. */
  readonly 'ct timeout'?: string | FirewallMapping<string> | undefined
  /** The name of an expectation of the table, or a map to names. */
  readonly 'ct expectation'?: string | FirewallMapping<string> | undefined
  /** The name of a secmark of the table, a map to names, or `{ from: 'ct secmark' }`. */
  readonly 'meta secmark'?: string | FirewallMapping<string> | FirewallCopy | undefined
}

/** What happens to packets, with options. */
export interface FirewallActions {
  /** Goes on with another chain, and comes back from it. */
  jump?: string | undefined
  /** Goes on with another chain. */
  goto?: string | undefined
  /** Counts in a counter of the table, or in the one of which a map has the name. Without a name: `'counter'`. */
  counter?: string | FirewallMapping<string> | undefined
  /** A number of bytes, the name of a quota of the table, or a map to names. */
  quota?: FirewallQuota | string | FirewallMapping<string> | undefined
  /** A rate, the name of a limit of the table, or a map to names. */
  limit?: FirewallLimit | string | FirewallMapping<string> | undefined
  /** Matches up to a number of connections: all that come here or, in a set, those of the element. */
  'ct count'?: FirewallConnectionCount | undefined
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
  /** Removes an option of TCP, such as `'tcp option sack-perm'`. */
  reset?: `tcp option ${string}` | undefined
  queue?: FirewallQueue | undefined
  /** Options, the name of a synproxy of the table, or a map to names. */
  synproxy?: FirewallSynproxy | string | FirewallMapping<string> | undefined
  /** Adds the connection to a flow table of the table, so that its packets bypass the rules. */
  'flow add'?: FirewallSetName | undefined
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
} & { readonly [C in FirewallComputedSelector]?: FirewallTest<string | number> | undefined }

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
const bits = whole(0, Number.MAX_SAFE_INTEGER)

const ONE_KEY = 'must have exactly one key: each match and each action is a statement of its own'

const COPY = {
  from: (value, name) => {
    typesOf(text(value, name), name, FROM)
    if (!(value as string).includes(' & ')) return value as FirewallCopy['from']
    throw invalidValue(name, "must be a selector; give the bits that stay as '&'", value)
  },
  '&': bits,
  '^': bits,
  '|': bits,
  '<<': whole(0, 63),
  '>>': whole(0, 63),
} satisfies FieldsOf<FirewallCopy>

const change: Parse<Plain> = (value, name) => {
  const [key, given] = onlyEntry(parseObject(value, name), name, CHANGED)
  if (Object.hasOwn(SET_BY, key) && !isCopy(given)) return { [key]: orObject()(given, `${name}.${key}`) }
  const types = typesOf(key, name, CHANGED)
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject) return { [key]: parseTest(given, `${name}.${key}`, types) }
  if (!isCopy(given)) return { [key]: parseMapping(given, `${name}.${key}`, elementOf(types)) }
  return { [key]: parseFields(given, `${name}.${key}`, COPY, ['from']) }
}

/** Parses options of a statement, the name of an object of the table, or a map to names. */
function orObject(options?: Parse): Parse {
  return (value, name) => {
    if (typeof value !== 'object' || value === null) return objectName(value, name)
    const [first] = Object.values(value)
    const isMapping = typeof first === 'object' && first !== null && Object.hasOwn(first, 'map')
    return options === undefined || isMapping ? parseMapping(value, name, objectName) : options(value, name)
  }
}

const reset: Parse<string> = (value, name) => {
  const reason = "must be an option of TCP, such as 'tcp option sack-perm'"
  const [type] = typesOf(text(value, name), name, reason)
  if (/^tcp option [\w-]+$/.test(value as string) && type === DATA_TYPES.presence) return value as string
  throw invalidValue(name, reason, value)
}

const flowTable: Parse<FirewallSetName> = (value, name) => {
  if (isSetName(value)) return value
  throw invalidValue(name, "must be the name of a flow table after an '@', such as '@fast'", value)
}

const ACTIONS = {
  jump: objectName,
  goto: objectName,
  counter: orObject(),
  quota: orObject(quota),
  limit: orObject(limit),
  'ct count': connectionCount,
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
  reset,
  queue,
  synproxy: orObject(synproxy),
  'flow add': flowTable,
  comment,
  raw: octets,
} satisfies FieldsOf<FirewallActions>

const ACTION_NAMES = Object.keys(ACTIONS)

const STATEMENT =
  "must be a word such as 'accept', or an object with one key: a selector such as 'tcp dport', or what happens to the packet"

/** @internal */
export const parseStatement: Parse = (value, name) => {
  if (typeof value === 'string') {
    if (WORDS.includes(value)) return value
    throw invalidValue(name, `must be one of ${quoted(WORDS)}, or an object${meant(value, WORDS)}`, value)
  }
  const [key, given] = onlyEntry(parseObject(value, name), name, ONE_KEY)
  const action = Object.hasOwn(ACTIONS, key) ? (ACTIONS as Fields)[key] : undefined
  if (action !== undefined) return { [key]: action(given, `${name}.${key}`) }
  return { [key]: parseTest(given, `${name}['${key}']`, typesOf(key, name, STATEMENT, ACTION_NAMES)) }
}
