import type { Context } from '../../objects/context.ts'
import { sign } from '../../objects/copies.ts'
import { hideUncloneable, insteadOf } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { deferredIn } from '../../validate/network/slot.ts'
import type { ApplyTarget } from './apply-target.ts'
import type { Procedure } from './procedure.ts'

const INSTEAD = insteadOf('Action', 'send its arguments, and create it there')

declare const result: unique symbol

type Fields = Record<string, unknown>

/** @hidden What an action does. It is in the declaration of the constructor of {@link Action}. */
export type Step =
  | {
      readonly type: 'operation'
      readonly fields: Fields
      /** Whether it contains deferred values, and whether one of them is a function. */
      readonly hasDeferred: boolean
      readonly isLazy: boolean
      readonly target: (operation: Fields) => string
      /** Converts the native side's answer to the result, if they differ. */
      readonly read?: ((answer: never) => unknown) | undefined
    }
  | {
      readonly type: 'call'
      readonly target: string
      /** Its result may be a promise. */
      readonly call: (context: Context, applyTarget: ApplyTarget) => unknown
    }
  | {
      readonly type: 'list'
      readonly target: string
      readonly run: (context: Context, applyTarget: ApplyTarget) => Procedure<unknown>
    }

/**
 * An operation in a set, as data. It is created by {@link action}, and run by {@link Network.apply} any number of times.
 *
 * @example
 * const up = action.links.set('lo', { up: true })
 * await Promise.all(sets.map((set) => set.network.apply([up])))
 */
export class Action<out R> {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  /** Its name within {@link action}, such as `'links.add'`. */
  readonly name: string
  /** Private, because it can contain private keys: a property could be printed or copied. */
  readonly #step: Step
  declare readonly [result]: R

  /** @hidden Created by {@link action}. */
  constructor(name: string, step: Step) {
    this.name = name
    this.#step = step
  }

  /** @internal */
  get step(): Step {
    return this.#step
  }

  static {
    sign(Action)
    hideUncloneable(Action)
  }
}

/** The results of a list of actions: a tuple in their order. */
export type Results<A extends readonly Action<unknown>[]> = {
  -readonly [I in keyof A]: A[I] extends Action<infer R> ? R : never
}

/** @internal Creates an action of the native side. Values that are not known yet are deferred. */
export function operation<R>(
  name: string,
  fields: Plain,
  target: (operation: Plain) => string,
  read?: (answer: never) => R,
): Action<R> {
  const deferred = deferredIn(fields)
  const isLazy = deferred.some((value) => value.isLazy)
  return new Action(name, { type: 'operation', fields, hasDeferred: deferred.length > 0, isLazy, target, read })
}

/** @internal Writes an operation as the native side reads it. Names have no characters that JSON escapes. */
export function writeOperation(name: string, fields: Plain): string {
  return `{"${name}":${JSON.stringify(fields)}}`
}

/** @hidden Runs one action. It is in the declarations of the constructors of the parts of a network. */
export type Run = <R>(action: Action<R>) => Promise<R>
