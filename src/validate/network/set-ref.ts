import type { Later } from '../../objects/context.ts'
import { type KnownSet, type PlainSetRef, parseKnownSet } from './known-set.ts'
import { type Cargo, Slot } from './slot.ts'

/** A set, or a function of the action's context that says which when its turn comes. */
export type SetRef = PlainSetRef | Later<PlainSetRef>

class SetSlot extends Slot<KnownSet> {
  protected write(set: KnownSet, cargo: Cargo): number {
    return cargo.numberOf(set)
  }
}

/** @internal */
export function parseSetRef(ref: unknown, name: string): Slot<KnownSet> {
  return new SetSlot(ref, name, parseKnownSet)
}
