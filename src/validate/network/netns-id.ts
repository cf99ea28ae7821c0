import { type Parse, parseArray } from '../fields.ts'
import { whole } from '../values.ts'
import type { KnownSet } from './known-set.ts'
import { parseSetRef } from './set-ref.ts'
import type { Deferred } from './slot.ts'

/** @internal The id of another network. */
export const netnsId: Parse<number> = whole(0, 0x7fffffff)

/** @internal */
export function parseSetRefs(sets: unknown, name: string): Deferred<KnownSet>[] {
  return parseArray(sets, name, parseSetRef)
}
