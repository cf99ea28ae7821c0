import type { NativeNetwork, NativeOutcome } from '../../../index.js'
import type { Context } from '../../objects/context.ts'
import { REQUESTS } from '../../reports.ts'
import { type Action, type Step, writeOperation } from './action.ts'
import { ActionError } from './action-error.ts'
import { type ApplyTarget, ensureOpen } from './apply-target.ts'
import type { Procedure } from './procedure.ts'
import { Request, readWhole, receive } from './request.ts'

/** @internal Runs actions in order, up to the first that fails. */
export function* apply(
  applyTarget: ApplyTarget,
  actions: readonly Action<unknown>[],
  signal?: AbortSignal,
): Procedure<unknown[]> {
  ensureMayGoOn(applyTarget, signal)
  return yield* new ActionRun(applyTarget, actions, signal).toEnd()
}

/** @internal Runs one action. Most actions are one request without references to other sets, which takes few steps. */
export function* applyOne(applyTarget: ApplyTarget, action: Action<unknown>): Procedure<unknown> {
  const { name, step } = action
  if (step.type !== 'operation' || step.hasDeferred) return (yield* apply(applyTarget, [action]))[0]
  const { set, way, network } = applyTarget
  ensureOpen(set)
  const report = REQUESTS.begin()
  let cause: unknown
  try {
    const sent = way.request(network, `[${writeOperation(name, step.fields)}]`, NO_OTHERS, undefined)
    const outcome = (yield sent) as NativeOutcome | null
    const isWhole = outcome?.rest === undefined
    const { results, failure } = isWhole ? readWhole(outcome, [step.read]) : yield* receive(outcome, [step.read])
    if (failure === undefined) {
      report?.({ set: String(set), actions: [describe(action)] }, undefined)
      return results[0]
    }
    cause = failure
  } catch (error) {
    cause = error
  }
  report?.({ set: String(set), actions: [describe(action)] }, cause)
  const target = step.target(step.fields)
  throw new ActionError({
    done: [],
    index: 0,
    isOnly: true,
    action: name,
    target,
    results: [],
    cause,
    isAborted: false,
  })
}

const NO_OTHERS: NativeNetwork[] = []

/** Returns the name of an action and what it is about, if that is known before it runs. */
function describe({ name, step }: Action<unknown>): string {
  if (step.type === 'operation' && step.hasDeferred) return name
  const target = step.type === 'operation' ? step.target(step.fields) : step.target
  return target === '' ? name : `${name} ${target}`
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

  *toEnd(): Procedure<unknown[]> {
    for (;;) {
      const next = this.#next()
      if (next === undefined) return this.#results
      yield* next.step.type === 'operation' ? this.#request(next) : this.#call(next.step)
    }
  }

  #next(): Action<unknown> | undefined {
    return this.#actions[this.#results.length]
  }

  *#call(step: Exclude<Step, { type: 'operation' }>): Procedure<void> {
    try {
      ensureMayGoOn(this.#applyTarget, this.#context.signal)
      const value =
        step.type === 'call'
          ? yield step.call(this.#context, this.#applyTarget)
          : yield* step.run(this.#context, this.#applyTarget)
      this.#results.push(value)
    } catch (error) {
      throw this.#failed(step.target, error)
    }
  }

  /** Runs the next action, and those that can be sent with it. */
  *#request(first: Action<unknown>): Procedure<void> {
    const request = new Request()
    const before = this.#results.length
    const report = REQUESTS.begin()
    const finish = (cause?: unknown) => {
      const actions = this.#actions.slice(before, before + request.length).map(describe)
      report?.({ set: String(this.#applyTarget.set), actions }, cause)
    }
    try {
      ensureMayGoOn(this.#applyTarget, this.#context.signal)
      const next = this.#actions.slice(before + 1, before + Request.MOST_ACTIONS)
      yield* request.take(first, next, this.#context)
      const { way, network } = this.#applyTarget
      const { results, failure } = yield* request.send(way, network, this.#context.signal)
      this.#results.push(...results)
      if (failure !== undefined) throw failure
      if (report !== undefined) finish()
    } catch (error) {
      if (report !== undefined) finish(error)
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
    const done = this.#actions.slice(0, results.length).map(describe)
    return new ActionError({ done, index: results.length, isOnly, action, target, results, cause, isAborted })
  }
}

/** @throws if the signal is aborted or the set is closed. */
function ensureMayGoOn({ set }: ApplyTarget, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  ensureOpen(set)
}
