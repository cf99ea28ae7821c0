import { invalidValue } from '../../errors.ts'
import { parseObject } from '../fields.ts'
import { text } from '../values.ts'

/** Environment variables of a program. Undefined values are skipped; numbers and booleans are converted to strings. */
export type Environment = Readonly<Record<string, string | number | boolean | undefined>>

/** @internal Returns the environment as `NAME=VALUE`. Inherited properties are included, as with `child_process`. */
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

/** @internal Returns the current environment. Node.js looks up each property of it, so none is looked at twice. */
export function currentEnvironment(): string[] {
  const { env } = process
  const pairs: string[] = []
  for (const name of Object.getOwnPropertyNames(env)) {
    const value = env[name]
    if (value !== undefined) pairs.push(text(`${name}=${value}`, 'process.env'))
  }
  return pairs
}

function pair(name: string, value: unknown, argument: string): string {
  if (name === '' || name.includes('=')) {
    throw invalidValue(argument, "must not have a name that is empty or contains '='", name)
  }
  const word = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return `${text(name, argument)}=${text(word, `${argument}.${name}`)}`
}
