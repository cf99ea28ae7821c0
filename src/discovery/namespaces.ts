import type { NativeNamespaces } from '../../index.js'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { type NamespacesOptions, parseNamespacesOptions } from '../validate/discovery/namespaces-options.ts'
import { flagOf } from '../validate/kinds.ts'
import { FoundNamespace, type NativeFacts } from './found-namespace.ts'
import { HolderTable } from './holder-table.ts'
import { type NativeReason, reasonOf } from './incomplete.ts'
import { NamespaceList } from './namespace-list.ts'

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
  const incomplete = JSON.parse(native.nextPart() ?? '[]') as NativeReason[]
  const found = await read(native, new HolderTable(native, holders))
  // The search also reads mount namespaces, for what is mounted in them, and owners.
  const isWanted = ({ kind }: FoundNamespace) => kinds === 0 || (flagOf(kind) & kinds) !== 0
  return new NamespaceList(found.filter(isWanted), incomplete.map(reasonOf))
}

/** Reads one part in each turn of the event loop, which would otherwise wait for thousands of namespaces. */
async function read(native: NativeNamespaces, table: HolderTable): Promise<FoundNamespace[]> {
  const found: FoundNamespace[] = []
  for (let part = native.nextPart(); part !== null; part = native.nextPart()) {
    for (const facts of JSON.parse(part) as NativeFacts[]) found.push(new FoundNamespace(facts, table, found.length))
    await new Promise((resolve) => setImmediate(resolve))
  }
  return found
}
