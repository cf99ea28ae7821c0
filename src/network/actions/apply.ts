import type { Context } from '../../objects/context.ts'
import type { Action, Step } from './action.ts'
import { ActionError } from './action-error.ts'
import { type ApplyTarget, ensureOpen } from './apply-target.ts'
import { Request } from './request.ts'

/** @internal Runs actions in order, up to the first that fails. */
export async function apply(
  applyTarget: ApplyTarget,
  actions: readonly Action<unknown>[],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  ensureMayGoOn(applyTarget, signal)
  return new ActionRun(applyTarget, actions, signal).toEnd()
}

class ActionRun {
  readonly #applyTarget: ApplyTarget
  readonly #actions: readonly Action<unknown>[]
  readonly #context: Context
  readonly #results: unknown[] = []

  constructor(applyTarget: ApplyTarget, actions: readonly Action<unknown>[], signal: AbortSignal | undefined) {
    this.#applyTarget = applyTarget
    this.#actions = [...actions]
    this.#context = { ...applyTarget.set.surroundings(), results: this.#results, signal }
  }

  async toEnd(): Promise<unknown[]> {
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
      ensureMayGoOn(this.#applyTarget, this.#context.signal)
      this.#results.push(await call(this.#context, this.#applyTarget))
    } catch (error) {
      throw this.#failed(target, error)
    }
  }

  /** Runs the next action, and those that can be sent with it. */
  async #request(first: Action<unknown>): Promise<void> {
    const request = new Request()
    const before = this.#results.length
    try {
      ensureMayGoOn(this.#applyTarget, this.#context.signal)
      await request.take(first, this.#actions.slice(before + 1, before + Request.MOST_ACTIONS), this.#context)
      const { results, failure } = await request.send(this.#applyTarget.network, this.#context.signal)
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

/** @throws if the signal is aborted or the set is closed. */
function ensureMayGoOn({ set }: ApplyTarget, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  ensureOpen(set)
}
