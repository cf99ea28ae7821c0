import { invalidType, invalidValue } from '../../errors.ts'
import { type Parse, parseFields } from '../fields.ts'
import { whole } from '../values.ts'

/** Consecutive ports. */
export interface PortRange {
  first: number
  last: number
}

const port = whole(1, 0xffff)

/** @internal Consecutive ports, as an object. */
export const parseRange: Parse<PortRange> = (value, name) => {
  if (typeof value !== 'object' || value === null)
    throw invalidType(name, 'a number, or an object with first and last', value)
  const { first, last } = parseFields(value, name, { first: port, last: port }, ['first', 'last'])
  if (last < first) throw invalidValue(`${name}.last`, `must not be less than ${name}.first, ${first}`, last)
  return { first, last }
}

/** @internal One port, or several. */
export const parsePorts: Parse<PortRange> = (value, name) => {
  if (typeof value !== 'number') return parseRange(value, name)
  const only = port(value, name)
  return { first: only, last: only }
}
