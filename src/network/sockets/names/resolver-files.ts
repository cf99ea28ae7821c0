import { settled } from '../../../native/settled.ts'
import { netnsNameOf } from '../../../netns/netns-names.ts'
import type { NamespaceSet } from '../../../set/namespace-set.ts'
import { sets } from '../../../set/set-access.ts'

/** @internal What names are resolved by: resolv.conf(5) and hosts(5). */
export interface ResolverTexts {
  resolvConf: string
  hosts: string
}

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
  readonly #set: NamespaceSet
  readonly #hasMounts: boolean
  #known = [NOTHING, NOTHING]
  #texts: Promise<ResolverTexts> | undefined
  #readAt = 0
  #reading: Promise<ResolverTexts> | undefined

  constructor(set: NamespaceSet) {
    this.#set = set
    this.#hasMounts = set.has('mnt')
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
    const native = sets.nativeNetworkOf(this.#set)
    const stamps = this.#known.map(({ stamp }) => stamp)
    const read = await settled(native.readResolverFiles(netnsNameOf(this.#set), stamps))
    this.#known = this.#known.map((known, index) => read[index] ?? known)
    const [resolvConf = '', hosts = ''] = this.#known.map(({ text }) => text)
    return { resolvConf, hosts }
  }
}
