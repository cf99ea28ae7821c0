/**
 * @internal What a promise of the native side comes to. Its errors are made when no JavaScript runs: they get the stack of those
 * who wait for it.
 */
export function settled<T>(promise: Promise<T>): Promise<T> {
  return promise.then(undefined, rethrow)
}

function rethrow(error: Error): never {
  Error.captureStackTrace(error, rethrow)
  throw error
}
