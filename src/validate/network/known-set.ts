import { invalidType } from '../../errors.ts'
import type { AnySet } from '../../objects/context.ts'
import { isOfAnotherCopy, notOurs } from '../../objects/copies.ts'
import { handleOf, isSet, type SetHandle } from '../../objects/set-handle.ts'
import { type FieldsOf, parseFields, parseObject } from '../fields.ts'
import { parseNetnsName } from '../netns-name.ts'
import { type Path, parsePath } from '../paths.ts'
import { pid } from '../values.ts'

/**
 * A set, or a reference to a network namespace: by its name, its path, or a process or thread in it. A namespace that is opened
 * for a reference is closed again; a set is not closed. References by path or name require that the caller can enter the namespace:
 * root, or the user that created it in the same user namespace. In other cases pass a set that has its `user` namespace.
 */
export type PlainSetRef =
  | AnySet
  | { readonly name: string; readonly directory?: Path | undefined }
  | { readonly path: Path }
  | { readonly pid: number; readonly tid?: number | undefined }

/** @internal A checked reference. */
export type KnownSet =
  | { readonly set: SetHandle }
  | { readonly name: string; readonly directory: string | Buffer | undefined }
  | { readonly path: string | Buffer }
  | { readonly pid: number; readonly tid: number | undefined }

type RefBy<K extends string> = Extract<PlainSetRef, { readonly [_ in K]: Path | number }>

const BY_NAME = { name: parseNetnsName, directory: parsePath } satisfies FieldsOf<RefBy<'name'>>
const BY_PATH = { path: parsePath } satisfies FieldsOf<RefBy<'path'>>
const BY_PROCESS = { pid, tid: pid } satisfies FieldsOf<RefBy<'pid'>>

/** @internal */
export function parseKnownSet(ref: unknown, name: string): KnownSet {
  if (isSet(ref)) return { set: handleOf(ref) }
  if (isOfAnotherCopy(ref)) throw notOurs(name, 'a NamespaceSet', ref)
  const given = parseObject(ref, name)
  if (given['name'] !== undefined) {
    const { name: word, directory } = parseFields(ref, name, BY_NAME, ['name'])
    return { name: word, directory }
  }
  if (given['path'] !== undefined) return parseFields(ref, name, BY_PATH, ['path'])
  if (given['pid'] !== undefined) {
    const { pid, tid } = parseFields(ref, name, BY_PROCESS, ['pid'])
    return { pid, tid }
  }
  throw invalidType(name, 'a NamespaceSet, or an object with a name, a path or a pid', ref)
}

/** @internal Describes a set in messages. */
export function describeSet(known: KnownSet): string {
  if ('set' in known) return String(known.set)
  if ('name' in known) return known.name
  return 'path' in known ? String(known.path) : `pid ${known.pid}`
}
