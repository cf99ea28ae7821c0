import { invalidType, misuse } from '../errors.ts'

/** On the prototype of each copy's class: where that copy was loaded from. */
const ORIGIN = Symbol.for('nsset.origin')

/** @internal Lets other copies of this package know the class. */
export function sign(Class: { prototype: object }): void {
  Object.defineProperty(Class.prototype, ORIGIN, { value: import.meta.url ?? 'a bundle' })
}

/** What the classes are called that version 0.1 does not sign. */
const UNSIGNED = new Set(['NamespaceSet', 'Action'])

/** Where another copy was loaded from whose class a value is of. */
function originOf(value: unknown): string | undefined {
  const { [ORIGIN]: origin, constructor: Class } = (value ?? {}) as { [ORIGIN]?: unknown; constructor?: unknown }
  if (typeof origin === 'string') return origin
  return typeof Class === 'function' && UNSIGNED.has(Class.name) ? 'an older version' : undefined
}

/** @internal For a value that is none of ours. */
export function isOfAnotherCopy(value: unknown): boolean {
  return originOf(value) !== undefined
}

/** @internal The error for what is none of ours: something else, or what another copy of this package has made. */
export function notOurs(name: string, expected: string, value: unknown): Error {
  const origin = originOf(value)
  if (origin === undefined) return invalidType(name, expected, value)
  const message =
    `The "${name}" argument belongs to another copy of nsset (${origin}; this one is ${import.meta.url ?? 'a bundle'}): ` +
    'copies share nothing. Let the program have one (npm ls nsset), or hand over set.path(kind) and use fromPath()'
  return misuse('ERR_NSSET_OTHER_COPY', message)
}
