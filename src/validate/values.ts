import { invalidType, invalidValue, outOfRange } from '../errors.ts'

/** @internal An options bag: an object, or nothing. */
export function parseOptions<T extends object>(options: unknown, name = 'options'): Partial<T> {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidType(name, 'an object', options)
  }
  return options as Partial<T>
}

/** @internal A boolean that is false when it is left out. */
export function parseBoolean(value: unknown, name: string, otherwise = false): boolean {
  if (value === undefined) return otherwise
  if (typeof value !== 'boolean') throw invalidType(name, 'a boolean', value)
  return value
}

/** @internal A whole number between two others. */
export function parseInteger(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(name, `a whole number from ${least} to ${most}`, value)
  }
  return value
}

/** @internal One of these words, or nothing. */
export function parseOneOf<T extends string>(value: unknown, name: string, words: readonly T[]): T | undefined {
  if (value === undefined || words.includes(value as T)) return value as T | undefined
  throw invalidValue(name, `must be ${words.map((word) => `'${word}'`).join(' or ')}`, value)
}

/** @internal A function. */
export function parseFunction<T>(value: T, name: string): T {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value)
  return value
}

/** @internal An AbortSignal, or nothing. */
export function parseSignal(value: unknown, name = 'options.signal'): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw invalidType(name, 'an AbortSignal', value)
}
