import type { UplinkRefusal } from 'nsset'

/** Something that a box has refused a program, or why it has ended one. */
export interface Refusal {
  /**
   * `'systemCall'`: the filter killed the program (SIGSYS). `'memory'`: the kernel killed a process, because the box had no more memory.
   * `'processes'`: fork(2) failed at the limit of processes. `'cpuSeconds'`, `'fileSize'`: a limit of the program (SIGXCPU, SIGXFSZ).
   * `'timeout'`: the time was over, and everything in the box was ended. `'network'`: the rules of the network refused a connection, a
   * datagram or a name.
   */
  what: 'systemCall' | 'memory' | 'processes' | 'cpuSeconds' | 'fileSize' | 'timeout' | 'network'
  /** The program, and its arguments. Empty for `'network'`: the program is not known. */
  command: readonly string[]
  /** For `'network'`: what was refused, and why. */
  network?: UplinkRefusal
}

/** Older ones than these are forgotten. */
const MOST_KEPT = 1000

/** @internal The refusals of a box, for any number of readers. */
export class RefusalLog {
  #kept: Refusal[] = []
  #forgotten = 0
  #hasEnded = false
  #wake: (() => void)[] = []

  add(refusal: Refusal): void {
    this.#kept.push(refusal)
    if (this.#kept.length > MOST_KEPT) {
      this.#kept.shift()
      this.#forgotten += 1
    }
    this.#wakeAll()
  }

  end(): void {
    this.#hasEnded = true
    this.#wakeAll()
  }

  async *read(): AsyncGenerator<Refusal, void, undefined> {
    for (let next = 0; ; next += 1) {
      next = Math.max(next, this.#forgotten)
      while (next >= this.#forgotten + this.#kept.length) {
        if (this.#hasEnded) return
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
      yield this.#kept[next - this.#forgotten] as Refusal
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
