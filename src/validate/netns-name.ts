import { invalidValue } from '../errors.ts'
import type { Parse } from './fields.ts'
import { text } from './values.ts'

/** @internal A name is one component of a path. */
export const parseNetnsName: Parse<string> = (value, name) => {
  const given = text(value, name)
  if (given === '' || given === '.' || given === '..') throw invalidValue(name, "must not be empty, '.' or '..'", given)
  if (given.includes('/')) throw invalidValue(name, "must not contain '/'", given)
  if (Buffer.byteLength(given) > 255) throw invalidValue(name, 'must have at most 255 bytes', given)
  return given
}
