import type { Lazy } from '../../objects/context.ts'
import { type KnownSet, type PlainSetRef, parseKnownSet } from './known-set.ts'
import { Deferred, type RequestContext } from './slot.ts'

/** A set or a reference, or a function that returns one. The function is called just before the action runs. */
export type SetRef = PlainSetRef | Lazy<PlainSetRef>

class DeferredSet extends Deferred<KnownSet> {
  protected write(set: KnownSet, request: RequestContext): number {
    return request.numberOf(set)
  }
}

/** @internal */
export function parseSetRef(ref: unknown, name: string): Deferred<KnownSet> {
  return new DeferredSet(ref, name, parseKnownSet)
}
