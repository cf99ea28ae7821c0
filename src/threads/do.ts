import type { NativeSet } from '../../index.js'
import { asyncCallback, isThenable } from './thenable.ts'

/** @internal Runs a function with the calling thread inside these kinds of a set, all of them for the mask 0. */
export function visit(set: NativeSet, kinds: number, fn: () => unknown): unknown {
  const result = set.visit(kinds, fn)
  if (isThenable(result)) throw asyncCallback(result)
  return result
}
