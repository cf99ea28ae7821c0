import { misuse } from '../errors.ts'

/** Resolves to `R` if it is a promise or another thenable, and to `never` for other types, including `any` and `never`. */
export type Thenable<R> = 0 extends 1 & R
  ? never
  : [R] extends [never]
    ? never
    : R extends PromiseLike<unknown>
      ? R
      : never

/** @internal */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { then?: unknown }).then === 'function'
}

const FOR_DO =
  'the function given to do() returned a promise: the code after its first await would run outside; ' +
  'make it synchronous, or use spawn(), execFile() or a Worker'

/** @internal Creates the error for a function that has to be synchronous and returned a promise. By default, that of `do`. */
export function asyncCallback(result: PromiseLike<unknown>, message = FOR_DO): Error {
  // Only this error is reported: a rejection of the promise would otherwise be reported as unhandled.
  // `types.isPromise` and the borrowed `then` also work with promises of other realms.
  if (process.getBuiltinModule('node:util').types.isPromise(result)) {
    Promise.prototype.then.call(result, undefined, () => undefined)
  }
  return misuse('ERR_NSSET_ASYNC_CALLBACK', message)
}
