import type { NativeNetwork } from '../../../index.js'
import { misuse } from '../../errors.ts'
import type { Action, ActionContext, Step } from './action.ts'
import { ActionError } from './action-error.ts'
import { Request } from './request.ts'

/** @hidden Where actions are done. The constructor of {@link Network} has it in its declaration. */
export interface Place extends Pick<ActionContext, 'set' | 'network'> {
  readonly native: NativeNetwork
}

/** @internal Does actions in order, up to the first that fails. */
export async function apply(
  place: Place,
  actions: readonly Action<unknown>[],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  const course = new Course(place, actions, signal)
  course.mayGoOn()
  return course.run()
}

class Course {
  readonly #place: Place
  readonly #actions: readonly Action<unknown>[]
  readonly #context: ActionContext
  readonly #results: unknown[] = []

  constructor(place: Place, actions: readonly Action<unknown>[], signal: AbortSignal | undefined) {
    this.#place = place
    this.#actions = [...actions]
    this.#context = { set: place.set, network: place.network, results: this.#results, signal }
  }

  async run(): Promise<unknown[]> {
    for (;;) {
      const next = this.#next()
      if (next === undefined) return this.#results
      await (next.step.type === 'call' ? this.#call(next.step) : this.#request(next))
    }
  }

  /** Throws when the signal was aborted, or the set closed. */
  mayGoOn(): void {
    this.#context.signal?.throwIfAborted()
    if (this.#place.set.closed) throw misuse('ERR_NSSET_CLOSED', 'the set of this network is closed')
  }

  #next(): Action<unknown> | undefined {
    return this.#actions[this.#results.length]
  }

  async #call({ target, call }: Step & { type: 'call' }): Promise<void> {
    try {
      this.mayGoOn()
      this.#results.push(await call(this.#context))
    } catch (error) {
      throw this.#failed(target, error)
    }
  }

  /** Does the next action, and those that can go with it. */
  async #request(first: Action<unknown>): Promise<void> {
    const request = new Request()
    const before = this.#results.length
    try {
      this.mayGoOn()
      await request.take(first, this.#actions.slice(before + 1, before + Request.MOST_ACTIONS), this.#context)
      const { results, failure } = await request.send(this.#place.native, this.#context.signal)
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
