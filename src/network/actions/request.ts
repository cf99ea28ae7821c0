import type { NativeNetwork } from '../../../index.js'
import { ask, type Outcome } from '../../native/ask.ts'
import type { Context } from '../../objects/context.ts'
import type { SetHandle } from '../../objects/set-handle.ts'
import type { Plain } from '../../validate/fields.ts'
import type { KnownSet } from '../../validate/network/known-set.ts'
import { type Answers, type Cargo, fill, type Slot, slotsOf } from '../../validate/network/slot.ts'
import type { Action, Step } from './action.ts'
import { openSet, type SetToOpen } from './open-set.ts'

type Operation = Step & { type: 'operation' }

const NO_ANSWERS: Answers = new Map()

/** @internal Actions that go to the native side together. */
export class Request implements Cargo {
  /** More would make texts that are long to write and to read at once. */
  static readonly MOST_ACTIONS = 1024

  readonly #operations: Plain[] = []
  readonly #reads: Operation['read'][] = []
  readonly #others: NativeNetwork[] = []
  readonly #numbers = new Map<SetHandle, number>()
  readonly #opened: { close(): void }[] = []

  /** Takes an action, and those of the next that can go with it. */
  async take(first: Action<unknown>, next: readonly Action<unknown>[], context: Context): Promise<void> {
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

  /** Has them done; where the signal is aborted, those before that. */
  async send(network: NativeNetwork, signal: AbortSignal | undefined): Promise<Outcome> {
    signal?.throwIfAborted()
    const operations = JSON.stringify(this.#operations)
    let abandon = () => {}
    const outcome = ask((id) => {
      abandon = () => network.abandon(id)
      network.request(id, operations, this.#others)
    })
    signal?.addEventListener('abort', abandon, { once: true })
    try {
      const { results, failure } = await outcome
      return { results: results.map((result, index) => this.#read(result, index)), failure }
    } finally {
      signal?.removeEventListener('abort', abandon)
    }
  }

  #read(answer: unknown, index: number): unknown {
    const read = this.#reads[index] as ((answer: unknown) => unknown) | undefined
    return read === undefined ? answer : read(answer)
  }

  /** What the operation at this position was about, for people. */
  targetOf({ step }: Action<unknown>, position: number): string {
    return step.type === 'operation' ? step.target(this.#operations[position] ?? step.template) : ''
  }

  close(): void {
    for (const each of this.#opened) each.close()
  }
}

async function answersOf({ template, isLater }: Operation, context: Context): Promise<Answers> {
  if (!isLater) return NO_ANSWERS
  const answers = new Map<Slot, unknown>()
  for (const slot of slotsOf(template)) if (slot.isLater) answers.set(slot, await slot.ask(context))
  return answers
}
