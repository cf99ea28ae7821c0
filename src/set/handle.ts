import type { NativeNetwork, NativeSet } from '../../index.js'
import { Network } from '../network/network.ts'
import type { AnySet, Surroundings } from '../objects/context.ts'
import { handleOf, type SetHandle } from '../objects/set-handle.ts'

/** The class of a set, without its name. */
type Create = (native: NativeSet, netnsName?: string) => AnySet

/** @internal The handle of a set. It has the network, too, which few sets use. */
export class Handle implements SetHandle {
  netnsName: string | undefined
  readonly native: NativeSet
  readonly #set: AnySet
  readonly #create: Create
  #isClosed: boolean
  #networks: { native: NativeNetwork; network: Network } | undefined

  constructor(set: AnySet, native: NativeSet, create: Create) {
    this.#set = set
    this.native = native
    this.#create = create
    this.#isClosed = native.closed
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The network, as users have it. */
  openNetwork(): Network {
    return this.#open().network
  }

  network(): NativeNetwork {
    return this.#open().native
  }

  surroundings(): Surroundings {
    return { set: this.#set, network: this.openNetwork() }
  }

  create(native: NativeSet, netnsName?: string): SetHandle {
    return handleOf(this.#create(native, netnsName))
  }

  close(): void {
    this.#set.close()
  }

  /** Called when the set is closed. */
  closeNetwork(): void {
    this.#isClosed = true
    this.#networks?.network.close()
  }

  toString(): string {
    return String(this.#set)
  }

  #open(): { native: NativeNetwork; network: Network } {
    if (this.#networks !== undefined && !this.#isClosed) return this.#networks
    const native = this.native.network()
    this.#networks = { native, network: new Network(this, native) }
    return this.#networks
  }
}
