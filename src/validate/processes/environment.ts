import { invalidValue } from '../../errors.ts'
import { parseObject } from '../fields.ts'
import { text } from '../values.ts'

/** Variables of a program's environment. What is undefined is left out; numbers and booleans become strings. */
export type Environment = Readonly<Record<string, string | number | boolean | undefined>>

/** @internal The environment as `NAME=VALUE`; inherited properties count, as with `child_process`. */
export function parseEnvironment(environment: unknown, argument: string): string[] {
  const given = parseObject(environment, argument)
  const pairs: string[] = []
  for (const name in given) {
    const value = given[name]
    if (value !== undefined) pairs.push(pair(name, value, argument))
  }
  const coverage = process.env['NODE_V8_COVERAGE']
  if (coverage && !Object.hasOwn(given, 'NODE_V8_COVERAGE')) pairs.push(`NODE_V8_COVERAGE=${coverage}`)
  return pairs
}

function pair(name: string, value: unknown, argument: string): string {
  if (name === '' || name.includes('=')) {
    throw invalidValue(argument, "has a name that is empty or has '=' in it", name)
  }
  const word = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return `${text(name, argument)}=${text(word, `${argument}.${name}`)}`
}
