import type { NativeNetwork, NativeOutcome } from '../../../index.js'
import { createError } from '../../errors.ts'
import { binding } from '../../native.ts'
import type { NamespaceSet } from '../../set/namespace-set.ts'
import { sets } from '../../set/set-access.ts'
import type { Plain } from '../../validate/fields.ts'
import type { KnownSet } from '../../validate/network/set-ref.ts'
import { type Answers, type Cargo, fill, type Slot, slotsOf } from '../../validate/network/slot.ts'
import type { Action, ActionContext, Step } from './action.ts'

type Operation = Step & { type: 'operation' }

/** @internal What became of a request. */
export interface Outcome {
  results: unknown[]
  /** Why there are no more of them. */
  failure: Error | undefined
}

const NO_ANSWERS: Answers = new Map()

/** @internal Actions that go to the native side together. */
export class Request implements Cargo {
  /** More would make texts that are long to write and to read at once. */
  static readonly MOST_ACTIONS = 1024

  readonly #operations: Plain[] = []
  readonly #reads: Operation['read'][] = []
  readonly #others: NativeNetwork[] = []
  readonly #numbers = new Map<NamespaceSet, number>()
  readonly #opened: NamespaceSet[] = []

  /** Takes an action, and those of the next that can go with it. */
  async take(first: Action<unknown>, next: readonly Action<unknown>[], context: ActionContext): Promise<void> {
    if (first.step.type !== 'operation') return
    this.#add(first.step, await answersOf(first.step, context))
    for (const { step } of next) {
      // What is found out may depend on the actions before, which have to be done first.
      if (step.type !== 'operation' || step.isLater) return
      try {
        this.#add(step, NO_ANSWERS)
      } catch {
        // It fails when its turn comes.
        return
      }
    }
  }

  #add({ template, hasSlots, read }: Operation, answers: Answers): void {
    this.#operations.push(hasSlots ? fill(template, answers, this) : template)
    this.#reads.push(read)
  }

  numberOf(known: KnownSet): number {
    const set = this.#open(known)
    const number = this.#numbers.get(set) ?? this.#others.push(sets.nativeNetworkOf(set)) - 1
    this.#numbers.set(set, number)
    return number
  }

  #open(known: KnownSet): NamespaceSet {
    if ('set' in known) return known.set
    const set = known.open()
    this.#opened.push(set)
    return set
  }

  /** Has them done; where the signal is aborted, those before that. */
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

  /** What the operation at this position was about, for people. */
  targetOf({ step }: Action<unknown>, position: number): string {
    return step.type === 'operation' ? step.target(this.#operations[position] ?? step.template) : ''
  }

  close(): void {
    for (const set of this.#opened) set.close()
  }
}

async function answersOf({ template, isLater }: Operation, context: ActionContext): Promise<Answers> {
  if (!isLater) return NO_ANSWERS
  const answers = new Map<Slot, unknown>()
  for (const slot of slotsOf(template)) if (slot.isLater) answers.set(slot, await slot.ask(context))
  return answers
}
