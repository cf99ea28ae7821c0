import { NS } from '../../../namespace-kind.ts'
import { settled } from '../../../native/settled.ts'
import type { SetHandle } from '../../../objects/set-handle.ts'

/** @internal The files that configure the resolver: resolv.conf(5) and hosts(5). */
export interface ResolverTexts {
  resolvConf: string
  hosts: string
}

/** In milliseconds: how long files inside are used before they are read again, which requires the helper. */
const FRESH = 5000
/** In milliseconds: how long the caller's files are used before they are checked again, which takes a few system calls. */
const FRESH_HERE = 50

/** In milliseconds: a read that took longer than this to fail is not repeated for a while, because it would take as long again. */
const LONG = 100

const NOTHING = { stamp: '', text: '' }

/**
 * @internal The files of a set: those of its mount namespace, if it has one; else those of iproute2 for a network with this name
 * (ip-netns(8)); else the caller's.
 */
export class ResolverFiles {
  readonly #set: SetHandle
  readonly #hasMounts: boolean
  #known = [NOTHING, NOTHING]
  /** The texts, or the failure that is kept in their place. */
  #texts: ResolverTexts | Promise<ResolverTexts> | undefined
  #readAt = 0
  #reading: Promise<ResolverTexts> | undefined

  constructor(set: SetHandle) {
    this.#set = set
    this.#hasMounts = (set.native.flags() & NS.MNT) !== 0
  }

  /**
   * Files are read again after half of their time, so that lookups do not wait for it; if that fails, the texts are used until
   * their time is over. A failure that took long is kept as long as texts are, because files inside can delay every read. Any other
   * failure is not kept.
   */
  read(): ResolverTexts | Promise<ResolverTexts> {
    const age = performance.now() - this.#readAt
    const fresh = this.#areInside() ? FRESH : FRESH_HERE
    if (this.#texts === undefined || age > fresh) return this.#readOnce()
    if (age > fresh / 2) this.#readOnce().catch(() => undefined)
    return this.#texts
  }

  /** Only one read is in progress at a time. */
  #readOnce(): Promise<ResolverTexts> {
    this.#reading ??= this.#readAndKeep(performance.now())
    return this.#reading
  }

  async #readAndKeep(begun: number): Promise<ResolverTexts> {
    try {
      const texts = await this.#readAnew()
      this.#keep(texts)
      return texts
    } catch (error) {
      if (performance.now() - begun > LONG) this.#keep(this.#reading)
      throw error
    } finally {
      this.#reading = undefined
    }
  }

  #keep(texts: ResolverTexts | Promise<ResolverTexts> | undefined): void {
    this.#texts = texts
    this.#readAt = performance.now()
  }

  /** Only the caller's files have a stamp. */
  #areInside(): boolean {
    return this.#hasMounts && this.#known.every(({ stamp }) => stamp === '')
  }

  async #readAnew(): Promise<ResolverTexts> {
    const native = this.#set.network()
    const stamps = this.#known.map(({ stamp }) => stamp)
    const read = await settled(native.readResolverFiles(this.#set.netnsName, stamps))
    this.#known = this.#known.map((known, index) => read[index] ?? known)
    const [resolvConf = '', hosts = ''] = this.#known.map(({ text }) => text)
    return { resolvConf, hosts }
  }
}
