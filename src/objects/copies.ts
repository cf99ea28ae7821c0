import { invalidType, misuse } from '../errors.ts'

/** A property of the prototype of each copy's classes: where that copy was loaded from. */
const ORIGIN = Symbol.for('nsset.origin')

/** @internal Lets other copies of this package know the class. */
export function sign(Class: { prototype: object }): void {
  Object.defineProperty(Class.prototype, ORIGIN, { value: import.meta.url ?? 'a bundle' })
}

/** The names of the classes that version 0.1 does not sign. */
const UNSIGNED = new Set(['NamespaceSet', 'Action'])

/** Returns where the copy of nsset was loaded from that created a value. */
function originOf(value: unknown): string | undefined {
  const { [ORIGIN]: origin, constructor: Class } = (value ?? {}) as { [ORIGIN]?: unknown; constructor?: unknown }
  if (typeof origin === 'string') return origin
  return typeof Class === 'function' && UNSIGNED.has(Class.name) ? 'an older version' : undefined
}

/** @internal Returns whether another copy of this package created a value that is not of this copy's classes. */
export function isOfAnotherCopy(value: unknown): boolean {
  return originOf(value) !== undefined
}

const PATH_OF_SET = 'set.path(kind) and use fromPath()'

/**
 * @internal The error for a value that is not of this copy's classes: of another type, or of another copy of this package.
 * `instead` is what to pass between copies.
 */
export function notOurs(name: string, expected: string, value: unknown, instead = PATH_OF_SET): Error {
  const origin = originOf(value)
  if (origin === undefined) return invalidType(name, expected, value)
  const message =
    `The "${name}" argument belongs to another copy of nsset (${origin}; this one is ${import.meta.url ?? 'a bundle'}): ` +
    `copies share nothing. Install a single copy (npm ls nsset), or pass ${instead}`
  return misuse('ERR_NSSET_OTHER_COPY', message)
}
