/** Read when this module is loaded, because tests replace the global one. */
const { setImmediate } = globalThis

/** How many calls begin in one turn of the event loop: these take about a millisecond. */
const AT_ONCE = 100

/** @internal Spreads calls over the turns of the event loop, so that many of them at once do not hold it up. */
export class Pace {
  #left = AT_ONCE
  #isCounting = false
  #waiting: (() => void)[] = []

  /** Returns undefined if a call may begin at once, or a promise of the turn in which it may. */
  turn(): Promise<void> | undefined {
    this.#count()
    if (this.#left > 0) {
      this.#left -= 1
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Counts anew in the next turn, in which those that wait come first. */
  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => {
      this.#isCounting = false
      const begun = this.#waiting.splice(0, AT_ONCE)
      this.#left = AT_ONCE - begun.length
      if (begun.length > 0) this.#count()
      for (const begin of begun) begin()
    })
  }
}
