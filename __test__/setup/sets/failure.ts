/** Tables of calls that must fail: each with what is wrong, the call, and the error that says so. */
import { expect, test } from 'vitest'

export interface Failure extends Error {
  code: string
}

/** What a call throws, or what its promise rejects with. */
export async function failureOf(call: () => unknown): Promise<Failure> {
  let result: unknown
  try {
    result = await call()
  } catch (error) {
    return error as Failure
  }
  throw new Error(`it did not fail, but gave ${String(result)}`)
}

/** The class, by its name; the code; and what the message has to name. */
export type Expected = readonly [Class: string, code: string, ...mentions: string[]]

export type Case = readonly [wrong: string, call: () => unknown, expected: Expected]

/** A test for each case. */
export function refuses(cases: readonly Case[]): void {
  for (const [wrong, call, expected] of cases) test(wrong, async () => expectFailure(await failureOf(call), expected))
}

export function expectFailure(failure: Failure, [Class, code, ...mentions]: Expected): void {
  expect(failure).toBeInstanceOf(Error)
  expect({ Class: failure.name, code: failure.code }, failure.message).toEqual({ Class, code })
  for (const mention of mentions) expect(failure.message).toContain(mention)
}

/** Of the wrong type. */
export const type = (...mentions: string[]): Expected => ['TypeError', 'ERR_INVALID_ARG_TYPE', ...mentions]

/** Of the right type, but senseless. */
export const value = (...mentions: string[]): Expected => ['TypeError', 'ERR_INVALID_ARG_VALUE', ...mentions]

/** A number outside of what is possible. */
export const range = (...mentions: string[]): Expected => ['RangeError', 'ERR_INVALID_ARG_VALUE', ...mentions]

/** What the kernel refused. */
export const system = (code: string, ...mentions: string[]): Expected => ['NamespaceError', code, code, ...mentions]

/** Hands a function arguments that its types forbid. */
export function untyped<T>(wrong: unknown): T {
  return wrong as T
}
