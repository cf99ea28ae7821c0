import type { AsyncResource } from 'node:async_hooks'
import type { NativeDatagram, NativeWatch } from '../../../../index.js'
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
export function receiveInside(handle: ReceivingHandle, context: AsyncResource): void {
  new Receiving(handle, context)
}

/** @internal Whether a socket that is bound to this address may hear of link-local neighbours: of any address but the loopback one. */
export function hearsNeighbours(address: string): boolean {
  return address !== '::1'
}

/** Milliseconds. */
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

  /** The loop goes on for as long as it receives, unless the socket is unreferenced. */
  #holdLoop(): void {
    const isWanted = this.#isOn && this.#isReferenced
    if (isWanted === this.#isHeld) return
    this.#isHeld = isWanted
    if (isWanted) binding().hold()
    else binding().release()
  }

  /** Waits for the next, beside libuv, which would read it. */
  async #watchOn(): Promise<void> {
    const { NativeWatch, receiveDatagrams } = binding()
    let watch = this.#watch
    try {
      watch ??= new NativeWatch(this.#handle, false)
      this.#watch = watch
      await watch.ready()
      // What a listener throws is not to reject a promise.
      if (this.#watch === watch) process.nextTick(() => this.#tell(receiveDatagrams(this.#handle)))
    } catch {
      if (this.#watch !== watch) return
      this.#watch = undefined
      this.#watchLater()
    }
  }

  /** What was refused for a lack of descriptors or memory may not be later. Datagrams wait in the socket. */
  #watchLater(): void {
    if (this.#isOn) this.#pause = setTimeout(() => this.#watchOn(), PAUSE).unref()
  }

  /** One at a time: what the listeners of one have put off comes before the next. */
  #tell([next, ...others]: NativeDatagram[]): void {
    if (!this.#isOn) return
    if (next === undefined) {
      this.#watchOn()
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
