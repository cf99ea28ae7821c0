import { invalidType, invalidValue, misuse } from '../errors.ts'
import { nearest } from './nearest.ts'

/** @internal Checks a value and converts it for the rest of the package. `name` is its name in messages. */
export type Parse<T = unknown> = (value: unknown, name: string) => T

/** @internal A table of the options of an object, with a parser for each. */
export type Fields = Readonly<Record<string, Parse>>

type KeysOf<T> = T extends unknown ? Extract<keyof T, string> : never

/** @internal The table of an interface, or of a union of interfaces. The compiler rejects a table with missing or other keys. */
export type FieldsOf<T> = { readonly [K in KeysOf<T>]: Parse }

/** @internal The result of parsing an object by a table. `R` are the required options. */
export type Parsed<F extends Fields, R extends keyof F = never> = {
  -readonly [K in Exclude<keyof F, R>]?: ReturnType<F[K]>
} & { -readonly [K in R]: ReturnType<F[K]> }

/** @internal Plain data as the native side takes it. */
export type Plain = Record<string, unknown>

/**
 * @internal Parses an object by a table. An own enumerable key that is not in the table is an error if its value is not undefined.
 * Options are also read from the prototype, as in Node. Each option is read once.
 */
export function parseFields<const F extends Fields, const R extends Extract<keyof F, string> = never>(
  value: unknown,
  name: string,
  fields: F,
  required: readonly R[] = [],
): Parsed<F, R> {
  const given = parseObject(value, name)
  rejectUnknown(given, name, fields)
  const parsed = bare()
  for (const key of Object.keys(fields)) {
    const field = given[key]
    if (field !== undefined) parsed[key] = fields[key]?.(field, `${name}.${key}`)
  }
  const missing = required.find((key) => parsed[key] === undefined)
  if (missing !== undefined) throw invalidValue(`${name}.${missing}`, 'is required', undefined)
  return parsed as Parsed<F, R>
}

/** @internal For an optional options object. */
export function parseOptions<const F extends Fields>(options: unknown, fields: F, name = 'options'): Parsed<F> {
  return options === undefined ? (bare() as Parsed<F>) : parseFields(options, name, fields)
}

/** V8 makes its objects as fast as others, which it does not with those of `Object.create(null)`. */
const Bare = function Bare() {} as unknown as { new (): Plain; prototype: object }
Bare.prototype = Object.create(null)

/** @internal An object that inherits nothing: what other code adds to `Object.prototype` must not look like an option that was checked. */
export function bare(): Plain {
  return new Bare()
}

/** @internal A copy of plain data for the native side, which reads inherited properties like own ones. */
export function bareCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(bareCopy) as T
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  const copy = bare()
  for (const [key, property] of Object.entries(value)) copy[key] = bareCopy(property)
  return copy as T
}

/** @internal For an object as a value of an option. */
export function object<const F extends Fields>(fields: F): Parse<Parsed<F>> {
  return (value, name) => parseFields(value, name, fields)
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

/** @internal */
export function array<T>(parse: Parse<T>): Parse<T[]> {
  return (value, name) => parseArray(value, name, parse)
}

/** @internal A value, or an array of several. An empty array is refused: in a filter it would select everything. */
export function oneOrMore<T>(parse: Parse<T>): Parse<T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) return [parse(value, name)]
    if (value.length === 0) throw invalidValue(name, 'must not be empty', value)
    return parseArray(value, name, parse)
  }
}

function rejectUnknown(given: Plain, name: string, fields: Fields): void {
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(fields, key) && given[key] !== undefined) throw unknownOption(key, name, Object.keys(fields))
  }
}

/** A longer list of options is omitted from the message. */
const MOST_LISTED = 30

/** The message contains neither the value nor a key that is not a plain word, because either can be a secret in the wrong place. */
function unknownOption(key: string, name: string, known: readonly string[]): Error {
  const isWord = /^[\w.-]{1,39}$/.test(key)
  const subject = isWord ? `Unknown option '${key}' of ${name}` : `Unknown option of ${name}`
  const suggestion = isWord ? nearest(key, known) : undefined
  if (suggestion !== undefined) return misuse('ERR_INVALID_ARG_VALUE', `${subject}; did you mean '${suggestion}'?`)
  const list = known.length === 0 || known.length > MOST_LISTED ? '' : `; the options are ${known.join(', ')}`
  return misuse('ERR_INVALID_ARG_VALUE', subject + list)
}
