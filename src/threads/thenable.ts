import { misuse } from '../errors.ts'

/** What can be awaited, and nothing else: not `any`, and not `never`. */
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

/** @internal What `do` throws for a function that returned something to await. */
export function asyncCallback(result: PromiseLike<unknown>): Error {
  // The error thrown here takes the place of whatever becomes of the promise, which nobody gets to see.
  // `types.isPromise` and the borrowed `then` reach promises of other realms, too.
  if (process.getBuiltinModule('node:util').types.isPromise(result)) {
    Promise.prototype.then.call(result, undefined, () => undefined)
  }
  const message =
    'the function given to do() returned a promise: what comes after its first await would run outside; ' +
    'keep it synchronous, or use spawn(), execFile() or a Worker'
  return misuse('ERR_NSSET_ASYNC_CALLBACK', message)
}
