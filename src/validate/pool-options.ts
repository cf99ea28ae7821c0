import { invalidValue } from '../errors.ts'
import type { AnySet } from '../objects/context.ts'
import { notOurs } from '../objects/copies.ts'
import { isSet } from '../objects/set-handle.ts'
import { type FieldsOf, type Parse, parseFields, parseObject, parseOptions } from './fields.ts'
import { parseUnshareSyncOptions, type UnshareSyncOptions } from './unshare-options.ts'
import { func, signal, whole } from './values.ts'

/** Options of {@link NamespacePool}. */
export interface NamespacePoolOptions {
  /** The number of sets to keep ready, at least 1. */
  size: number
  /**
   * The set in which the sets are created, as with its method `unshare`: an ordinary user can connect the networks of sets from one
   * set with `user`. The pool keeps its namespaces open until it is closed. Default: the caller's namespaces.
   */
  from?: AnySet | undefined
  /** The initial state of each set: the options of {@link NamespaceSet.unshareSync}. */
  unshare?: UnshareSyncOptions | undefined
  /**
   * Called with each new set, and awaited, before the set is ready. If it throws or rejects, the set is closed, and creating it has
   * failed. The `signal` is aborted when the pool is closed; the set is closed then, too.
   */
  afterCreate?: ((set: AnySet, context: { signal: AbortSignal }) => unknown) | undefined
  /** Closes the pool when it is aborted. From then on `get()` rejects with its reason. */
  signal?: AbortSignal | undefined
}

/** Options of {@link NamespacePool.get}. */
export interface PoolGetOptions {
  /** Cancels the call. A set that is being created for it remains in the pool. */
  signal?: AbortSignal | undefined
}

/** Checked once, and passed to `unshare` for each set. */
const unshare: Parse<UnshareSyncOptions> = (value, name) => {
  const given = { ...parseObject(value, name) }
  if (given['signal'] !== undefined) {
    throw invalidValue(
      `${name}.signal`,
      'is not supported: use options.signal, the signal of the pool',
      given['signal'],
    )
  }
  parseUnshareSyncOptions(given, name)
  return given
}

const from: Parse<AnySet> = (value, name) => {
  if (isSet(value)) return value
  throw notOurs(name, 'a NamespaceSet', value)
}

const POOL = {
  size: whole(1, 0x7fffffff),
  from,
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
