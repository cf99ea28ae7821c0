/** Tables of calls that must fail: each with a name, the call, and the expected error. */
import { expect, test } from 'vitest'

export interface Failure extends Error {
  code: string
}

/** The error that a call throws, or with which its promise rejects. */
export async function failureOf(call: () => unknown): Promise<Failure> {
  let result: unknown
  try {
    result = await call()
  } catch (error) {
    return error as Failure
  }
  throw new Error(`it did not fail, but returned ${String(result)}`)
}

/** The name of the class; the code; and words of the message. */
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

/** Of the right type, but invalid. */
export const value = (...mentions: string[]): Expected => ['TypeError', 'ERR_INVALID_ARG_VALUE', ...mentions]

/** A number out of range. */
export const range = (...mentions: string[]): Expected => ['RangeError', 'ERR_INVALID_ARG_VALUE', ...mentions]

/** An error of the kernel. */
export const system = (code: string, ...mentions: string[]): Expected => ['NamespaceError', code, code, ...mentions]

/** Passes arguments to a function that its types forbid. */
export function untyped<T>(wrong: unknown): T {
  return wrong as T
}
