import { invalidType, invalidValue } from '../errors.ts'

/** The names that Docker, Podman and containerd allow. They are safe as one component of a path. */
const FORM = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
/** NAME_MAX of the kernel. No cgroup has a longer name. */
const LONGEST = 255

const WHOLE_ID = /^[0-9a-f]{64}$/
const PREFIX = /^[0-9a-f]{1,63}$/
/** A shorter prefix is likely to match by chance. Engines, which also know names, accept shorter ones. */
const SHORTEST_PREFIX_OF_CGROUP = 6

/** @internal Parses a container's name, id, or prefix of its id. */
export function parseReference(idOrName: unknown): string {
  if (typeof idOrName !== 'string') throw invalidType('idOrName', 'a string', idOrName)
  if (idOrName.length > LONGEST) throw invalidValue('idOrName', `must not be longer than ${LONGEST}`, idOrName)
  if (FORM.test(idOrName)) return idOrName
  throw invalidValue(
    'idOrName',
    "must be a container's id or name: letters, digits, and after the first also _ . -",
    idOrName,
  )
}

/** @internal Whether the text is an id of 64 hexadecimal digits. */
export function isWholeId(text: string): boolean {
  return WHOLE_ID.test(text)
}

/** @internal Whether the text can be the beginning of an id. */
export function isPrefix(text: string): boolean {
  return PREFIX.test(text)
}

/** @internal Whether the text is long enough to be searched for among the ids of cgroups. */
export function isPrefixForCgroups(text: string): boolean {
  return isPrefix(text) && text.length >= SHORTEST_PREFIX_OF_CGROUP
}
