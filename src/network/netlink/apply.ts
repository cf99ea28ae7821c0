import type { NativeNetwork } from '../../../index.js'
import { misuse } from '../../errors.ts'
import type { Action, ActionContext, Step } from './action.ts'
import { ActionError } from './action-error.ts'
import { Request } from './request.ts'

/** @hidden The network in which actions run. It is in the declaration of the constructor of {@link Network}. */
export interface ApplyTarget extends Pick<ActionContext, 'set' | 'network'> {
  readonly native: NativeNetwork
}

/** @internal Runs actions in order, up to the first that fails. */
export async function apply(
  applyTarget: ApplyTarget,
  actions: readonly Action<unknown>[],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  const run = new ActionRun(applyTarget, actions, signal)
  run.throwIfStopped()
  return run.toEnd()
}

class ActionRun {
  readonly #applyTarget: ApplyTarget
  readonly #actions: readonly Action<unknown>[]
  readonly #context: ActionContext
  readonly #results: unknown[] = []

  constructor(applyTarget: ApplyTarget, actions: readonly Action<unknown>[], signal: AbortSignal | undefined) {
    this.#applyTarget = applyTarget
    this.#actions = [...actions]
    this.#context = { set: applyTarget.set, network: applyTarget.network, results: this.#results, signal }
  }

  async toEnd(): Promise<unknown[]> {
    for (;;) {
      const next = this.#next()
      if (next === undefined) return this.#results
      await (next.step.type === 'call' ? this.#call(next.step) : this.#request(next))
    }
  }

  /** @throws if the signal is aborted or the set is closed. */
  throwIfStopped(): void {
    this.#context.signal?.throwIfAborted()
    if (this.#applyTarget.set.closed) throw misuse('ERR_NSSET_CLOSED', 'the set of this network is closed')
  }

  #next(): Action<unknown> | undefined {
    return this.#actions[this.#results.length]
  }

  async #call({ target, call }: Step & { type: 'call' }): Promise<void> {
    try {
      this.throwIfStopped()
      this.#results.push(await call(this.#context))
    } catch (error) {
      throw this.#failed(target, error)
    }
  }

  /** Runs the next action, and those that can be sent with it. */
  async #request(first: Action<unknown>): Promise<void> {
    const request = new Request()
    const before = this.#results.length
    try {
      this.throwIfStopped()
      await request.take(first, this.#actions.slice(before + 1, before + Request.MOST_ACTIONS), this.#context)
      const { results, failure } = await request.send(this.#applyTarget.native, this.#context.signal)
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
