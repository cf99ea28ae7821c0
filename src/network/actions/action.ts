import type { Context } from '../../objects/context.ts'
import { sign } from '../../objects/copies.ts'
import { hideUncloneable, insteadOf } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { slotsOf } from '../../validate/network/slot.ts'
import type { Place } from './place.ts'

const INSTEAD = insteadOf('Action', 'send what it is made of in its place, and make it there')

declare const result: unique symbol

type Fields = Record<string, unknown>

/** @hidden What is done when its turn comes. The constructor of {@link Action} has it in its declaration. */
export type Step =
  | {
      readonly type: 'operation'
      readonly template: Fields
      /** Whether something in it is filled in when its turn comes, and whether somebody has to be asked for that. */
      readonly hasSlots: boolean
      readonly isLater: boolean
      readonly target: (operation: Fields) => string
      /** Makes the result of what the native side answers with, where that is not the result itself. */
      readonly read?: ((answer: never) => unknown) | undefined
    }
  | { readonly type: 'call'; readonly target: string; readonly call: (context: Context, place: Place) => unknown }

/**
 * Something to be done in a set, as data: made by {@link action}, done by {@link Network.apply}, as often as wanted.
 *
 * @example
 * const up = action.links.set('lo', { up: true })
 * await Promise.all(sets.map((set) => set.network.apply([up])))
 */
export class Action<out R> {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD
  /** As in {@link action}: `'links.add'`. */
  readonly name: string
  /** @internal */
  declare readonly step: Step
  declare readonly [result]: R

  /** @hidden Made by {@link action}. */
  constructor(name: string, step: Step) {
    this.name = name
    // Not shown with it: there may be private keys in it.
    Object.defineProperty(this, 'step', { value: step })
  }

  static {
    sign(Action)
    hideUncloneable(Action)
  }
}

/** What a list of actions comes to: a tuple, in their order. */
export type Results<A extends readonly Action<unknown>[]> = {
  -readonly [I in keyof A]: A[I] extends Action<infer R> ? R : never
}

/** @internal An operation of the native side's, with what is not known yet as slots in it. */
export function operation<R>(
  name: string,
  fields: Plain,
  target: (operation: Plain) => string,
  read?: (answer: never) => R,
): Action<R> {
  const template = { operation: name, ...fields }
  const slots = slotsOf(template)
  const isLater = slots.some((slot) => slot.isLater)
  return new Action(name, { type: 'operation', template, hasSlots: slots.length > 0, isLater, target, read })
}

/** @hidden Does one action. The constructors of the parts of a network have it in their declarations. */
export type Run = <R>(action: Action<R>) => Promise<R>
