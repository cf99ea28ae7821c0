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

const INSTEAD = insteadOf('NamespacePool', 'make one there, or send the path of a set and open it there')

interface Waiter {
  resolve(set: NamespaceSet): void
  reject(reason: unknown): void
}

/** How many are made at a time while nobody waits. */
const BACKGROUND_MAKERS = 2

/** In milliseconds: so long a taker has the machine to itself before what it took is replaced. */
const REFILL_DELAY = 1

/** In milliseconds: the wait after a first failure, which doubles with each further one, and the longest. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 10_000

/**
 * Keeps sets ready, so that nobody has to wait until one is made. They are made in the background, at most two at a time;
 * when none is ready, {@link NamespacePool.get} has one made at once.
 *
 * When the making fails, the next `get()` that finds nothing ready rejects with the very error, and the pool tries again by
 * itself: after 100 ms, twice as long after each further failure, at most 10 s, and for a `get()` after 100 ms each time.
 *
 * A pool does not keep Node running; a `get()` that waits does. Close it, or hold it with `await using`.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that make no sense; the signal's reason, when
 * `options.signal` is aborted already.
 * @example
 * await using pool = new NamespacePool(['user', 'net'], { size: 8, unshare: { mapUser: 'root', loopback: true } })
 * using set = await pool.get()
 * @see unshare(2)
 */
export class NamespacePool {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD
  readonly #kinds: number
  readonly #size: number
  readonly #unshare: UnshareSyncOptions
  readonly #afterCreate: NamespacePoolOptions['afterCreate']
  readonly #signal: AbortSignal | undefined
  readonly #ending = new AbortController()
  readonly #makers = new Set<Promise<void>>()
  readonly #waiters = new Set<Waiter>()
  /** Of sets that are not taken. */
  readonly #ends = new Set<Promise<void>>()
  /** The first of the failures to close one. */
  #notClosed: { reason: unknown } | undefined
  #ready: NamespaceSet[] = []
  /** The failure that nobody was told of yet. */
  #failure: { reason: unknown } | undefined
  #failuresInARow = 0
  #lastFailure = 0
  #refill: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  #isAborted = false

  constructor(kinds: Kinds, options: NamespacePoolOptions) {
    binding()
    this.#kinds = parseKinds(kinds)
    const { size, unshare = {}, afterCreate, signal } = parsePoolOptions(options)
    this.#size = size
    this.#unshare = unshare
    this.#afterCreate = afterCreate
    this.#signal = signal
    this.#signal?.throwIfAborted()
    // As many may wait as want to; each has a maker that listens.
    process.getBuiltinModule('node:events').setMaxListeners(0, this.#ending.signal)
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
    this.#refillLater(0)
  }

  /** The kinds of its sets. */
  get kinds(): NamespaceKind[] {
    return namesOf(this.#kinds)
  }

  /** How many sets are ready. */
  get length(): number {
    return this.#ready.filter((set) => !set.closed).length
  }

  /** Whether it was closed, or its signal aborted. */
  get closed(): boolean {
    return this.#closed !== undefined
  }

  /**
   * Takes a set that is ready, or has one made. It is the caller's to close, or to {@link NamespacePool.put} back.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unshare}, and whatever `afterCreate` throws.
   * @throws `ERR_NSSET_CLOSED` when the pool is closed, before or meanwhile; the reason of its signal, or of
   * `options.signal`, when that is aborted.
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
   * Gives the pool a set of its kinds, as it is: what was done in it stays, and `afterCreate` is not called again. From
   * then on it is the pool's. Who waits longest gets it; a full pool closes it, and so does one that is closed.
   *
   * @throws `ERR_INVALID_ARG_TYPE` for what is no set, `ERR_INVALID_ARG_VALUE` for one of other kinds or one that is in
   * the pool already, `ERR_NSSET_CLOSED` for a closed one: it stays the caller's then.
   * @example
   * const set = await pool.get()
   * try { await set.execFile('ip', ['addr']) } finally { pool.put(set) }
   */
  put(set: NamespaceSet): void {
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    if (set.flags !== this.#kinds) {
      throw invalidValue('set', `must have the kinds of the pool, ${this.kinds.join(', ')}`, String(set))
    }
    if (this.#ready.includes(set)) throw invalidValue('set', 'is in the pool already', String(set))
    if (set.closed && !this.closed) throw misuse('ERR_NSSET_CLOSED', 'a closed set cannot be put into a pool')
    if (!this.#isTaken(set)) set.close()
  }

  /**
   * Closes the sets that are ready, ends the making of others, and rejects whoever waits. Resolves when all of that is
   * done, and what ran inside their `pid` namespaces has ended; a second time gives the same promise. Sets that were taken
   * stay open.
   *
   * @throws {@link NamespaceError} what disposing of a set throws: `ETIMEDOUT` when something inside has not ended after 5
   * seconds, or the error of a temporary name that could not be removed. Everything else is closed all the same.
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

  /** As {@link NamespacePool.close}, without a wait for its end; an error becomes a warning of the process. */
  [Symbol.dispose](): void {
    this.close().catch(warn)
  }

  /** As {@link NamespacePool.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** `NamespacePool(net, 3 of 4 ready)` */
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
    await Promise.all(this.#ends)
    if (this.#notClosed !== undefined) throw this.#notClosed.reason
  }

  /** Closes it at once; `close()` waits for the end. */
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

  /** The one that has been ready longest; whoever put a set may have closed it since. */
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
        // What the background is making will do as well.
        else if (this.#makers.size < this.#waiters.size) this.#startMaker()
      })
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort)
    }
  }

  /** Gives it to the `get()` that waits longest, or to the pool if there is room; whether it was taken. */
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
    const set = await NamespaceSet.unshare(this.#kinds, { ...this.#unshare, signal })
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
    // Nobody works for the others any more.
    if (this.#makers.size === 0) this.#rejectWaiters(reason)
    const backoff = Math.min(FIRST_BACKOFF * 2 ** this.#failuresInARow, LONGEST_BACKOFF)
    this.#failuresInARow += 1
    this.#lastFailure = performance.now()
    this.#cancelRefill()
    this.#refillLater(backoff)
  }

  /** For somebody who waits, but not at once, or who asks over and over would have it made over and over. */
  #tryAgainSoon(): void {
    if (this.#makers.size > 0) return
    this.#cancelRefill()
    this.#refillLater(Math.max(0, this.#lastFailure + FIRST_BACKOFF - performance.now()))
    this.#refill?.ref()
  }

  /** A timer and not an immediate: an immediate that is unref()ed runs only after Node has been woken by something else. */
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
    // After a failure, one tries for all.
    const most = this.#failuresInARow > 0 ? 1 : BACKGROUND_MAKERS
    while (this.#makers.size < most && this.#ready.length + this.#makers.size < this.#size + this.#waiters.size) {
      this.#startMaker()
    }
  }
}

/** What becomes of the work after the abort is nobody's concern. */
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
