import type { Context } from '../../objects/context.ts'
import type { Action, Step } from './action.ts'
import { ActionError } from './action-error.ts'
import { ensureOpen, type Place } from './place.ts'
import { Request } from './request.ts'

/** @internal Does actions in order, up to the first that fails. */
export async function apply(
  place: Place,
  actions: readonly Action<unknown>[],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  ensureMayGoOn(place, signal)
  return new Course(place, actions, signal).run()
}

class Course {
  readonly #place: Place
  readonly #actions: readonly Action<unknown>[]
  readonly #context: Context
  readonly #results: unknown[] = []

  constructor(place: Place, actions: readonly Action<unknown>[], signal: AbortSignal | undefined) {
    this.#place = place
    this.#actions = [...actions]
    this.#context = { ...place.set.surroundings(), results: this.#results, signal }
  }

  async run(): Promise<unknown[]> {
    for (;;) {
      const next = this.#next()
      if (next === undefined) return this.#results
      await (next.step.type === 'call' ? this.#call(next.step) : this.#request(next))
    }
  }

  #next(): Action<unknown> | undefined {
    return this.#actions[this.#results.length]
  }

  async #call({ target, call }: Step & { type: 'call' }): Promise<void> {
    try {
      ensureMayGoOn(this.#place, this.#context.signal)
      this.#results.push(await call(this.#context, this.#place))
    } catch (error) {
      throw this.#failed(target, error)
    }
  }

  /** Does the next action, and those that can go with it. */
  async #request(first: Action<unknown>): Promise<void> {
    const request = new Request()
    const before = this.#results.length
    try {
      ensureMayGoOn(this.#place, this.#context.signal)
      await request.take(first, this.#actions.slice(before + 1, before + Request.MOST_ACTIONS), this.#context)
      const { results, failure } = await request.send(this.#place.network, this.#context.signal)
      this.#results.push(...results)
      if (failure !== undefined) throw failure
    } catch (error) {
      const failed = this.#next() ?? first
      throw this.#failed(request.targetOf(failed, this.#results.length - before), error)
    } finally {
      request.close()
    }
  }

  #failed(target: string, cause: unknown): ActionError {
    const action = this.#next()?.name ?? ''
    const isOnly = this.#actions.length === 1
    const results = [...this.#results]
    const { signal } = this.#context
    const isAborted = signal?.aborted === true && cause === signal.reason
    return new ActionError({ index: results.length, isOnly, action, target, results, cause, isAborted })
  }
}

/** Throws when the signal was aborted, or the set closed. */
function ensureMayGoOn({ set }: Place, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  ensureOpen(set)
}
