import { invalidType, invalidValue, outOfRange } from '../errors.ts'
import type { Parse } from './fields.ts'
import { meant } from './nearest.ts'

/** @internal */
export const boolean: Parse<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw invalidType(name, 'a boolean', value)
  return value
}

/** @internal Checks a whole number in a range. */
export function parseInteger(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(name, `a whole number from ${least} to ${most}`, value)
  }
  return value
}

/** @internal A whole number in a range. */
export function whole(least: number, most: number): Parse<number> {
  return (value, name) => parseInteger(value, name, least, most)
}

/** @internal Numbers of 8, 16 and 32 bits. */
export const u8 = whole(0, 0xff)
/** @internal */
export const u16 = whole(0, 0xffff)
/** @internal */
export const u32 = whole(0, 0xffffffff)
/** @internal A process or thread id. */
export const pid = whole(1, 0x7fffffff)

/** @internal */
export const fd = whole(0, 0x7fffffff)

/** @internal Words for a message. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ')
}

/** @internal One of several words. */
export function word<const W extends string>(...words: readonly W[]): Parse<W> {
  return (value, name) => {
    if (words.includes(value as W)) return value as W
    throw invalidValue(name, `must be one of ${quoted(words)}${meant(value, words)}`, value)
  }
}

/** @internal A string that can be passed to the kernel. */
export const text: Parse<string> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value)
  if (value.includes('\0')) throw invalidValue(name, 'must not contain a NUL byte', value)
  return value
}

/** @internal */
export const nonEmptyText: Parse<string> = (value, name) => {
  const given = text(value, name)
  if (given === '') throw invalidValue(name, 'must not be empty', given)
  return given
}

/** @internal A function. */
export function parseFunction<T>(value: T, name: string): T {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value)
  return value
}

/** @internal A function, whose signature cannot be checked. */
export function func<T>(): Parse<T> {
  return (value, name) => parseFunction(value as T, name)
}

/** @internal */
export const signal: Parse<AbortSignal> = (value, name) => {
  if (value instanceof AbortSignal) return value
  throw invalidType(name, 'an AbortSignal', value)
}

/** @internal Null means undefined, as in the options of `child_process`. */
export function nullable<T>(parse: Parse<T>): Parse<T | undefined> {
  return (value, name) => (value === null ? undefined : parse(value, name))
}

/** @internal A read-only property of an object in a list. It is accepted and has no effect. */
export const described: Parse<undefined> = () => undefined

/** @internal An option that Node itself checks. */
export const ofNode: Parse = (value) => value
