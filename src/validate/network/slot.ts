import type { Context, Later } from '../../objects/context.ts'
import type { Parse, Plain } from '../fields.ts'
import type { KnownSet } from './known-set.ts'

/** @internal What a request carries beside its operations. */
export interface Cargo {
  /** The number of another network. */
  numberOf(set: KnownSet): number
}

/** @internal A place in an operation for what is known when its turn comes, or only means something within a request. */
export abstract class Slot<T = unknown> {
  readonly #given: T | Later<unknown>
  readonly #name: string
  readonly #parse: Parse<T>

  /** What is no function is checked at once. */
  constructor(given: unknown, name: string, parse: Parse<T>) {
    this.#given = typeof given === 'function' ? (given as Later<unknown>) : parse(given, name)
    this.#name = name
    this.#parse = parse
  }

  /** What it was given, unless it has to be asked for. */
  get known(): T {
    return this.#given as T
  }

  /** Whether it has to be asked for. */
  get isLater(): boolean {
    return typeof this.#given === 'function'
  }

  async ask(context: Context): Promise<T> {
    const given = this.#given as Later<unknown>
    return this.#parse(await given(context), `${this.#name}()`)
  }

  /** What stands in its place, of what it was given or of what was asked for. */
  fill(answers: Answers, cargo: Cargo): unknown {
    return this.write(this.isLater ? (answers.get(this) as T) : this.known, cargo)
  }

  protected abstract write(value: T, cargo: Cargo): unknown
}

/** @internal What the slots of an operation were filled with. */
export type Answers = ReadonlyMap<Slot, unknown>

/** @internal The slots in an operation. */
export function slotsOf(template: unknown): Slot[] {
  if (template instanceof Slot) return [template]
  if (typeof template !== 'object' || template === null) return []
  return Object.values(template).flatMap(slotsOf)
}

/** @internal The operation with all slots filled. */
export function fill(template: Plain, answers: Answers, cargo: Cargo): Plain {
  return filled(template, answers, cargo) as Plain
}

function filled(template: unknown, answers: Answers, cargo: Cargo): unknown {
  if (template instanceof Slot) return template.fill(answers, cargo)
  if (Array.isArray(template)) return template.map((element) => filled(element, answers, cargo))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, answers, cargo)]))
}
