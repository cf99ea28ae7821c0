import { invalidType, invalidValue } from '../../errors.ts'
import type { Kinds } from '../../namespace-kind.ts'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { parseKindsOrAll } from '../kinds.ts'
import { boolean } from '../values.ts'

/** Options of {@link namespaces}. */
export interface NamespacesOptions {
  /** The kinds of namespaces to return. Default: all; the mask `0` also means all. */
  kinds?: Kinds | undefined
  /**
   * Whether to find out what holds each namespace. Default: `true`. With `false`, a privileged caller on Linux 7 or later gets the
   * kernel's own list (listns(2)), which does not depend on the number of processes, and lacks networks that only sockets hold.
   */
  holders?: boolean | undefined
}

const NAMESPACES = { kinds: parseKindsOrAll, holders: boolean } satisfies FieldsOf<NamespacesOptions>

/** @internal */
export function parseNamespacesOptions(options: unknown) {
  return parseOptions(options, NAMESPACES)
}

/** @internal Checks a unique id. */
export function parseUniqueId(id: unknown, name: string): bigint {
  if (typeof id !== 'bigint') throw invalidType(name, 'a bigint', id)
  if (id <= 0n || id >= 1n << 64n) throw invalidValue(name, 'must be a positive number of 64 bits', id)
  return id
}
