import { invalidType } from '../../errors.ts'
import { isOfAnotherCopy, notOurs } from '../../native/copies.ts'
import type { Later } from '../../network/netlink/action.ts'
import type { NamespaceSet } from '../../set/namespace-set.ts'
import { sets } from '../../set/set-access.ts'
import { type FieldsOf, parseFields, parseObject } from '../fields.ts'
import { parseNetnsName } from '../netns-name.ts'
import { type Path, parsePath } from '../paths.ts'
import { pid } from '../values.ts'
import { type Cargo, Slot } from './slot.ts'

/**
 * A set, or where to find a network namespace: by its name, its path, or a process or thread that is in it. What is opened
 * for it is closed again; a set never is. By path or name it takes who may enter it as it is: root, or who made it in the same
 * user namespace; others give a set that has its `user`.
 */
export type PlainSetRef =
  | NamespaceSet
  | { readonly name: string; readonly directory?: Path | undefined }
  | { readonly path: Path }
  | { readonly pid: number; readonly tid?: number | undefined }

/** A set, or a function of the action's context that says which when its turn comes. */
export type SetRef = PlainSetRef | Later<PlainSetRef>

/** @internal A reference that was checked. */
export type KnownSet = { readonly set: NamespaceSet } | { readonly open: () => NamespaceSet; readonly label: string }

class SetSlot extends Slot<KnownSet> {
  protected write(set: KnownSet, cargo: Cargo): number {
    return cargo.numberOf(set)
  }
}

/** @internal */
export function parseSetRef(ref: unknown, name: string): Slot<KnownSet> {
  return new SetSlot(ref, name, parseKnownSet)
}

type RefBy<K extends string> = Extract<PlainSetRef, { readonly [_ in K]: Path | number }>

const BY_NAME = { name: parseNetnsName, directory: parsePath } satisfies FieldsOf<RefBy<'name'>>
const BY_PATH = { path: parsePath } satisfies FieldsOf<RefBy<'path'>>
const BY_PROCESS = { pid, tid: pid } satisfies FieldsOf<RefBy<'pid'>>

/** @internal */
export function parseKnownSet(ref: unknown, name: string): KnownSet {
  if (sets.isSet(ref)) return { set: ref }
  if (isOfAnotherCopy(ref)) throw notOurs(name, 'a NamespaceSet', ref)
  const given = parseObject(ref, name)
  if (given['name'] !== undefined) {
    const { name: word, directory } = parseFields(ref, name, BY_NAME, ['name'])
    return { open: () => sets.byName(word, directory), label: word }
  }
  if (given['path'] !== undefined) {
    const { path } = parseFields(ref, name, BY_PATH, ['path'])
    return { open: () => sets.byPath(path), label: String(path) }
  }
  if (given['pid'] !== undefined) {
    const { pid, tid } = parseFields(ref, name, BY_PROCESS, ['pid'])
    return { open: () => sets.byProcess(pid, tid), label: `pid ${pid}` }
  }
  throw invalidType(name, 'a NamespaceSet, or an object with a name, a path or a pid', ref)
}

/** @internal For people. */
export function describeSet(known: KnownSet): string {
  return 'set' in known ? String(known.set) : known.label
}
