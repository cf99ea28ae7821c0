import { invalidValue } from '../../errors.ts'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { func } from '../values.ts'

/** A function that runs another one before each test: `beforeEach` of vitest, jest and node:test. */
export type BeforeEach = (run: () => Promise<void>, ...rest: never[]) => unknown

/** A function that runs another one after each test: `afterEach` of vitest, jest and node:test. */
export type AfterEach = (run: () => Promise<void>, ...rest: never[]) => unknown

/** The hooks of a test runner. Default: the global functions of these names. */
export interface TestHooks {
  beforeEach?: BeforeEach | undefined
  afterEach?: AfterEach | undefined
}

const HOOKS = { beforeEach: func<BeforeEach>(), afterEach: func<AfterEach>() } satisfies FieldsOf<TestHooks>

/** @internal Returns the hooks, global ones for those that are not given. */
export function parseHooks(hooks: unknown): { beforeEach: BeforeEach; afterEach: AfterEach } {
  const { beforeEach, afterEach } = { ...globals(), ...given(hooks) }
  return { beforeEach: required(beforeEach, 'beforeEach'), afterEach: required(afterEach, 'afterEach') }
}

/** @internal Returns the hook that runs after each test. */
export function parseAfterEach(hooks: unknown): AfterEach {
  return required({ ...globals(), ...given(hooks) }.afterEach, 'afterEach')
}

/** What the runner has made global. */
function globals(): TestHooks {
  const { beforeEach, afterEach } = globalThis as TestHooks
  return { beforeEach, afterEach }
}

function given(hooks: unknown) {
  return parseOptions(hooks, HOOKS, 'hooks')
}

function required<T>(hook: T | undefined, name: string): T {
  if (hook !== undefined) return hook
  throw invalidValue(`hooks.${name}`, `is required: the test runner has no global ${name}`, undefined)
}
