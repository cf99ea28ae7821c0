import { invalidType, invalidValue } from '../errors.ts'

/** What Docker, Podman and containerd allow in names; it needs no care in a path, where it is one component. */
const FORM = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
/** NAME_MAX of the kernel: a longer one can be no cgroup's. */
const LONGEST = 255

const WHOLE_ID = /^[0-9a-f]{64}$/
const PREFIX = /^[0-9a-f]{1,63}$/
/** Shorter ones are as likely somebody's name; engines, which know their names, answer them all the same. */
const SHORTEST_PREFIX_OF_CGROUP = 6

/** @internal A container's name or id, or the start of an id. */
export function parseReference(idOrName: unknown): string {
  if (typeof idOrName !== 'string') throw invalidType('idOrName', 'a string', idOrName)
  if (idOrName.length > LONGEST) throw invalidValue('idOrName', `must not be longer than ${LONGEST}`, idOrName)
  if (FORM.test(idOrName)) return idOrName
  throw invalidValue('idOrName', "must be a container's id or name: letters, digits, and later also _ . -", idOrName)
}

/** @internal All 64 digits. */
export function isWholeId(text: string): boolean {
  return WHOLE_ID.test(text)
}

/** @internal Whether an id could begin so. */
export function isPrefix(text: string): boolean {
  return PREFIX.test(text)
}

/** @internal Whether it says enough to be looked for among the ids of cgroups. */
export function isPrefixForCgroups(text: string): boolean {
  return isPrefix(text) && text.length >= SHORTEST_PREFIX_OF_CGROUP
}
