import type { NativeNamespaces } from '../../index.js'
import { netns } from '../netns/netns.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import type { HolderSource } from './found-namespace.ts'
import {
  holderOf,
  type NamespaceHolder,
  type NamespaceName,
  type NativeHolder,
  type Processes,
  type ProcessHolder,
} from './holders.ts'
import { Containers, netnsNames } from './names.ts'

/** @internal What holds the namespaces of one list, and their names. The native side keeps it until it is read. */
export class HolderTable implements HolderSource {
  readonly #native: NativeNamespaces
  readonly #isAsked: boolean
  readonly #directory = netns.directory
  readonly #here = ownMounts()
  readonly #containers = new Containers()
  #processes: Processes | undefined

  /** `isAsked` tells whether the search has looked for holders. */
  constructor(native: NativeNamespaces, isAsked: boolean) {
    this.#native = native
    this.#isAsked = isAsked
  }

  /** Returns what holds the namespace with this index: first the processes in it. */
  holdersOf(index: number): NamespaceHolder[] {
    if (!this.#isAsked) return []
    const processes = this.#known()
    const [pids, others] = JSON.parse(this.#native.holders(index)) as [number[], NativeHolder[]]
    const inside: NamespaceHolder[] = pids.flatMap((pid) => processes.get(pid) ?? [])
    for (const holder of others) inside.push(holderOf(holder, processes))
    return inside
  }

  namesOf(holders: readonly NamespaceHolder[]): NamespaceName[] {
    const inside = holders.filter((holder): holder is ProcessHolder => holder.type === 'process')
    return [...netnsNames(holders, this.#directory, this.#here), ...this.#containers.namesOf(inside)]
  }

  open(index: number): NamespaceSet {
    return new NamespaceSet(this.#native.open(index))
  }

  #known(): Processes {
    if (this.#processes === undefined) {
      const processes = JSON.parse(this.#native.processes()) as Omit<ProcessHolder, 'type'>[]
      this.#processes = new Map(processes.map((process) => [process.pid, { type: 'process', ...process } as const]))
    }
    return this.#processes
  }
}

function ownMounts(): string {
  const here = NamespaceSet.current('mnt')
  try {
    return here.id()
  } finally {
    here.close()
  }
}
