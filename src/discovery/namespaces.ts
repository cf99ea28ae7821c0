import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { type NamespacesOptions, parseNamespacesOptions } from '../validate/discovery/namespaces-options.ts'
import { FactTable } from './fact-table.ts'
import { FoundNamespace } from './found-namespace.ts'
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
  const incomplete = JSON.parse(native.incomplete()) as NativeReason[]
  const [facts, table] = [new FactTable(native.facts()), new HolderTable(native, holders)]
  const found: FoundNamespace[] = []
  for (let index = 0; index < facts.length; index++) {
    // The search also reads mount namespaces, for what is mounted in them, and owners.
    const isWanted = kinds === 0 || (facts.flag(index) & kinds) !== 0
    if (isWanted) found.push(new FoundNamespace(facts, table, index))
  }
  return new NamespaceList(found, incomplete.map(reasonOf))
}
