import { NamespaceSet } from 'nsset'
import { parseHooks, type TestHooks } from '../validate/testing/hooks.ts'
import { type LeakOptions, parseLeakOptions } from '../validate/testing/leak-options.ts'
import { belongings } from './belongings.ts'
import { type Fixtures, openFixtures } from './fixtures.ts'
import type { Leak } from './leak.ts'
import { type Before, leaksSince } from './leaks.ts'

/**
 * Makes each test of the file fail that leaves something behind: namespaces, other descriptors, child processes, threads, mounts,
 * links of this network, and names of ip-netns(8). The error names each. The fixtures that it returns are closed first.
 *
 * Call it once in a file, with the runner's `beforeEach` and `afterEach` if they are not global. Tests that run concurrently in one
 * process see each other's resources, so it is for tests that run one after the other.
 *
 * @throws `ERR_INVALID_ARG_VALUE` if there is no `beforeEach` or `afterEach`.
 * @example
 * const { useNamespace } = expectNoLeaks({ beforeEach, afterEach })
 */
export function expectNoLeaks(hooks?: TestHooks, options?: LeakOptions): Fixtures {
  const { beforeEach, afterEach } = parseHooks(hooks)
  const { patience = 2_000, ignore = () => false } = parseLeakOptions(options)
  const { fixtures, close } = openFixtures()
  let before: Before | undefined
  beforeEach(async () => {
    if (before === undefined) prepare()
    before = belongings()
  })
  afterEach(async () => {
    const failure = await close().then(
      () => undefined,
      (error: unknown) => error as Error,
    )
    const leaks = await leaksSince(before ?? new Map(), patience, ignore)
    if (leaks.length > 0) throw new Error(messageOf(leaks), { cause: failure })
    if (failure !== undefined) throw failure
  })
  return fixtures
}

/** What nsset keeps from its first use must not count as left by the first test. */
function prepare(): void {
  try {
    NamespaceSet.unshareSync('user').close()
  } catch {
    // The system does not allow it: then tests cannot use it either.
  }
}

function messageOf(leaks: readonly Leak[]): string {
  return `the test has left behind:\n${leaks.map(({ type, what }) => `- ${type} ${what}`).join('\n')}`
}
