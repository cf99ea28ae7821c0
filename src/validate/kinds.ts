import { invalidType, invalidValue } from '../errors.ts'
import { type NamespaceKind, NS } from '../namespace-kind.ts'
import { meant } from './nearest.ts'

const FLAGS = new Map<string, number>(Object.entries(NS).map(([name, flag]) => [name.toLowerCase(), flag]))
const NAME_OF = new Map([...FLAGS].map(([name, flag]) => [flag, name as NamespaceKind]))
const NAMES = [...FLAGS.keys()].map((name) => `'${name}'`).join(', ')
const ALL = [...FLAGS.values()].reduce((mask, flag) => mask | flag, 0)

/** @internal Returns the mask of required kinds. */
export function parseKinds(kinds: unknown, name = 'kinds'): number {
  if (typeof kinds === 'string') return flagOf(kinds, name)
  if (typeof kinds === 'number') return parseMask(kinds, name)
  if (!Array.isArray(kinds))
    throw invalidType(name, `a kind of namespace (${NAMES}), an array of them, or a mask`, kinds)
  let mask = 0
  for (const kind of kinds) {
    const flag = flagOf(kind, name)
    if ((mask & flag) !== 0) throw invalidValue(name, 'must not contain a kind twice', kind)
    mask |= flag
  }
  if (mask === 0) throw invalidValue(name, 'must name at least one kind', kinds)
  return mask
}

/** @internal Returns the mask of optional kinds, or 0 without kinds. */
export function parseOptionalKinds(kinds: unknown, name = 'kinds'): number {
  return kinds === undefined ? 0 : parseKinds(kinds, name)
}

/** @internal The same if the mask 0 is allowed, and means all kinds. */
export function parseKindsOrAll(kinds: unknown, name = 'kinds'): number {
  return kinds === 0 ? 0 : parseOptionalKinds(kinds, name)
}

/** @internal Returns the flag of an optional kind, or 0 without one. */
export function parseOptionalKind(kind: unknown, name = 'kind'): number {
  return kind === undefined ? 0 : flagOf(kind, name)
}

/** @internal Returns the names of the kinds in a mask, in the order of `/proc/PID/ns`. */
export function namesOf(mask: number): NamespaceKind[] {
  return [...FLAGS].filter(([, flag]) => (mask & flag) !== 0).map(([name]) => name as NamespaceKind)
}

/** @internal Returns the name of the kind with this flag. */
export function nameOf(flag: number): NamespaceKind {
  return NAME_OF.get(flag) as NamespaceKind
}

/** @internal Returns the flag of a kind, which is a name or a mask of one kind. */
export function flagOf(kind: unknown, name = 'kind'): number {
  if (typeof kind === 'number') {
    const mask = parseMask(kind, name)
    if ((mask & (mask - 1)) !== 0) throw invalidValue(name, 'must be one kind', kind)
    return mask
  }
  if (typeof kind !== 'string') throw invalidType(name, `a kind of namespace: ${NAMES}`, kind)
  const flag = FLAGS.get(kind)
  if (flag === undefined) {
    throw invalidValue(name, `must be a kind of namespace: ${NAMES}${meant(kind, [...FLAGS.keys()])}`, kind)
  }
  return flag
}

function parseMask(mask: number, name: string): number {
  if (!Number.isInteger(mask) || mask <= 0 || mask > 0x7fffffff || (mask & ~ALL) !== 0) {
    throw invalidValue(name, 'must be a mask of NS constants', mask)
  }
  return mask
}
