import { invalidValue } from '../../errors.ts'
import type { NamespaceKind } from '../../namespace-kind.ts'
import type { AnySet } from '../../objects/context.ts'
import { notOurs } from '../../objects/copies.ts'
import { isSet } from '../../objects/set-handle.ts'
import { type Parse, parseFields } from '../fields.ts'
import { flagOf } from '../kinds.ts'

/** A set for each kind: the new set gets the namespace of that kind from it. */
export type Composition<S = AnySet> = { readonly [K in NamespaceKind]?: S | undefined }

const set: Parse<AnySet> = (value, name) => {
  if (!isSet(value)) throw notOurs(name, 'a NamespaceSet', value)
  return value
}

const PARTS = { cgroup: set, ipc: set, mnt: set, net: set, pid: set, time: set, user: set, uts: set } satisfies Record<
  NamespaceKind,
  Parse
>

type Part = [flag: number, set: AnySet]

/** @internal Returns the sets with the flag of the kind that is taken from each; at least one. */
export function parseComposition(parts: unknown): [Part, ...Part[]] {
  const parsed = Object.entries(parseFields(parts, 'parts', PARTS)) as [NamespaceKind, AnySet][]
  const [first, ...others] = parsed.map(([kind, each]): Part => [flagOf(kind), each])
  if (first === undefined) throw invalidValue('parts', 'must have a set for at least one kind', parts)
  return [first, ...others]
}
