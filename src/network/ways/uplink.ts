import type { NativeFlow, NativeRefusal, NativeUplink } from '../../../index.js'
import { settled } from '../../native/settled.ts'
import { insteadOf } from '../../objects/uncloneable.ts'
import { parseRules, type Rule } from '../../validate/sockets/rule.ts'

const INSTEAD = insteadOf('Uplink', 'send what flows() and statistics() return')

/** A connection, or the datagrams or echo requests between two places, that an {@link Uplink} carries. */
export interface UplinkFlow {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** The end inside. */
  readonly source: { readonly address: string; readonly port: number }
  readonly address: string
  /** `0` for `'icmp'`. */
  readonly port: number
  /** The names for which the address was the answer, and the name in the bytes of TLS or HTTP. */
  readonly names: readonly string[]
  /** Whether it is open: the server outside has accepted it. */
  readonly open: boolean
  /** In milliseconds. */
  readonly age: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What an {@link Uplink} has refused. */
export interface UplinkRefusal {
  /** `'dns'` is a question about a name; a number is another protocol of IP. */
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'dns' | number
  readonly address?: string
  readonly port?: number
  /** The name in question; that in the bytes of TLS or HTTP; or one for which the address was the answer. */
  readonly name?: string
  /**
   * `'denied'`: a rule denies it. `'not-allowed'`: no rule allows it. `'closed'`: the address is closed, see `kind`. `'decided'`:
   * `decide` said no. `'undecided'`: `decide` did not answer in time. `'other-name'`: TLS or HTTP names a host that is not allowed.
   * `'unreadable'`: the first bytes begin like TLS or HTTP, but cannot be read. `'limit'`: there are too many flows.
   */
  readonly reason: 'denied' | 'not-allowed' | 'closed' | 'decided' | 'undecided' | 'other-name' | 'unreadable' | 'limit'
  /** Which kind of closed address it is. `'embedded'` stands for an IPv4 address; `'own'` is an address of the machine. */
  readonly kind?: 'unspecified' | 'loopback' | 'link-local' | 'private' | 'multicast' | 'embedded' | 'reserved' | 'own'
}

/** What an {@link Uplink} has done. */
export interface UplinkStatistics {
  /** All flows since the start, without refused ones. */
  readonly flows: number
  /** Those that have not ended. */
  readonly open: number
  /** Flows and names that were refused. */
  readonly refused: number
  /** Questions about names. */
  readonly questions: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** @hidden What an uplink does at its end. */
export interface UplinkEnd {
  /** Removes the link inside. Called before `release`, if the set is open. */
  remove(): Promise<void>
  /** Gives up the far end. */
  release(): void
}

/**
 * A way out of a network, from {@link Network.uplink}. It is closed with its set, and does not keep Node.js running.
 *
 * @example
 * await using uplink = await set.network.uplink({ allow: ['*.debian.org:80'] })
 * console.log(uplink.statistics(), await uplink.flows())
 */
export class Uplink implements AsyncDisposable {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  /** The name of the link inside. */
  readonly link: string
  /** The addresses of the gateway, which also resolves names. */
  readonly gateways: readonly string[]
  readonly #native: NativeUplink
  readonly #end: UplinkEnd
  #closing: Promise<void> | undefined
  #isClosed = false

  /** @hidden Created by {@link Network.uplink}. */
  constructor(native: NativeUplink, link: string, gateways: readonly string[], end: UplinkEnd) {
    this.#native = native
    this.#end = end
    this.link = link
    this.gateways = gateways
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /**
   * The resolv.conf(5) with which programs inside resolve names by the uplink. A set with a mount namespace of its own gets it when it
   * is created.
   *
   * @example
   * mounts: [{ type: 'file', target: '/etc/resolv.conf', content: 'nameserver 10.0.2.2\n' }]
   */
  get resolvConf(): string {
    return this.gateways.map((gateway) => `nameserver ${gateway}\n`).join('')
  }

  /**
   * Adds rules to those that allow. They are in effect for flows and names from now on.
   *
   * @throws `ERR_INVALID_ARG_VALUE`, `ERR_INVALID_ARG_TYPE`; `ERR_NSSET_CLOSED` if it is closed.
   * @example
   * uplink.allow(['registry.npmjs.org:443', '10.1.0.0/16:5432'])
   */
  allow(rules: Rule | readonly Rule[]): void {
    this.#native.allow(parseRules(rules))
  }

  /**
   * Adds rules to those that deny, and resets the flows that they deny.
   *
   * @throws as {@link Uplink.allow}.
   * @example
   * uplink.deny('*.example.org')
   */
  deny(rules: Rule | readonly Rule[]): void {
    this.#native.deny(parseRules(rules))
  }

  /**
   * Returns the flows that have not ended, also those that wait for their server or for `decide`.
   *
   * @example
   * for (const { protocol, address, port, names } of await uplink.flows()) console.log(protocol, address, port, names)
   * @see `ss -tun`
   */
  async flows(): Promise<UplinkFlow[]> {
    return (await settled(this.#native.flows())).map(readFlow)
  }

  /**
   * Returns what it has done so far, also after its end.
   *
   * @example
   * const { flows, refused } = uplink.statistics()
   */
  statistics(): UplinkStatistics {
    return this.#native.statistics()
  }

  /**
   * What was refused, and why: the last thousand refusals, and those that come, until it is closed.
   *
   * @example
   * for await (const { protocol, name, address, port, reason } of uplink.refusals()) console.log(protocol, name ?? address, port, reason)
   */
  async *refusals(): AsyncGenerator<UplinkRefusal, void, undefined> {
    for (let position = 0; ; ) {
      const found = await settled(this.#native.refusalsSince(position))
      if (found === null) return
      position = found.position
      yield* found.refusals.map(readRefusal)
    }
  }

  /**
   * Resets all flows, and removes the link inside. Resolves when that has happened.
   *
   * @example
   * await uplink.close()
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** Same as {@link Uplink.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal Called when the set is closed. */
  end(): void {
    this.#isClosed = true
    this.#native.close()
    this.#end.release()
  }

  /** Returns a description such as `Uplink(uplink0, 2 open)`. */
  toString(): string {
    return `Uplink(${this.link}, ${this.closed ? 'closed' : `${this.statistics().open} open`})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  async #close(): Promise<void> {
    const isFirst = !this.#isClosed
    this.#isClosed = true
    this.#native.close()
    await settled(this.#native.ended())
    if (!isFirst) return
    try {
      await this.#end.remove()
    } finally {
      this.#end.release()
    }
  }
}

function readFlow({ sourceAddress, sourcePort, isOpen, protocol, ...flow }: NativeFlow): UplinkFlow {
  const source = { address: sourceAddress, port: sourcePort }
  return { protocol: protocol as UplinkFlow['protocol'], source, ...flow, open: isOpen }
}

function readRefusal({ protocol, ...rest }: NativeRefusal): UplinkRefusal {
  const number = Number(protocol)
  return { protocol: Number.isNaN(number) ? protocol : number, ...rest } as UplinkRefusal
}
