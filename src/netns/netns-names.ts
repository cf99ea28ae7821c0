import type { NamespaceSet } from '../set/namespace-set.ts'

const names = new WeakMap<NamespaceSet, string>()

/** @internal Remembers by which name a set was opened. */
export function rememberNetnsName(set: NamespaceSet, name: string): NamespaceSet {
  names.set(set, name)
  return set
}

/** @internal The name by which a set was opened, if it was. */
export function netnsNameOf(set: NamespaceSet): string | undefined {
  return names.get(set)
}
