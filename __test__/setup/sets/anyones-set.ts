/** A set that any user can create: for root as requested, for an ordinary user with a user namespace in addition. */
import { type NamespaceKind, NamespaceSet, type UnshareSyncOptions } from 'nsset'
import { isRoot } from './privilege.ts'

export function anyonesSet(kinds: readonly NamespaceKind[], options: UnshareSyncOptions = {}): NamespaceSet {
  const all: NamespaceKind[] = isRoot || kinds.includes('user') ? [...kinds] : ['user', ...kinds]
  return NamespaceSet.unshareSync(all, all.includes('user') ? { mapUser: 'root', ...options } : options)
}
