import { binding } from '../native.ts'

/** @internal Keeps Node.js running while something waits, unless it is unreferenced. */
export class LoopHold {
  #waiting = 0
  #isReferenced = true
  #isHeld = false

  /** Settles like the promise, and holds the event loop until then. */
  async during<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1
    this.#update()
    try {
      return await promise
    } finally {
      this.#waiting -= 1
      this.#update()
    }
  }

  ref(): void {
    this.#isReferenced = true
    this.#update()
  }

  unref(): void {
    this.#isReferenced = false
    this.#update()
  }

  #update(): void {
    const holds = this.#isReferenced && this.#waiting > 0
    if (holds === this.#isHeld) return
    this.#isHeld = holds
    if (holds) binding().hold()
    else binding().release()
  }
}
