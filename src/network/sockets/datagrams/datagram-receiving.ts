import type { AsyncResource } from 'node:async_hooks'
import type { NativeDatagram, NativeNetwork } from '../../../../index.js'
import { expectAnswer, forgetAnswer } from '../../../native/answers.ts'
import { hold, release } from '../../../native/event-loop.ts'
import { binding } from '../../../native.ts'

/** The methods of a UDP handle for receiving. */
export interface ReceivingHandle {
  readonly fd: number
  recvStart(): number
  recvStop(): number
  ref(): void
  unref(): void
  hasRef(): boolean
  onmessage(status: number, handle: object, message?: Buffer, from?: object): void
}

/**
 * @internal Makes a UDP handle report datagrams with the names of links inside. Node itself drops a datagram, with an error, if no
 * link outside has the index of the link that it came from.
 */
export function receiveInside(handle: ReceivingHandle, network: NativeNetwork, context: AsyncResource): void {
  new Receiving(handle, network, context)
}

/** @internal Returns whether a socket bound to this address can receive from link-local addresses: unless it is the loopback one. */
export function receivesLinkLocal(address: string): boolean {
  return address !== '::1'
}

/** In milliseconds. */
const PAUSE = 100

class Receiving {
  readonly #handle: ReceivingHandle
  readonly #network: NativeNetwork
  readonly #context: AsyncResource
  /** The number of the current or last watch, or 0. */
  #watch = 0
  #pause: NodeJS.Timeout | undefined
  #isOn = false
  #isHeld = false
  #isReferenced: boolean

  constructor(handle: ReceivingHandle, network: NativeNetwork, context: AsyncResource) {
    this.#handle = handle
    this.#network = network
    this.#context = context
    const usual = Object.getPrototypeOf(handle) as ReceivingHandle
    this.#isReferenced = usual.hasRef.call(handle)
    handle.recvStart = () => this.#start()
    handle.recvStop = () => this.#stop()
    const referring = (isReferenced: boolean, method: () => void) => () => {
      this.#isReferenced = isReferenced
      this.#holdLoop()
      method.call(handle)
    }
    handle.ref = referring(true, usual.ref)
    handle.unref = referring(false, usual.unref)
    handle.hasRef = () => this.#isReferenced
  }

  #start(): number {
    if (this.#isOn) return 0
    this.#isOn = true
    this.#holdLoop()
    this.#watchOrLater()
    return 0
  }

  #stop(): number {
    this.#isOn = false
    this.#holdLoop()
    clearTimeout(this.#pause)
    forgetAnswer(this.#watch)
    this.#network.dropConnection(this.#watch)
    this.#watch = 0
    return 0
  }

  /** Keeps the event loop alive while it receives, except if the socket is unreferenced. */
  #holdLoop(): void {
    const isWanted = this.#isOn && this.#isReferenced
    if (isWanted === this.#isHeld) return
    this.#isHeld = isWanted
    if (isWanted) hold()
    else release()
  }

  /** Waits for the next datagram without libuv, which would read it. Returns whether it does. */
  #watchOn(): boolean {
    const id = expectAnswer(({ failure }) => {
      if (failure === undefined) this.#deliver(binding().receiveDatagrams(this.#handle))
      else this.#watchLater()
    })
    try {
      this.#network.watch(id, this.#handle, false, this.#watch || null)
      this.#watch = id
      return true
    } catch {
      forgetAnswer(id)
      this.#watch = 0
      return false
    }
  }

  #watchOrLater(): void {
    if (!this.#watchOn()) this.#watchLater()
  }

  /** Tries again after a lack of descriptors or memory. Datagrams wait in the socket. */
  #watchLater(): void {
    if (this.#isOn) this.#pause = setTimeout(() => this.#watchOrLater(), PAUSE).unref()
  }

  /** Delivers one at a time, so that microtasks and ticks of its listeners run before the next. */
  #deliver([next, ...others]: NativeDatagram[]): void {
    if (!this.#isOn) return
    if (next === undefined) {
      this.#watchOrLater()
      return
    }
    try {
      this.#deliverOne(next)
    } finally {
      queueMicrotask(() => process.nextTick(() => this.#deliver(others)))
    }
  }

  #deliverOne({ status, message, address, port }: NativeDatagram): void {
    const { onmessage } = this.#handle
    const from = message === undefined ? undefined : { address, family: 'IPv6', port }
    this.#context.runInAsyncScope(onmessage, this.#handle, status, this.#handle, message, from)
  }
}
