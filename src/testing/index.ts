/**
 * For tests of programs that use namespaces: what a test leaves behind, and fixtures that close themselves. It works with vitest,
 * jest and node:test.
 *
 * @module nsset/testing
 */

export type { AfterEach, BeforeEach, TestHooks } from '../validate/testing/hooks.ts'
export type { LeakOptions } from '../validate/testing/leak-options.ts'
export { expectNoLeaks } from './expect-no-leaks.ts'
export { type Fixtures, useFixtures } from './fixtures.ts'
