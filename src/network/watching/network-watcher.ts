import type { NativeWatcher } from '../../../index.js'
import { LoopHold } from '../../native/loop-hold.ts'
import { settled } from '../../native/settled.ts'
import { onAbort } from '../../objects/on-abort.ts'
import { hideUncloneable, insteadOf } from '../../objects/uncloneable.ts'
import type { WatchedPart } from '../../validate/monitoring/watch-options.ts'
import { readEvents, type WatchEvent } from './watch-event.ts'

const INSTEAD = insteadOf('NetworkWatcher', 'send its events')

/**
 * Changes of a network, from {@link Network.watch}. Read it with `for await`, which ends it; or with `next`, and then close it.
 * It ends with its set.
 *
 * A read that waits for an event keeps Node.js running, as a promise of any other method does; after `unref` it does not. A
 * watcher that nothing reads never does.
 *
 * @example
 * for await (const event of set.network.watch('links')) {
 *   if (event.type !== 'resync') console.log(event.type, event.value.name)
 * }
 */
export class NetworkWatcher<P extends WatchedPart = WatchedPart>
  implements AsyncIterableIterator<WatchEvent<P>, undefined, undefined>
{
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #native: NativeWatcher
  readonly #signal: AbortSignal | undefined
  readonly #forgetSignal: (() => void) | undefined
  readonly #hold = new LoopHold()
  #events: WatchEvent<P>[] = []
  #position = 0
  /** The read of the native side that waits, if any. */
  #reading: Promise<void> | undefined
  #isOver = false

  static {
    hideUncloneable(NetworkWatcher)
  }

  /** @hidden Created by {@link Network.watch}. */
  constructor(native: NativeWatcher, signal: AbortSignal | undefined) {
    this.#native = native
    this.#signal = signal
    this.#forgetSignal = signal && onAbort(signal, () => this.#abort())
  }

  #abort(): void {
    this.#native.close()
    this.#forget()
  }

  /**
   * Resolves with the next event.
   *
   * @throws the signal's reason.
   * @example
   * const { value: event } = await watcher.next()
   */
  async next(): Promise<IteratorResult<WatchEvent<P>, undefined>> {
    for (;;) {
      const value = this.#events[this.#position]
      if (value !== undefined) {
        this.#position += 1
        return { value, done: false }
      }
      if (!(await this.#hasMore())) return { value: undefined, done: true }
    }
  }

  /** @internal Discards the events so far, or waits for some. Returns false after the end. */
  async changes(): Promise<boolean> {
    const had = this.#position < this.#events.length
    this.#forget()
    return had || (await this.#hasMore())
  }

  /** Reads more events. Returns false after the end. */
  async #hasMore(): Promise<boolean> {
    if (!this.#isOver) {
      this.#reading ??= this.#read()
      await this.#ended(this.#reading)
    }
    if (this.#signal?.aborted === true && !this.#isOver) {
      this.#end()
      throw this.#signal.reason
    }
    return !this.#isOver
  }

  async #read(): Promise<void> {
    try {
      const answer = this.#native.next()
      const text = typeof answer === 'object' && answer !== null ? await this.#hold.during(settled(answer)) : answer
      if (this.#signal?.aborted === true) return
      if (text === null) this.#end()
      else this.#take(text)
    } catch (error) {
      this.#end()
      throw error
    }
  }

  /** Several calls of `next` can wait for one read, which can also have ended before the first waits. */
  async #ended(reading: Promise<void>): Promise<void> {
    try {
      await reading
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  #take(text: string): void {
    this.#events = readEvents(text)
    this.#position = 0
  }

  #forget(): void {
    this.#events = []
    this.#position = 0
  }

  #end(): void {
    this.#isOver = true
    this.#native.close()
    this.#forgetSignal?.()
  }

  /**
   * Ends the watcher. Events that were not read are lost, and reads that wait resolve with the end.
   *
   * @example
   * watcher.close()
   */
  close(): void {
    this.#forget()
    this.#end()
  }

  /** Same as {@link NetworkWatcher.close}. `for await` calls it. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.close()
    return { value: undefined, done: true }
  }

  /**
   * Lets a read that waits keep Node.js running, which is the default.
   *
   * @example
   * watcher.unref()
   * watcher.ref()
   * @see `watcher.ref` of `fs`
   */
  ref(): this {
    this.#hold.ref()
    return this
  }

  /**
   * Lets Node.js end although a read waits.
   *
   * @example
   * watcher.unref()
   * @see `watcher.unref` of `fs`
   */
  unref(): this {
    this.#hold.unref()
    return this
  }

  /** Returns the watcher itself: `for await` reads it. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /** Same as {@link NetworkWatcher.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** Same as {@link NetworkWatcher.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}
