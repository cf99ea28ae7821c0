import { invalidType, misuse } from './errors.ts'

/** On the prototype of each copy's class: where that copy was loaded from. */
const ORIGIN = Symbol.for('nsset.origin')

/** @internal Lets other copies of this package know the class. */
export function sign(Class: { prototype: object }): void {
  Object.defineProperty(Class.prototype, ORIGIN, { value: import.meta.url ?? 'a bundle' })
}

/** @internal For a value that is none of ours. */
export function isOfAnotherCopy(value: unknown): boolean {
  return typeof (value as { [ORIGIN]?: unknown } | null | undefined)?.[ORIGIN] === 'string'
}

/** @internal The error for what is none of ours: something else, or what another copy of this package has made. */
export function notOurs(name: string, expected: string, value: unknown): Error {
  const origin = (value as { [ORIGIN]?: unknown } | null | undefined)?.[ORIGIN]
  if (typeof origin !== 'string') return invalidType(name, expected, value)
  const message =
    `The "${name}" argument belongs to another copy of nsset (${origin}; this one is ${import.meta.url ?? 'a bundle'}): ` +
    'copies share nothing. Let the program have one (npm ls nsset), or hand over set.path(kind) and use fromPath()'
  return misuse('ERR_NSSET_OTHER_COPY', message)
}
