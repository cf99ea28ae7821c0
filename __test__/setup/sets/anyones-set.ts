/** A set that root makes as it is asked for, and an ordinary user with a user namespace beside it. */
import { type NamespaceKind, NamespaceSet, type UnshareSyncOptions } from 'nsset'
import { isRoot } from './privilege.ts'

export function anyonesSet(kinds: readonly NamespaceKind[], options: UnshareSyncOptions = {}): NamespaceSet {
  const all: NamespaceKind[] = isRoot || kinds.includes('user') ? [...kinds] : ['user', ...kinds]
  return NamespaceSet.unshareSync(all, all.includes('user') ? { mapUser: 'root', ...options } : options)
}
