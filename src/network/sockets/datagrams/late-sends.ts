import type { NativeWatch } from '../../../../index.js'
import { binding } from '../../../native.ts'
import { EAGAIN, ECANCELED } from '../handles/node-handle.ts'

/** The request object that Node passes to a handle. */
export interface SendRequest {
  oncomplete?: (status: number, size: number) => void
}

interface LateSend {
  /** Returns the number of bytes sent, or a negative error number. */
  attempt(): number
  request: SendRequest
  size: number
  hasCallback: boolean
}

/** @internal Datagrams that wait, in order, until the socket has room for them. */
export class LateSends {
  readonly #handle: object
  #waiting: LateSend[] = []
  #watch: NativeWatch | undefined

  constructor(handle: object) {
    this.#handle = handle
  }

  get count(): number {
    return this.#waiting.length
  }

  get size(): number {
    return this.#waiting.reduce((sum, { size }) => sum + size, 0)
  }

  add(send: LateSend): void {
    this.#waiting.push(send)
    if (this.#waiting.length === 1) this.#attemptLater()
  }

  /** Called when the socket is closed. */
  giveUp(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    this.#stopWatching()
    setImmediate(() => {
      for (const send of waiting) finish(send, ECANCELED)
    })
  }

  #stopWatching(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  #attemptLater(): void {
    this.#ready().then(
      () => this.#attemptAll(undefined),
      (failure: Error) => this.#attemptAll(failure),
    )
  }

  async #ready(): Promise<void> {
    this.#watch ??= new (binding().NativeWatch)(this.#handle, true)
    await this.#watch.ready()
  }

  #attemptAll(failure: Error | undefined): void {
    const failed = failure === undefined ? undefined : ((failure as NodeJS.ErrnoException).errno ?? ECANCELED)
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const sent = failed ?? next.attempt()
      if (sent === EAGAIN) break
      this.#waiting.shift()
      process.nextTick(finish, next, sent)
    }
    if (this.#waiting.length > 0) this.#attemptLater()
    else this.#stopWatching()
  }
}

function finish({ request, size, hasCallback }: LateSend, sent: number): void {
  if (hasCallback) request.oncomplete?.(Math.min(sent, 0), size)
}
