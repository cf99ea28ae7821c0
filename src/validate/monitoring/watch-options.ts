import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, parseOptions } from '../fields.ts'
import { boolean, signal, word } from '../values.ts'

/** A part of a network that {@link Network.watch} can watch. */
export type WatchedPart = (typeof OF_THE_NETWORK)[number] | 'conntrack' | 'firewall'

/** Options of {@link Network.watch}. */
export interface WatchOptions {
  /** Whether to begin with the objects that exist, without a gap before the first change. Default: `false`. */
  existing?: boolean | undefined
  /** Ends the watcher: reading it rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Options of {@link Network.until}. */
export interface UntilOptions {
  /** The parts whose changes make it ask again. Default: all but `'conntrack'` and `'firewall'`. */
  parts?: WatchedPart | readonly WatchedPart[] | undefined
  /** Ends the wait, which rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** What `ip monitor`, `bridge monitor` and `tc monitor` report. */
const OF_THE_NETWORK = [
  'links',
  'addresses',
  'routes',
  'neighbours',
  'rules',
  'nextHops',
  'forwardingEntries',
  'vlans',
  'qdiscs',
  'classes',
  'filters',
] as const
const parsePart = word(...OF_THE_NETWORK, 'conntrack', 'firewall')

/** @internal One part, or several. */
export const parseWatchedParts: Parse<WatchedPart[]> = (value, name) => {
  if (typeof value === 'string') return [parsePart(value, name)]
  if (!Array.isArray(value)) throw invalidType(name, 'a string or an array of strings', value)
  if (value.length === 0) throw invalidValue(name, 'must name at least one part', value)
  return [...new Set(Array.from(value, (part, index) => parsePart(part, `${name}[${index}]`)))]
}

const WATCH = { existing: boolean, signal } satisfies FieldsOf<WatchOptions>
const UNTIL = { parts: parseWatchedParts, signal } satisfies FieldsOf<UntilOptions>

/** @internal */
export function parseWatchOptions(options: unknown) {
  return parseOptions(options, WATCH)
}

/** @internal */
export function parseUntilOptions(options: unknown) {
  const { parts = [...OF_THE_NETWORK], signal } = parseOptions(options, UNTIL)
  return { parts, signal }
}
