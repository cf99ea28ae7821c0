/** What a test needs to be allowed, said by the test and printed where it is skipped. */
import { type TestContext, test } from 'vitest'

export const isRoot = process.getuid?.() === 0

type Body = (context: TestContext) => unknown

/** A test that needs root; skipped with its reason for anybody else. */
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

/** A test of what only an ordinary user meets; skipped with its reason for root. */
export function asOrdinaryUser(name: string, body: Body, timeout?: number): void {
  test(
    name,
    async (context) => {
      if (isRoot) context.skip('is about an ordinary user, and this is root')
      await body(context)
    },
    timeout,
  )
}
