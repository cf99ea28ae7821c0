import type { NativeNetwork, NativeOutcome } from '../../../index.js'
import { createError } from '../../errors.ts'
import { binding } from '../../native.ts'
import type { Context } from '../../objects/context.ts'
import type { SetHandle } from '../../objects/set-handle.ts'
import type { Plain } from '../../validate/fields.ts'
import type { KnownSet } from '../../validate/network/known-set.ts'
import { type Deferred, deferredIn, fill, type RequestContext, type Resolved } from '../../validate/network/slot.ts'
import type { Action, Step } from './action.ts'
import { openSet, type SetToOpen } from './open-set.ts'

type Operation = Step & { type: 'operation' }

/** @internal The outcome of a request. */
export interface Outcome {
  results: unknown[]
  /** Why there are no more results, if an operation failed. */
  failure: Error | undefined
}

const NOTHING_RESOLVED: Resolved = new Map()

/** @internal Consecutive actions that are sent to the native side together. */
export class Request implements RequestContext {
  /** The limit keeps the text of a request small, which is written and parsed synchronously. */
  static readonly MOST_ACTIONS = 1024

  readonly #operations: Plain[] = []
  readonly #reads: Operation['read'][] = []
  readonly #others: NativeNetwork[] = []
  readonly #numbers = new Map<SetHandle, number>()
  readonly #opened: { close(): void }[] = []

  /** Adds an action, and those of the next actions that can be sent with it. */
  async take(first: Action<unknown>, next: readonly Action<unknown>[], context: Context): Promise<void> {
    if (first.step.type !== 'operation') return
    this.#add(first.step, await resolveDeferred(first.step, context))
    for (const { step } of next) {
      // A function may depend on the results of the actions before, so these have to be sent first.
      if (step.type !== 'operation' || step.isLazy) return
      try {
        this.#add(step, NOTHING_RESOLVED)
      } catch {
        // The error is thrown when the action is the first of its request.
        return
      }
    }
  }

  #add({ template, hasDeferred, read }: Operation, resolved: Resolved): void {
    this.#operations.push(hasDeferred ? fill(template, resolved, this) : template)
    this.#reads.push(read)
  }

  numberOf(known: KnownSet): number {
    if (!('set' in known)) return this.#others.push(this.#open(known)) - 1
    const { set } = known
    const number = this.#numbers.get(set) ?? this.#others.push(set.network()) - 1
    this.#numbers.set(set, number)
    return number
  }

  #open(known: SetToOpen): NativeNetwork {
    const set = openSet(known)
    this.#opened.push(set)
    const network = set.network()
    this.#opened.unshift(network)
    return network
  }

  /** Sends the operations. On abort, the native side stops before the next operation. */
  async send(network: NativeNetwork, signal: AbortSignal | undefined): Promise<Outcome> {
    signal?.throwIfAborted()
    const operations = JSON.stringify(this.#operations)
    if (signal === undefined) return this.#read(await network.request(operations, this.#others))
    const abandonment = new (binding().NativeAbandonment)()
    const abandon = () => abandonment.abandon()
    signal.addEventListener('abort', abandon, { once: true })
    try {
      return this.#read(await network.request(operations, this.#others, abandonment))
    } finally {
      signal.removeEventListener('abort', abandon)
    }
  }

  #read({ results, failure }: NativeOutcome): Outcome {
    const read = (answer: unknown, index: number) => {
      const make = this.#reads[index] as ((answer: unknown) => unknown) | undefined
      // JSON has no undefined.
      return make === undefined ? (answer ?? undefined) : make(answer ?? undefined)
    }
    return { results: JSON.parse(results).map(read), failure: failure && createError(failure) }
  }

  /** Describes what the operation at this position was about, for messages. */
  targetOf({ step }: Action<unknown>, position: number): string {
    return step.type === 'operation' ? step.target(this.#operations[position] ?? step.template) : ''
  }

  close(): void {
    for (const each of this.#opened) each.close()
  }
}

async function resolveDeferred({ template, isLazy }: Operation, context: Context): Promise<Resolved> {
  if (!isLazy) return NOTHING_RESOLVED
  const resolved = new Map<Deferred, unknown>()
  for (const value of deferredIn(template)) if (value.isLazy) resolved.set(value, await value.resolve(context))
  return resolved
}
