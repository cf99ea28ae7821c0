import { invalidType, invalidValue } from '../errors.ts'
import { controlGroupHandleOf, isControlGroup } from '../objects/control-group-handle.ts'
import { isOfAnotherCopy, notOurs } from '../objects/copies.ts'

/** A path as in Node's `fs`: a string, a Buffer, or a `file:` URL. */
export type Path = string | Buffer | URL

/** @internal Returns whether a value has the type of a path. */
export function isPath(value: unknown): value is Path {
  return typeof value === 'string' || Buffer.isBuffer(value) || value instanceof URL
}

/** @internal Returns the path as the native side takes it. */
export function parsePath(path: unknown, name: string): string | Buffer {
  if (path instanceof URL && path.protocol !== 'file:') throw invalidValue(name, 'must be a file: URL', path.href)
  const parsed = path instanceof URL ? process.getBuiltinModule('node:url').fileURLToPath(path) : path
  if (typeof parsed !== 'string' && !Buffer.isBuffer(parsed)) {
    throw invalidType(name, 'a string, a Buffer or a file: URL', path)
  }
  if (parsed.includes('\0')) throw invalidValue(name, 'must not contain a NUL byte', String(parsed))
  if (parsed.length === 0) throw invalidValue(name, 'must not be empty', '')
  return parsed
}

/** @internal Returns the directory of a control group, given as an object or by its path. */
export function parseControlGroup(group: unknown, name: string): string | Buffer {
  if (isControlGroup(group)) return controlGroupHandleOf(group).open()
  if (isPath(group)) return parsePath(group, name)
  const expected = 'a ControlGroup, or its path as a string, a Buffer or a file: URL'
  throw isOfAnotherCopy(group) ? notOurs(name, expected, group, 'group.path') : invalidType(name, expected, group)
}
