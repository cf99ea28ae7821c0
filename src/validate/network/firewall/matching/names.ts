import { invalidValue } from '../../../../errors.ts'
import type { Parse } from '../../../fields.ts'
import { text } from '../../values.ts'

/** @internal The name of a table, chain, set or object: `NFT_NAME_MAXLEN` of linux/netfilter/nf_tables.h. */
export const objectName: Parse<string> = (value, name) => {
  const length = Buffer.byteLength(text(value, name))
  if (length >= 1 && length <= 255 && !(value as string).startsWith('@')) return value as string
  throw invalidValue(name, "must be a name of 1 to 255 bytes that does not start with '@'", value)
}

/** @internal nft(8) has the same limit. */
export const comment: Parse<string> = (value, name) => {
  if (Buffer.byteLength(text(value, name)) <= 128) return value as string
  throw invalidValue(name, 'must have at most 128 bytes', value)
}

/** @internal Parses an object whose keys are names. */
export function byName<T>(parse: Parse<T>): Parse<Record<string, T>> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidValue(name, 'must be an object whose keys are names', value)
    }
    const entries = Object.entries(value).filter(([, one]) => one !== undefined)
    return Object.fromEntries(
      entries.map(([key, one]) => [objectName(key, `a key of ${name}`), parse(one, `${name}.${key}`)]),
    )
  }
}
