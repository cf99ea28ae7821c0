/**
 * @internal Settles like a promise of the native side. Its errors are created while no JavaScript runs: this gives them the stack
 * of the code that awaits the promise.
 */
export function settled<T>(promise: Promise<T>): Promise<T> {
  return promise.then(undefined, rethrow)
}

function rethrow(error: Error): never {
  Error.captureStackTrace(error, rethrow)
  throw error
}
