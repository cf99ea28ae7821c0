import type { AsyncResource } from 'node:async_hooks'
import type { NativeDatagram, NativeNetwork } from '../../../../index.js'
import { expectAnswer, forgetAnswer } from '../../../native/answers.ts'
import { hold, release } from '../../../native/event-loop.ts'
import { binding } from '../../../native.ts'

/** What of a handle of UDP is about what comes. */
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
 * @internal Has a handle of UDP tell of datagrams as it does, but with the names that links have inside, and of those, too, whose link
 * has an index that no link has outside: Node drops them, with an error.
 */
export function receiveInside(handle: ReceivingHandle, network: NativeNetwork, context: AsyncResource): void {
  new Receiving(handle, network, context)
}

/** @internal Whether a socket that is bound to this address may hear of link-local neighbours: of any address but the loopback one. */
export function hearsNeighbours(address: string): boolean {
  return address !== '::1'
}

/** Milliseconds. */
const PAUSE = 100

class Receiving {
  readonly #handle: ReceivingHandle
  readonly #network: NativeNetwork
  readonly #context: AsyncResource
  /** The number of what is waited for, or was last, or 0. */
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

  /** The loop goes on for as long as it receives, unless the socket is unreferenced. */
  #holdLoop(): void {
    const isWanted = this.#isOn && this.#isReferenced
    if (isWanted === this.#isHeld) return
    this.#isHeld = isWanted
    if (isWanted) hold()
    else release()
  }

  /** Waits for the next, beside libuv, which would read it. Returns whether it does. */
  #watchOn(): boolean {
    const id = expectAnswer(({ failure }) => {
      if (failure === undefined) this.#tell(binding().receiveDatagrams(this.#handle))
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

  /** What was refused for a lack of descriptors or memory may not be later. Datagrams wait in the socket. */
  #watchLater(): void {
    if (this.#isOn) this.#pause = setTimeout(() => this.#watchOrLater(), PAUSE).unref()
  }

  /** One at a time: what the listeners of one have put off comes before the next. */
  #tell([next, ...others]: NativeDatagram[]): void {
    if (!this.#isOn) return
    if (next === undefined) {
      this.#watchOrLater()
      return
    }
    try {
      this.#tellOf(next)
    } finally {
      queueMicrotask(() => process.nextTick(() => this.#tell(others)))
    }
  }

  #tellOf({ status, message, address, port }: NativeDatagram): void {
    const { onmessage } = this.#handle
    const from = message === undefined ? undefined : { address, family: 'IPv6', port }
    this.#context.runInAsyncScope(onmessage, this.#handle, status, this.#handle, message, from)
  }
}
