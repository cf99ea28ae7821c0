import { invalidValue, misuse } from '../errors.ts'
import type { Kinds, NamespaceKind } from '../namespace-kind.ts'
import { binding } from '../native.ts'
import { notOurs } from '../objects/copies.ts'
import { insteadOf } from '../objects/uncloneable.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import { namesOf, parseKinds } from '../validate/kinds.ts'
import {
  type NamespacePoolOptions,
  type PoolGetOptions,
  parsePoolGetOptions,
  parsePoolOptions,
} from '../validate/pool-options.ts'
import type { UnshareSyncOptions } from '../validate/unshare-options.ts'

const INSTEAD = insteadOf('NamespacePool', 'create one there, or send the path of a set and open it there')

interface Waiter {
  resolve(set: NamespaceSet): void
  reject(reason: unknown): void
}

/** How many sets are created at the same time while no `get()` waits. */
const BACKGROUND_MAKERS = 2

/** In milliseconds: how long after a `get()` the pool creates the next set, so that the caller has the CPU first. */
const REFILL_DELAY = 1

/** In milliseconds: the delay after the first failure, which doubles with each further failure, and its maximum. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 10_000

/**
 * Creates sets in advance, in the background, at most two at a time. If none is ready, {@link NamespacePool.get} creates one
 * immediately.
 *
 * If creating a set fails, the next `get()` for which no set is ready rejects with that error. The pool tries again after 100
 * ms, and doubles this delay after each further failure, up to 10 seconds. A waiting `get()` makes it try again after 100 ms.
 *
 * With `from`, the sets are created in another set, such as one with `user` to which all of their networks belong.
 *
 * A pool does not keep Node.js running; a waiting `get()` does. Close a pool, or declare it with `await using`.
 *
 * @throws `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for invalid arguments; the signal's reason if `options.signal` is
 * already aborted.
 * @example
 * await using pool = new NamespacePool(['user', 'net'], { size: 8, unshare: { mapUser: 'root', loopback: true } })
 * using set = await pool.get()
 * await using networks = new NamespacePool('net', { from: base, size: 8 })
 * @see unshare(2)
 */
export class NamespacePool {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #kinds: number
  /** The kinds of each set: those that are created for it, and those of the set that it is created from. */
  readonly #allKinds: number
  readonly #size: number
  readonly #from: NamespaceSet | undefined
  readonly #unshare: UnshareSyncOptions
  readonly #afterCreate: NamespacePoolOptions['afterCreate']
  readonly #signal: AbortSignal | undefined
  readonly #ending = new AbortController()
  readonly #makers = new Set<Promise<void>>()
  readonly #waiters = new Set<Waiter>()
  /** One promise for each set that the pool disposes of. */
  readonly #ends = new Set<Promise<void>>()
  /** The first error of disposing of a set. */
  #notClosed: { reason: unknown } | undefined
  #ready: NamespaceSet[] = []
  /** An error that no `get()` has rejected with yet. */
  #failure: { reason: unknown } | undefined
  #failuresInARow = 0
  #lastFailure = 0
  #refill: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  #isAborted = false

  constructor(kinds: Kinds, options: NamespacePoolOptions) {
    binding()
    this.#kinds = parseKinds(kinds)
    const { size, from, unshare = {}, afterCreate, signal } = parsePoolOptions(options)
    this.#size = size
    this.#unshare = unshare
    this.#afterCreate = afterCreate
    this.#signal = signal
    this.#signal?.throwIfAborted()
    this.#from = (from as NamespaceSet | undefined)?.dup()
    this.#allKinds = this.#kinds | (this.#from?.flags ?? 0)
    // Each set in the making adds a listener, and any number of get() calls may wait.
    process.getBuiltinModule('node:events').setMaxListeners(0, this.#ending.signal)
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
    this.#refillLater(0)
  }

  /** The kinds of the sets in this pool. */
  get kinds(): NamespaceKind[] {
    return namesOf(this.#allKinds)
  }

  /** The number of sets that are ready. */
  get length(): number {
    return this.#ready.filter((set) => !set.closed).length
  }

  /** Whether the pool is closed, or its signal aborted. */
  get closed(): boolean {
    return this.#closed !== undefined
  }

  /**
   * Resolves with a set that is ready, or with a new one. The set is the caller's: close it, or return it with
   * {@link NamespacePool.put}.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unshare}, and any error of `afterCreate`.
   * @throws `ERR_NSSET_CLOSED` if the pool is closed before or during the call; the reason of the pool's signal or of
   * `options.signal` if that is aborted.
   * @example
   * using set = await pool.get({ signal: AbortSignal.timeout(1_000) })
   * console.log(set.id('net'))
   */
  async get(options?: PoolGetOptions): Promise<NamespaceSet> {
    const { signal } = parsePoolGetOptions(options)
    signal?.throwIfAborted()
    if (this.closed) throw this.#whyClosed()
    const ready = this.#takeReady()
    if (ready !== undefined) {
      this.#refillLater(REFILL_DELAY)
      return ready
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.reason
    return this.#wait(signal)
  }

  /**
   * Returns a set to the pool. The pool does not reset it, and does not call `afterCreate` again. The pool owns the set from
   * then on: it passes it to the `get()` that has waited longest, keeps it, or closes it if the pool is full or closed.
   *
   * @throws `ERR_INVALID_ARG_TYPE` if `set` is not a set, `ERR_INVALID_ARG_VALUE` if it has other kinds or is already in the
   * pool, `ERR_NSSET_CLOSED` if it is closed. In these cases the set remains the caller's.
   * @example
   * const set = await pool.get()
   * try { await set.execFile('ip', ['addr']) } finally { pool.put(set) }
   */
  put(set: NamespaceSet): void {
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    if (set.flags !== this.#allKinds) {
      throw invalidValue('set', `must have the kinds of the pool, ${this.kinds.join(', ')}`, String(set))
    }
    if (this.#ready.includes(set)) throw invalidValue('set', 'is in the pool already', String(set))
    if (set.closed && !this.closed) throw misuse('ERR_NSSET_CLOSED', 'a closed set cannot be put into a pool')
    if (!this.#isTaken(set)) set.close()
  }

  /**
   * Closes the sets that are ready, stops creating others, and rejects waiting `get()` calls. Resolves when this is done and
   * all processes in `pid` namespaces of these sets have ended. Further calls return the same promise. Sets that were taken
   * from the pool remain open.
   *
   * @throws {@link NamespaceError} the first error of disposing of a set: `ETIMEDOUT` if a process inside has not ended after
   * 5 seconds, or the error of a temporary name that could not be removed. Everything else is closed nevertheless.
   * @example
   * const pool = new NamespacePool('net', { size: 4 })
   * try { await work(pool) } finally { await pool.close() }
   */
  close(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#cancelRefill()
    this.#closed = this.#letGo()
    return this.#closed
  }

  /** Same as {@link NamespacePool.close}, but does not wait; an error is emitted as a process warning. */
  [Symbol.dispose](): void {
    this.close().catch(warn)
  }

  /** Same as {@link NamespacePool.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Returns a description such as `NamespacePool(net, 3 of 4 ready)`. */
  toString(): string {
    const state = this.closed ? 'closed' : `${this.length} of ${this.#size} ready`
    return `NamespacePool(${this.kinds.join(' ')}, ${state})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  readonly #abort = () => {
    this.#isAborted = true
    this.close().catch(warn)
  }

  #whyClosed(): unknown {
    return this.#isAborted ? this.#signal?.reason : misuse('ERR_NSSET_CLOSED', 'the pool is closed')
  }

  async #letGo(): Promise<void> {
    for (const set of this.#ready.splice(0)) this.#end(set)
    this.#rejectWaiters(this.#whyClosed())
    this.#ending.abort()
    await Promise.all(this.#makers)
    this.#from?.close()
    await Promise.all(this.#ends)
    if (this.#notClosed !== undefined) throw this.#notClosed.reason
  }

  /** Closes the set at once; `close()` waits until its processes have ended. */
  #end(set: NamespaceSet): void {
    const end: Promise<void> = set[Symbol.asyncDispose]().then(
      () => void this.#ends.delete(end),
      (reason) => {
        this.#ends.delete(end)
        this.#notClosed ??= { reason }
      },
    )
    this.#ends.add(end)
  }

  /** Returns the set that has been ready longest. A set that was put back may have been closed since. */
  #takeReady(): NamespaceSet | undefined {
    for (;;) {
      const set = this.#ready.shift()
      if (set?.closed !== true) return set
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<NamespaceSet> {
    let abort: (() => void) | undefined
    try {
      return await new Promise<NamespaceSet>((resolve, reject) => {
        const waiter = { resolve, reject }
        abort = () => {
          this.#waiters.delete(waiter)
          if (this.#waiters.size === 0) this.#refill?.unref()
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', abort, { once: true })
        this.#waiters.add(waiter)
        if (this.#failuresInARow > 0) this.#tryAgainSoon()
        // A set that is already in the making serves this get(), too.
        else if (this.#makers.size < this.#waiters.size) this.#startMaker()
      })
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort)
    }
  }

  /** Passes the set to the `get()` that has waited longest, or keeps it if there is room. Returns whether it did. */
  #isTaken(set: NamespaceSet): boolean {
    const waiter = this.#nextWaiter()
    if (waiter !== undefined) {
      waiter.resolve(set)
      return true
    }
    if (this.closed || this.length >= this.#size) return false
    this.#ready.push(set)
    return true
  }

  #rejectWaiters(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason)
    this.#waiters.clear()
  }

  #nextWaiter(): Waiter | undefined {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      return waiter
    }
    return undefined
  }

  #startMaker(): void {
    const maker: Promise<void> = this.#make().then(
      (set) => this.#succeed(maker, set),
      (reason) => this.#fail(maker, reason),
    )
    this.#makers.add(maker)
  }

  async #make(): Promise<NamespaceSet> {
    const { signal } = this.#ending
    const options = { ...this.#unshare, signal }
    const created = this.#from?.unshare(this.#kinds, options) ?? NamespaceSet.unshare(this.#kinds, options)
    const set = await created
    try {
      if (this.#afterCreate !== undefined) await unlessAborted(this.#afterCreate(set, { signal }), signal)
      if (set.closed) throw misuse('ERR_NSSET_CLOSED', 'options.afterCreate closed the set that it was given')
      return set
    } catch (error) {
      this.#end(set)
      throw error
    }
  }

  #succeed(maker: Promise<void>, set: NamespaceSet): void {
    this.#makers.delete(maker)
    if (this.#failuresInARow > 0) this.#cancelRefill()
    this.#failuresInARow = 0
    this.#failure = undefined
    if (!this.#isTaken(set)) this.#end(set)
    while (this.#makers.size < this.#waiters.size) this.#startMaker()
    this.#refillLater(REFILL_DELAY)
  }

  #fail(maker: Promise<void>, reason: unknown): void {
    this.#makers.delete(maker)
    if (this.closed) return
    const waiter = this.#nextWaiter()
    if (waiter === undefined) this.#failure = { reason }
    else waiter.reject(reason)
    // No set is in the making for the remaining get() calls.
    if (this.#makers.size === 0) this.#rejectWaiters(reason)
    const backoff = Math.min(FIRST_BACKOFF * 2 ** this.#failuresInARow, LONGEST_BACKOFF)
    this.#failuresInARow += 1
    this.#lastFailure = performance.now()
    this.#cancelRefill()
    this.#refillLater(backoff)
  }

  /** Tries again for a waiting `get()`, but not at once: repeated `get()` calls would repeat the failure in a busy loop. */
  #tryAgainSoon(): void {
    if (this.#makers.size > 0) return
    this.#cancelRefill()
    this.#refillLater(Math.max(0, this.#lastFailure + FIRST_BACKOFF - performance.now()))
    this.#refill?.ref()
  }

  /** Uses a timer: an unref()ed immediate runs only after another event has woken Node.js. */
  #refillLater(delay: number): void {
    if (this.closed || this.#refill !== undefined) return
    this.#refill = setTimeout(() => {
      this.#refill = undefined
      this.#fill()
    }, delay).unref()
  }

  #cancelRefill(): void {
    clearTimeout(this.#refill)
    this.#refill = undefined
  }

  #fill(): void {
    this.#ready = this.#ready.filter((set) => !set.closed)
    // After a failure, one attempt is enough to know whether it works again.
    const most = this.#failuresInARow > 0 ? 1 : BACKGROUND_MAKERS
    while (this.#makers.size < most && this.#ready.length + this.#makers.size < this.#size + this.#waiters.size) {
      this.#startMaker()
    }
  }
}

/** Rejects on abort, and ignores what becomes of the work after that. */
function unlessAborted(work: unknown, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

function warn(error: Error): void {
  process.emitWarning(error)
}
