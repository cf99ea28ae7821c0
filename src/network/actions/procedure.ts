import { asyncCallback, isThenable } from '../../threads/thenable.ts'

/** @hidden Work that runs with or without promises. It yields each value that may be a promise, and gets the result back. */
export type Procedure<R> = Generator<unknown, R, unknown>

/** @internal Runs a procedure, and waits for the promises that it yields. */
export async function awaiting<R>(procedure: Procedure<R>): Promise<R> {
  let next = procedure.next()
  while (next.done !== true) {
    let value: unknown
    try {
      value = await next.value
    } catch (error) {
      next = procedure.throw(error)
      continue
    }
    next = procedure.next(value)
  }
  return next.value
}

/** @internal Runs a procedure without a promise: one that it yields is an error for it. */
export function blocking<R>(procedure: Procedure<R>): R {
  let next = procedure.next()
  while (next.done !== true) {
    next = isThenable(next.value) ? procedure.throw(asyncCallback(next.value, MESSAGE)) : procedure.next(next.value)
  }
  return next.value
}

const MESSAGE =
  'a function in network.sync.apply() returned a promise, for which a blocking call cannot wait; ' +
  'make it synchronous, or use network.apply()'
