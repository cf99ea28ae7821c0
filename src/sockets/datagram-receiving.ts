import { AsyncResource } from 'node:async_hooks'
import type { NativeDatagram, NativeNetwork } from '../../index.js'
import { hold, release } from '../event-loop.ts'
import { binding } from '../native.ts'
import { expectAnswer, forgetAnswer } from '../network/answers.ts'
import { refusalOf } from './node-handle.ts'

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
export function receiveInside(handle: ReceivingHandle, network: NativeNetwork): void {
  new Receiving(handle, network)
}

class Receiving {
  readonly #handle: ReceivingHandle
  readonly #network: NativeNetwork
  /** What listens is in the context in which the socket was made. */
  readonly #context = new AsyncResource('UDPWRAP')
  /** The number of what is waited for, or 0. */
  #watch = 0
  #isOn = false
  #isHeld = false
  #isReferenced = true

  constructor(handle: ReceivingHandle, network: NativeNetwork) {
    this.#handle = handle
    this.#network = network
    const usual = Object.getPrototypeOf(handle) as ReceivingHandle
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
    const failed = this.#wait()
    if (failed !== 0) this.#isOn = false
    this.#holdLoop()
    return failed
  }

  #stop(): number {
    this.#isOn = false
    this.#holdLoop()
    if (this.#watch === 0) return 0
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

  #wait(): number {
    const id = expectAnswer(() => {
      this.#watch = 0
      this.#network.dropConnection(id)
      this.#tell(binding().receiveDatagrams(this.#handle))
    })
    try {
      this.#network.watch(id, this.#handle, false)
      this.#watch = id
      return 0
    } catch (error) {
      forgetAnswer(id)
      const refusal = refusalOf(error)
      if (typeof refusal !== 'number') throw refusal
      return refusal
    }
  }

  /** One at a time: what the listeners of one have put off comes before the next. */
  #tell([next, ...others]: NativeDatagram[]): void {
    if (!this.#isOn) return
    if (next === undefined) {
      const failed = this.#wait()
      if (failed !== 0) this.#tellOf({ status: failed })
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
