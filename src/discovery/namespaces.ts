import type { NativeNamespaces } from '../../index.js'
import type { NamespaceKind } from '../namespace-kind.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { netns } from '../netns/netns.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import { type NamespacesOptions, parseNamespacesOptions } from '../validate/discovery/namespaces-options.ts'
import { flagOf } from '../validate/kinds.ts'
import { FoundNamespace } from './found-namespace.ts'
import { holderOf, idOf, type NativeHolder, type Processes, type ProcessHolder } from './holders.ts'
import { type NativeReason, reasonOf } from './incomplete.ts'
import { Containers, netnsNames } from './names.ts'
import { NamespaceList } from './namespace-list.ts'

interface NativeFound {
  kind: NamespaceKind
  inode: number
  uniqueId: string | null
  owner: number | null
  parent: number | null
  ownerUid: number | null
  processes: number[]
  holders: NativeHolder[]
}

/** The first part of what the native side returns. */
type NativeFirst = [processes: Omit<ProcessHolder, 'type'>[], incomplete: NativeReason[]]

/**
 * Finds the namespaces of the system and what keeps each of them alive: processes, threads, descriptors, sockets, bind mounts in
 * any mount namespace that can be read, and namespaces below them. It reads `/proc` on another thread; where the kernel has
 * listns(2), it adds what only the kernel knows. Namespaces that come or go meanwhile may be missing.
 *
 * An ordinary user sees the namespaces of their own processes, and {@link NamespaceList.incomplete} says what was hidden.
 * Namespaces that nothing but a descriptor in flight over a unix socket holds are not found.
 *
 * @throws {@link NamespaceError} `ENOENT` if /proc is not mounted.
 * @example
 * const found = await namespaces({ kinds: 'net' })
 * console.log(found.filter(({ holders }) => !holders.some(({ type }) => type === 'process')))
 * @see lsns(8), listns(2), namespaces(7)
 */
export async function namespaces(options?: NamespacesOptions): Promise<NamespaceList> {
  const { kinds = 0, holders = true } = parseNamespacesOptions(options)
  const native = await settled(binding().namespaces(kinds, holders))
  const [processes, incomplete] = JSON.parse(native.nextPart() ?? '[[],[]]') as NativeFirst
  const found = await read(native, new Surroundings(native, processes, holders))
  const isWanted = ({ kind }: FoundNamespace) => kinds === 0 || (flagOf(kind) & kinds) !== 0
  return new NamespaceList(found.filter(isWanted), incomplete.map(reasonOf))
}

/** Reads one part in each turn of the event loop, which would otherwise wait for thousands of namespaces. */
async function read(native: NativeNamespaces, surroundings: Surroundings): Promise<FoundNamespace[]> {
  const found: FoundNamespace[] = []
  for (let part = native.nextPart(); part !== null; part = native.nextPart()) {
    for (const each of JSON.parse(part) as NativeFound[]) found.push(surroundings.complete(each, found.length))
    await new Promise((resolve) => setImmediate(resolve))
  }
  return found
}

/** What the description of each namespace refers to. */
class Surroundings {
  readonly #native: NativeNamespaces
  readonly #processes: Processes
  readonly #holders: boolean
  readonly #directory = netns.directory
  readonly #here = ownMounts()
  readonly #containers = new Containers()

  constructor(native: NativeNamespaces, processes: NativeFirst[0], holders: boolean) {
    this.#native = native
    this.#processes = new Map(processes.map((process) => [process.pid, { type: 'process', ...process } as const]))
    this.#holders = holders
  }

  complete(found: NativeFound, index: number): FoundNamespace {
    const inside = this.#holders ? found.processes.flatMap((pid) => this.#processes.get(pid) ?? []) : []
    const others = this.#holders ? found.holders.map((holder) => holderOf(holder, this.#processes)) : []
    const facts = {
      kind: found.kind,
      id: idOf(found.kind, found.inode),
      uniqueId: found.uniqueId === null ? undefined : BigInt(found.uniqueId),
      owner: found.owner === null ? undefined : idOf('user', found.owner),
      parent: found.parent === null ? undefined : idOf(found.kind, found.parent),
      ownerUid: found.ownerUid ?? undefined,
      holders: [...inside, ...others],
      names: [...netnsNames(others, this.#directory, this.#here), ...this.#containers.namesOf(inside)],
    }
    return new FoundNamespace(facts, this.#native, index)
  }
}

function ownMounts(): string {
  using here = NamespaceSet.current('mnt')
  return here.id()
}
