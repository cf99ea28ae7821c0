import type { NativeNamespaces } from '../../index.js'
import type { NamespaceKind } from '../namespace-kind.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { netns } from '../netns/netns.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import { type NamespacesOptions, parseNamespacesOptions } from '../validate/discovery/namespaces-options.ts'
import { flagOf } from '../validate/kinds.ts'
import { FoundNamespace } from './found-namespace.ts'
import { holderOf, idOf, type NativeHolder, namesOf, type ProcessHolder } from './holders.ts'
import { type NativeReason, reasonOf } from './incomplete.ts'
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

interface NativeDiscovery {
  namespaces: NativeFound[]
  processes: Omit<ProcessHolder, 'type'>[]
  incomplete: NativeReason[]
}

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
  const found = JSON.parse(native.takeText()) as NativeDiscovery
  return new NamespaceList(namespacesOf(found, native, kinds, holders), found.incomplete.map(reasonOf))
}

function namespacesOf(
  found: NativeDiscovery,
  native: NativeNamespaces,
  kinds: number,
  holders: boolean,
): FoundNamespace[] {
  const processes = new Map(found.processes.map((process) => [process.pid, { type: 'process', ...process } as const]))
  const [directory, here] = [netns.directory, ownMounts()]
  return found.namespaces.flatMap((each, index) => {
    if (kinds !== 0 && (flagOf(each.kind) & kinds) === 0) return []
    const inside = holders ? each.processes.flatMap((pid) => processes.get(pid) ?? []) : []
    const others = holders ? each.holders.map((holder) => holderOf(holder, processes)) : []
    const facts = {
      kind: each.kind,
      id: idOf(each.kind, each.inode),
      uniqueId: each.uniqueId === null ? undefined : BigInt(each.uniqueId),
      owner: each.owner === null ? undefined : idOf('user', each.owner),
      parent: each.parent === null ? undefined : idOf(each.kind, each.parent),
      ownerUid: each.ownerUid ?? undefined,
      holders: [...inside, ...others],
      names: namesOf(inside, others, directory, here),
    }
    return [new FoundNamespace(facts, native, index)]
  })
}

function ownMounts(): string {
  using here = NamespaceSet.current('mnt')
  return here.id()
}
