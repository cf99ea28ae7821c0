/** The types of `do`: an asynchronous function is marked as deprecated, a generic wrapper compiles. Never run. */
// biome-ignore-all lint/suspicious/noExplicitAny: the tests are about any
import type { NamespaceSet } from 'nsset'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `exactly<T>()(value)` compiles only if the value's type is exactly T. */
function exactly<T>(): <U>(value: U & (Same<T, U> extends true ? unknown : never)) => void {
  return () => undefined
}

declare const set: NamespaceSet
declare const number: () => number
declare const anything: () => any
declare const unknown: () => unknown
declare const promise: () => Promise<number>
declare const halfThenable: () => { then: number }
declare const either: () => number | string

exactly<number>()(set.do(() => 1))
exactly<number>()(set.do(number, { kinds: 'net' }))
exactly<number | string>()(set.do(either))
exactly<void>()(set.do(() => {}))
exactly<unknown>()(set.do(unknown))
exactly<any>()(set.do((): any => 1))
exactly<any>()(set.do(anything))
exactly<{ then: number }>()(set.do(halfThenable))

// Code after an asynchronous function is never reached, and editors strike the call through.
export function asynchronous(): never {
  return set.do(async () => 1) // deprecated
}
export function ofPromise(): never {
  return set.do(promise) // deprecated
}
export function ofThenable(thenable: PromiseLike<string>): never {
  return set.do(() => thenable, { kinds: ['net'] }) // deprecated
}

// A wrapper does not need to know what its function returns.
export function inside<T>(set: NamespaceSet, fn: () => T): T {
  return set.do(fn)
}
export function logged<T>(set: NamespaceSet, fn: (set: NamespaceSet) => T): T {
  const result = set.do(() => fn(set))
  return result
}
exactly<number>()(inside(set, number))
exactly<string>()(logged(set, String))

// @ts-expect-error a function is required
set.do('fn')
// @ts-expect-error the function gets no arguments
set.do((name: string) => name)
