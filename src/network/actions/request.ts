import type { NativeNetwork, NativeOutcome } from '../../../index.js'
import { createError } from '../../errors.ts'
import type { Context } from '../../objects/context.ts'
import type { SetHandle } from '../../objects/set-handle.ts'
import type { Plain } from '../../validate/fields.ts'
import type { KnownSet } from '../../validate/network/known-set.ts'
import { type Deferred, deferredIn, fill, type RequestContext, type Resolved } from '../../validate/network/slot.ts'
import { type Action, type Step, writeOperation } from './action.ts'
import { openSets, type SetToOpen } from './open-set.ts'
import type { Procedure } from './procedure.ts'
import type { Way } from './way.ts'

type Operation = Step & { type: 'operation' }
type Read = Operation['read']

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

  readonly #names: string[] = []
  readonly #operations: Plain[] = []
  readonly #reads: Read[] = []
  /** The other networks, and references to those that are not open yet. */
  readonly #others: (NativeNetwork | Unopened)[] = []
  /** How many of the other networks are used up to each operation. */
  readonly #used: number[] = []
  readonly #numbers = new Map<SetHandle, number>()
  readonly #opened: { close(): void }[] = []

  /** How many actions it has. */
  get length(): number {
    return this.#operations.length
  }

  numberOf(known: KnownSet): number {
    if (!('set' in known)) return this.#others.push(new Unopened(known)) - 1
    const { set } = known
    const number = this.#numbers.get(set) ?? this.#others.push(set.network()) - 1
    this.#numbers.set(set, number)
    return number
  }

  /** Adds an action, and those of the next actions that can be sent with it. */
  *take(first: Action<unknown>, next: readonly Action<unknown>[], context: Context): Procedure<void> {
    if (first.step.type !== 'operation') return
    this.#add(first.name, first.step, yield* resolveDeferred(first.step, context))
    for (const { name, step } of next) {
      // A function may depend on the results of the actions before, so these have to be sent first.
      if (step.type !== 'operation' || step.isLazy) return
      try {
        this.#add(name, step, NOTHING_RESOLVED)
      } catch {
        // The error is thrown when the action is the first of its request.
        return
      }
    }
  }

  #add(name: string, { fields, hasDeferred, read }: Operation, resolved: Resolved): void {
    this.#operations.push(hasDeferred ? fill(fields, resolved, this) : fields)
    this.#names.push(name)
    this.#reads.push(read)
    this.#used.push(this.#others.length)
  }

  /** Sends the operations. On abort, the native side stops before the next operation. */
  *send(way: Way, network: NativeNetwork, signal: AbortSignal | undefined): Procedure<Outcome> {
    const others = yield* this.#open(way)
    signal?.throwIfAborted()
    const operations = this.#operations.map((fields, index) => writeOperation(this.#names[index] as string, fields))
    const sent = way.request(network, `[${operations.join()}]`, others, signal)
    return yield* receive((yield sent) as NativeOutcome | null, this.#reads)
  }

  /** Opens what operations refer to. Drops the operations from the first whose reference cannot be opened. */
  *#open(way: Way): Procedure<NativeNetwork[]> {
    const references = this.#others.filter((other) => other instanceof Unopened)
    if (references.length === 0) return this.#others as NativeNetwork[]
    const { sets, failure } = yield* openSets(
      way,
      references.map(({ reference }) => reference),
    )
    this.#opened.push(...sets)
    const networks = sets.map((set) => set.network())
    this.#opened.unshift(...networks)
    for (const [index, network] of networks.entries()) {
      this.#others[this.#others.indexOf(references[index] as Unopened)] = network
    }
    const missing = this.#others.findIndex((other) => other instanceof Unopened)
    if (missing !== -1) this.#drop(missing, failure as Error)
    return this.#others as NativeNetwork[]
  }

  /** Drops the operations from the first that uses the other network with this number. */
  #drop(number: number, failure: Error): void {
    const kept = this.#used.findIndex((used) => used > number)
    // The error is thrown when the action is the first of its request.
    if (kept === 0) throw failure
    this.#operations.length = kept
    this.#others.length = number
  }

  /** Describes what the operation at this position was about, for messages. */
  targetOf({ step }: Action<unknown>, position: number): string {
    return step.type === 'operation' ? step.target(this.#operations[position] ?? step.fields) : ''
  }

  close(): void {
    for (const each of this.#opened) each.close()
  }
}

/** @internal Reads an outcome, which can come in parts: a long list is parsed while the kernel still sends it. */
export function* receive(first: NativeOutcome | null, reads: readonly Read[]): Procedure<Outcome> {
  const answers = new Answers(reads)
  for (let outcome = first; ; ) {
    answers.add(outcome)
    if (outcome?.rest === undefined) return answers.end(outcome)
    outcome = (yield outcome.rest.next()) as NativeOutcome | null
  }
}

/** @internal Reads an outcome that is whole. */
export function readWhole(outcome: NativeOutcome | null, reads: readonly Read[]): Outcome {
  const answers = new Answers(reads)
  answers.add(outcome)
  return answers.end(outcome)
}

/** What no outcome stands for: one change, which has no result. */
const ONE_WITHOUT_RESULT = [null]

/** Collects the results of a request. */
class Answers {
  readonly #reads: readonly Read[]
  readonly #results: unknown[] = []
  /** The parts of the list that is the next result. */
  #list: unknown[] = []

  constructor(reads: readonly Read[]) {
    this.#reads = reads
  }

  add(outcome: NativeOutcome | null): void {
    const list = outcome?.list
    for (const answer of outcome === null ? ONE_WITHOUT_RESULT : JSON.parse(outcome.results)) {
      // A list that was interrupted by changes is sent again, as one answer.
      const wasSent = this.#list.length > 0 && answer === null
      this.#results.push(wasSent ? this.#list : this.#read(answer))
      if (this.#list.length > 0) this.#list = []
    }
    if (list !== undefined) this.#list.push(...(this.#read(JSON.parse(list)) as unknown[]))
  }

  end(outcome: NativeOutcome | null): Outcome {
    const failure = outcome?.failure
    return { results: this.#results, failure: failure && createError(failure) }
  }

  /** JSON has no undefined. */
  #read(answer: unknown): unknown {
    const make = this.#reads[this.#results.length] as ((answer: unknown) => unknown) | undefined
    return make === undefined ? (answer ?? undefined) : make(answer ?? undefined)
  }
}

/** A reference to a set that has to be opened before its network has a place in a request. */
class Unopened {
  readonly reference: SetToOpen

  constructor(reference: SetToOpen) {
    this.reference = reference
  }
}

function* resolveDeferred({ fields, isLazy }: Operation, context: Context): Procedure<Resolved> {
  if (!isLazy) return NOTHING_RESOLVED
  const resolved = new Map<Deferred, unknown>()
  for (const value of deferredIn(fields)) {
    if (value.isLazy) resolved.set(value, value.check(yield value.call(context)))
  }
  return resolved
}
