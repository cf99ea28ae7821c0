import type { NamespaceSet } from '../set/namespace-set.ts'

const names = new WeakMap<NamespaceSet, string>()

/** @internal Remembers the name by which a set was opened. */
export function rememberNetnsName(set: NamespaceSet, name: string): NamespaceSet {
  names.set(set, name)
  return set
}

/** @internal Returns the name by which a set was opened, if there is one. */
export function netnsNameOf(set: NamespaceSet): string | undefined {
  return names.get(set)
}
