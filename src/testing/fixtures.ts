import { type Kinds, NamespaceSet, type UnshareOptions } from 'nsset'
import { parseAfterEach, type TestHooks } from '../validate/testing/hooks.ts'

/** Creates what a test uses, and closes it after the test. */
export interface Fixtures {
  /**
   * Closes a value after the test, in the reverse order of the calls, and returns it.
   *
   * @example
   * const server = use(await listening())
   */
  use<T extends Disposable | AsyncDisposable>(value: T): T
  /**
   * Creates namespaces as {@link NamespaceSet.unshare} does, and closes them after the test.
   *
   * @example
   * const set = await useNamespace(['user', 'net'], { mapUser: 'root' })
   */
  useNamespace(kinds: Kinds, options?: UnshareOptions): Promise<NamespaceSet>
}

/**
 * Returns fixtures that are closed after each test. Pass the runner's `afterEach` if it is not global.
 *
 * @throws `ERR_INVALID_ARG_VALUE` if there is no `afterEach`.
 * @example
 * const { useNamespace } = useFixtures({ afterEach })
 */
export function useFixtures(hooks?: TestHooks): Fixtures {
  const afterEach = parseAfterEach(hooks)
  const { fixtures, close } = openFixtures()
  afterEach(close)
  return fixtures
}

/** @internal */
export function openFixtures(): { fixtures: Fixtures; close: () => Promise<void> } {
  const open: (Disposable | AsyncDisposable)[] = []
  const use = <T extends Disposable | AsyncDisposable>(value: T): T => {
    open.push(value)
    return value
  }
  const useNamespace = async (kinds: Kinds, options?: UnshareOptions) => use(await NamespaceSet.unshare(kinds, options))
  return { fixtures: { use, useNamespace }, close: () => closeAll(open) }
}

/** Closes all of them, also if one fails. Throws the first error. */
async function closeAll(open: (Disposable | AsyncDisposable)[]): Promise<void> {
  const failures: unknown[] = []
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    try {
      if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]()
      else value[Symbol.dispose]()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
