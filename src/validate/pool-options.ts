import { invalidValue } from '../errors.ts'
import type { AnySet } from '../objects/context.ts'
import { type FieldsOf, type Parse, parseFields, parseObject, parseOptions } from './fields.ts'
import { parseUnshareSyncOptions, type UnshareSyncOptions } from './unshare-options.ts'
import { func, signal, whole } from './values.ts'

/** Options of {@link NamespacePool}. */
export interface NamespacePoolOptions {
  /** How many sets are kept ready; at least 1. */
  size: number
  /** The state that each set starts with. */
  unshare?: UnshareSyncOptions | undefined
  /**
   * Awaited before a set is offered. When it throws or rejects, the set is closed, and the making has failed. Its signal
   * is aborted when the pool is closed, and the set closed beneath it.
   */
  afterCreate?: ((set: AnySet, context: { signal: AbortSignal }) => unknown) | undefined
  /** Closes the pool; its reason is what `get()` rejects with from then on. */
  signal?: AbortSignal | undefined
}

/** Options of {@link NamespacePool.get}. */
export interface PoolGetOptions {
  /** Ends the wait; the set that was being made for it stays in the pool. */
  signal?: AbortSignal | undefined
}

/** Checked now, and given to `unshare` as it is for each set. */
const unshare: Parse<UnshareSyncOptions> = (value, name) => {
  const given = { ...parseObject(value, name) }
  if (given['signal'] !== undefined) {
    throw invalidValue(`${name}.signal`, "must be left out: it is the pool's own, options.signal", given['signal'])
  }
  parseUnshareSyncOptions(given, name)
  return given
}

const POOL = {
  size: whole(1, 0x7fffffff),
  unshare,
  afterCreate: func<NonNullable<NamespacePoolOptions['afterCreate']>>(),
  signal,
} satisfies FieldsOf<NamespacePoolOptions>

const GET = { signal } satisfies FieldsOf<PoolGetOptions>

/** @internal */
export function parsePoolOptions(options: unknown) {
  return parseFields(options === undefined ? {} : options, 'options', POOL, ['size'])
}

/** @internal */
export function parsePoolGetOptions(options: unknown) {
  return parseOptions(options, GET)
}
