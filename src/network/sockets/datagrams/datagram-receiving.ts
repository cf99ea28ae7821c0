import type { AsyncResource } from 'node:async_hooks'
import type { NativeDatagram, NativeWatch } from '../../../../index.js'
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
export function receiveInside(handle: ReceivingHandle, context: AsyncResource): void {
  new Receiving(handle, context)
}

/** @internal Returns whether a socket bound to this address can receive from link-local addresses: unless it is the loopback one. */
export function receivesLinkLocal(address: string): boolean {
  return address !== '::1'
}

/** In milliseconds. */
const PAUSE = 100

class Receiving {
  readonly #handle: ReceivingHandle
  readonly #context: AsyncResource
  #watch: NativeWatch | undefined
  #pause: NodeJS.Timeout | undefined
  #isOn = false
  #isHeld = false
  #isReferenced: boolean

  constructor(handle: ReceivingHandle, context: AsyncResource) {
    this.#handle = handle
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
    this.#watchOn()
    return 0
  }

  #stop(): number {
    this.#isOn = false
    this.#holdLoop()
    clearTimeout(this.#pause)
    this.#watch?.close()
    this.#watch = undefined
    return 0
  }

  /** Keeps the event loop alive while it receives, except if the socket is unreferenced. */
  #holdLoop(): void {
    const isWanted = this.#isOn && this.#isReferenced
    if (isWanted === this.#isHeld) return
    this.#isHeld = isWanted
    if (isWanted) binding().hold()
    else binding().release()
  }

  /** Waits for the next datagram without libuv, which would read it. */
  async #watchOn(): Promise<void> {
    const { NativeWatch, receiveDatagrams } = binding()
    let watch = this.#watch
    try {
      watch ??= new NativeWatch(this.#handle, false)
      this.#watch = watch
      await watch.ready()
      // An error of a listener must not reject the promise.
      if (this.#watch === watch) process.nextTick(() => this.#deliver(receiveDatagrams(this.#handle)))
    } catch {
      if (this.#watch !== watch) return
      this.#watch = undefined
      this.#watchLater()
    }
  }

  /** Tries again after a lack of descriptors or memory. Datagrams wait in the socket. */
  #watchLater(): void {
    if (this.#isOn) this.#pause = setTimeout(() => this.#watchOn(), PAUSE).unref()
  }

  /** Delivers one at a time, so that microtasks and ticks of its listeners run before the next. */
  #deliver([next, ...others]: NativeDatagram[]): void {
    if (!this.#isOn) return
    if (next === undefined) {
      this.#watchOn()
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
