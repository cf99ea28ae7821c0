import { NS } from '../../../namespace-kind.ts'
import { ask } from '../../../native/ask.ts'
import type { SetHandle } from '../../../objects/set-handle.ts'

/** @internal What names are resolved by: resolv.conf(5) and hosts(5). */
export interface ResolverTexts {
  resolvConf: string
  hosts: string
}

/** As the native side tells it; null where it is the one that is known. */
type Told = { stamp: string; text: string } | null

/** How many milliseconds go by before files inside are read again: it takes the helper. */
const FRESH = 5000
/** And before those here are looked at again, which takes a few system calls: many names may be asked for at once. */
const FRESH_HERE = 50

/** After how many milliseconds a failure is one that another attempt would wait for, too. */
const LONG = 100

const NOTHING = { stamp: '', text: '' }

/**
 * @internal The files of a set: those of its mount namespace where it has one; else those that iproute2 has for a network of this
 * name (ip-netns(8)); else the caller's.
 */
export class ResolverFiles {
  readonly #set: SetHandle
  readonly #hasMounts: boolean
  #known = [NOTHING, NOTHING]
  #texts: Promise<ResolverTexts> | undefined
  #readAt = 0
  #reading: Promise<ResolverTexts> | undefined

  constructor(set: SetHandle) {
    this.#set = set
    this.#hasMounts = (set.native.flags() & NS.MNT) !== 0
  }

  /**
   * They are read anew before they have to be, so that of many names one after the other none waits for them; where that fails,
   * they last as long as they would have. A failure that took long lasts as long as texts do: those inside may have each take
   * long. Any other is of the call that it hits.
   */
  read(): Promise<ResolverTexts> {
    const age = performance.now() - this.#readAt
    const fresh = this.#areInside() ? FRESH : FRESH_HERE
    if (this.#texts === undefined || age > fresh) return this.#readOnce()
    if (age > fresh / 2) this.#readOnce().catch(() => undefined)
    return this.#texts
  }

  /** One at a time. */
  #readOnce(): Promise<ResolverTexts> {
    this.#reading ??= this.#readAndKeep(performance.now())
    return this.#reading
  }

  async #readAndKeep(begun: number): Promise<ResolverTexts> {
    try {
      const texts = await this.#readAnew()
      this.#keep(Promise.resolve(texts))
      return texts
    } catch (error) {
      if (performance.now() - begun > LONG) this.#keep(this.#reading)
      throw error
    } finally {
      this.#reading = undefined
    }
  }

  #keep(texts: Promise<ResolverTexts> | undefined): void {
    this.#texts = texts
    this.#readAt = performance.now()
  }

  /** Files here have a stamp. */
  #areInside(): boolean {
    return this.#hasMounts && this.#known.every(({ stamp }) => stamp === '')
  }

  async #readAnew(): Promise<ResolverTexts> {
    const native = this.#set.network()
    const stamps = this.#known.map(({ stamp }) => stamp)
    const { results, failure } = await ask((id) => native.readResolverFiles(id, this.#set.netnsName, stamps))
    if (failure !== undefined) throw failure
    const told = results as Told[]
    this.#known = this.#known.map((known, index) => told[index] ?? known)
    const [resolvConf = '', hosts = ''] = this.#known.map(({ text }) => text)
    return { resolvConf, hosts }
  }
}
