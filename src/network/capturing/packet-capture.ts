import type { Readable } from 'node:stream'
import type { NativeCapture } from '../../../index.js'
import { LoopHold } from '../../native/loop-hold.ts'
import { settled } from '../../native/settled.ts'
import { onAbort } from '../../objects/on-abort.ts'
import { insteadOf } from '../../objects/uncloneable.ts'
import { isThenable } from '../../threads/thenable.ts'

const INSTEAD = insteadOf('PacketCapture', 'send its bytes')

/** What a {@link PacketCapture} has counted. */
export interface CaptureStatistics {
  /** Packets that passed the filter, dropped ones included. */
  received: number
  /** Packets for which the buffer had no room, because the stream was not read fast enough. */
  dropped: number
}

/**
 * Packets of a network, from {@link Network.capture}: a `Readable` of pcapng, which Wireshark and `tcpdump -r` read. It ends with its
 * link, its set, or {@link PacketCapture.stop}; the last block has the statistics.
 *
 * A read that waits for packets keeps Node.js running; after `unref` it does not. A capture that nothing reads never does.
 *
 * @example
 * const capture = set.network.capture('eth0', { filter: 'icmp' })
 * await pipeline(capture, createWriteStream('ping.pcapng'))
 */
export interface PacketCapture extends Readable {
  /**
   * Ends the capture. The stream ends after the packets that were captured before, and the statistics.
   *
   * @example
   * capture.stop()
   * const bytes = await buffer(capture)
   */
  stop(): void

  /**
   * Returns what was counted so far, also after the end.
   *
   * @example
   * const { received, dropped } = capture.statistics()
   * @see packet(7), PACKET_STATISTICS
   */
  statistics(): CaptureStatistics

  /**
   * Lets a read that waits keep Node.js running, which is the default.
   *
   * @example
   * capture.unref()
   * capture.ref()
   */
  ref(): this

  /**
   * Lets Node.js end although a read waits.
   *
   * @example
   * capture.unref()
   */
  unref(): this

  /** Returns a description such as `PacketCapture(eth0, 'icmp', 4 received, 0 dropped)`, which `console.log` prints, too. */
  toString(): string
}

/** @internal Which packets of which link are captured. */
export interface Captured {
  name: string
  filter: string | Uint8Array
}

/** Created at first use: it needs a module of Node.js. */
let Class: ReturnType<typeof createClass> | undefined

/** @internal */
export function createCapture(
  native: NativeCapture,
  captured: Captured,
  signal: AbortSignal | undefined,
): PacketCapture {
  Class ??= createClass()
  return new Class(native, captured, signal)
}

/** A stream that is destroyed with `null` has no 'error' event. */
function errorOf(reason: unknown): Error {
  if (reason) return reason as Error
  const error = new DOMException('The capture was aborted', 'AbortError')
  return Object.defineProperty(error, 'cause', { value: reason, configurable: true, writable: true })
}

function describe({ filter }: Captured): string {
  if (typeof filter !== 'string') return ', a program of BPF'
  return filter === '' ? '' : `, '${filter}'`
}

function createClass() {
  const streams = process.getBuiltinModule('node:stream')
  return class PacketCapture extends streams.Readable {
    /** Makes structuredClone() and postMessage() reject it. */
    readonly uncloneable = INSTEAD
    readonly #native: NativeCapture
    readonly #captured: Captured
    readonly #forgetSignal: (() => void) | undefined
    readonly #hold = new LoopHold()
    /** The read that waits, if any. */
    #reading: Promise<void> | undefined

    static {
      // The bundle has no names of class expressions.
      Object.defineProperty(PacketCapture, 'name', { value: 'PacketCapture' })
    }

    constructor(native: NativeCapture, captured: Captured, signal: AbortSignal | undefined) {
      super()
      this.#native = native
      this.#captured = captured
      this.#forgetSignal = signal && onAbort(signal, () => this.destroy(errorOf(signal.reason)))
    }

    override _read(): void {
      this.#reading = this.#readNext()
    }

    async #readNext(): Promise<void> {
      try {
        const answer = this.#native.next()
        const bytes = isThenable(answer) ? await this.#hold.during(settled(answer)) : answer
        if (!this.destroyed) this.push(bytes)
      } catch (error) {
        this.destroy(error as Error)
      }
    }

    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
      this.#native.close()
      this.#forgetSignal?.()
      // Until then Node.js runs, also after `unref`: a program that waits for the end must not exit before it.
      new LoopHold().during(this.#ended()).then(
        () => callback(error),
        () => callback(error),
      )
    }

    /** Resolves when the kernel has closed the socket and freed the buffer. */
    async #ended(): Promise<void> {
      await this.#reading
      for (;;) {
        const answer = this.#native.next()
        if ((isThenable(answer) ? await settled(answer) : answer) === null) return
      }
    }

    stop(): void {
      this.#native.stop()
    }

    statistics(): CaptureStatistics {
      return this.#native.statistics()
    }

    ref(): this {
      this.#hold.ref()
      return this
    }

    unref(): this {
      this.#hold.unref()
      return this
    }

    override toString(): string {
      const { received, dropped } = this.statistics()
      return `PacketCapture(${this.#captured.name}${describe(this.#captured)}, ${received} received, ${dropped} dropped)`
    }

    [Symbol.for('nodejs.util.inspect.custom')](): string {
      return this.toString()
    }
  }
}
