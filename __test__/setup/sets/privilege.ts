/** Privileges that a test requires, with the reason printed when it is skipped. */
import { type TestContext, test } from 'vitest'

export const isRoot = process.getuid?.() === 0

type Body = (context: TestContext) => unknown

/** A test that requires root; skipped with its reason for other users. */
export function asRoot(name: string, reason: string, body: Body, timeout?: number): void {
  test(
    name,
    async (context) => {
      if (!isRoot) context.skip(`needs root: ${reason}`)
      await body(context)
    },
    timeout,
  )
}

/** A test for an ordinary user; skipped for root. */
export function asOrdinaryUser(name: string, body: Body, timeout?: number): void {
  test(
    name,
    async (context) => {
      if (isRoot) context.skip('tests an ordinary user, and this is root')
      await body(context)
    },
    timeout,
  )
}
