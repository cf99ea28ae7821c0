import { invalidType } from '../../errors.ts'
import { isOfAnotherCopy, notOurs } from '../../native/copies.ts'
import { netnsDirectory } from '../../netns/netns-directory.ts'
import type { Lazy } from '../../network/netlink/action.ts'
import type { NamespaceSet } from '../../set/namespace-set.ts'
import { sets } from '../../set/set-access.ts'
import { type FieldsOf, parseFields, parseObject } from '../fields.ts'
import { parseNetnsName } from '../netns-name.ts'
import { type Path, parsePath } from '../paths.ts'
import { pid } from '../values.ts'
import { Deferred, type RequestContext } from './slot.ts'

/**
 * A set, or a reference to a network namespace: by its name, its path, or a process or thread in it. A namespace that is opened
 * for a reference is closed again; a set is not closed. References by path or name require that the caller can enter the namespace:
 * root, or the user that created it in the same user namespace. In other cases pass a set that has its `user` namespace.
 */
export type PlainSetRef =
  | NamespaceSet
  | { readonly name: string; readonly directory?: Path | undefined }
  | { readonly path: Path }
  | { readonly pid: number; readonly tid?: number | undefined }

/** A set or a reference, or a function that returns one. The function is called just before the action runs. */
export type SetRef = PlainSetRef | Lazy<PlainSetRef>

/** @internal A checked reference. */
export type KnownSet = { readonly set: NamespaceSet } | { readonly open: () => NamespaceSet; readonly label: string }

class DeferredSet extends Deferred<KnownSet> {
  protected write(set: KnownSet, request: RequestContext): number {
    return request.numberOf(set)
  }
}

/** @internal */
export function parseSetRef(ref: unknown, name: string): Deferred<KnownSet> {
  return new DeferredSet(ref, name, parseKnownSet)
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
    const { name: word, directory = netnsDirectory() } = parseFields(ref, name, BY_NAME, ['name'])
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

/** @internal Describes a set in messages. */
export function describeSet(known: KnownSet): string {
  return 'set' in known ? String(known.set) : known.label
}
