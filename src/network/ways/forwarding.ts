import type { NativeForwarding } from '../../../index.js'
import { LoopHold } from '../../native/loop-hold.ts'
import { binding } from '../../native.ts'
import { insteadOf } from '../../objects/uncloneable.ts'
import { type CloseForwardingOptions, parseCloseForwardingOptions } from '../../validate/sockets/forwarding-options.ts'

const INSTEAD = insteadOf('Forwarding', 'send its port')

/** Where a forwarding listens. */
export type ForwardingAddress =
  | { readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number }
  | { readonly path: string }

/** What a {@link Forwarding} has done. For UDP, the datagrams of one client are one connection. */
export interface ForwardingStatistics {
  /** All connections since the start. */
  readonly connections: number
  /** Those that have not ended. */
  readonly open: number
  /** Those that ended with an error, for example because the target refused the connection. */
  readonly failed: number
  readonly bytesToTarget: number
  readonly bytesFromTarget: number
}

/** @hidden A listener, and what it forwards. */
export interface Listener {
  readonly native: NativeForwarding
  readonly protocol: 'tcp' | 'udp'
}

/** Those that are open: the garbage collector must not end them. */
const OPEN = new Set<Forwarding>()

/**
 * A running forwarding of {@link Network.publish} or {@link Network.forward}. It keeps Node.js running, and is closed with its set.
 *
 * @example
 * await using forwarding = await set.network.publish({ port: 8080, to: { port: 80 } })
 * console.log(forwarding.port, forwarding.statistics())
 */
export class Forwarding {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #listeners: readonly Listener[]
  readonly #ended: Promise<void>
  #isHeld = false

  /** @hidden Created by {@link Network.publish} and {@link Network.forward}. */
  constructor(listeners: readonly Listener[]) {
    this.#listeners = listeners
    this.#ended = this.#untilEnded()
    OPEN.add(this)
    this.ref()
  }

  async #untilEnded(): Promise<void> {
    await Promise.all(this.#listeners.map(({ native }) => native.ended()))
    OPEN.delete(this)
    this.unref()
  }

  /** The port of the first listener; undefined for a unix socket. */
  get port(): number | undefined {
    return this.#listeners[0]?.native.place.port
  }

  /** The addresses of all listeners, in the order of the options. */
  get addresses(): ForwardingAddress[] {
    return this.#listeners.map(({ native: { place }, protocol }) => {
      if (place.path !== undefined) return { path: place.path }
      return { protocol, address: place.address as string, port: place.port as number }
    })
  }

  /** Whether it has ended: it was closed, or its set was. */
  get closed(): boolean {
    return !OPEN.has(this)
  }

  /**
   * Returns what it has done so far, also after its end.
   *
   * @example
   * const { connections, bytesToTarget } = forwarding.statistics()
   */
  statistics(): ForwardingStatistics {
    const all = this.#listeners.map(({ native }) => native.statistics())
    const sum = (key: keyof ForwardingStatistics) => all.reduce((total, one) => total + one[key], 0)
    return {
      connections: sum('connections'),
      open: sum('open'),
      failed: sum('failed'),
      bytesToTarget: sum('bytesToTarget'),
      bytesFromTarget: sum('bytesFromTarget'),
    }
  }

  /**
   * Keeps Node.js running until this is closed, which is the default.
   *
   * @example
   * forwarding.unref()
   * forwarding.ref()
   * @see `server.ref` of `net`
   */
  ref(): this {
    if (!this.#isHeld && !this.closed) {
      this.#isHeld = true
      binding().hold()
    }
    return this
  }

  /**
   * Lets Node.js end although this is open.
   *
   * @example
   * forwarding.unref()
   * @see `server.unref` of `net`
   */
  unref(): this {
    if (this.#isHeld) {
      this.#isHeld = false
      binding().release()
    }
    return this
  }

  /**
   * Stops listening. Open connections may continue for `grace` milliseconds, and are then reset. Resolves when all have ended, and
   * keeps Node.js running until then, also after `unref`. A further call can only shorten the time.
   *
   * @throws `ERR_INVALID_ARG_VALUE` if `grace` is negative or `Infinity`.
   * @example
   * await forwarding.close({ grace: 5_000 })
   */
  async close(options?: CloseForwardingOptions): Promise<void> {
    const { grace = 0 } = parseCloseForwardingOptions(options)
    for (const { native } of this.#listeners) native.close(grace)
    await new LoopHold().during(this.#ended)
  }

  /** Closes it without waiting. */
  [Symbol.dispose](): void {
    void this.close()
  }

  /** Same as {@link Forwarding.close} without a grace time. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Returns a description such as `Forwarding(tcp 127.0.0.1:8080, 2 open)`. */
  toString(): string {
    const names = this.addresses.map((address) => ('path' in address ? nameOf(address.path) : textOf(address)))
    return `Forwarding(${names.join(', ')}, ${this.closed ? 'closed' : `${this.statistics().open} open`})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

function textOf({ protocol, address, port }: Exclude<ForwardingAddress, { path: string }>): string {
  return `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port}`
}

function nameOf(path: string): string {
  return path.replace(/^\0/, '@')
}
