import { invalidType, invalidValue } from '../../errors.ts'
import type { NamespaceKind } from '../../namespace-kind.ts'
import { type FieldsOf, parseFields } from '../fields.ts'
import { flagOf } from '../kinds.ts'
import { type Path, parsePath } from '../paths.ts'

/** The file on which to mount the namespace of each kind. */
export type MountTargets = { [K in NamespaceKind]?: Path | undefined }

const TARGETS = {
  cgroup: parsePath,
  ipc: parsePath,
  mnt: parsePath,
  net: parsePath,
  pid: parsePath,
  time: parsePath,
  user: parsePath,
  uts: parsePath,
} satisfies FieldsOf<MountTargets>

/** @internal Returns pairs of a kind's flag and its file. */
export function parseTargets(targets: unknown): [number, string | Buffer][] {
  if (typeof targets !== 'object' || targets === null || Array.isArray(targets)) {
    throw invalidType('target', 'a directory, or an object with a file for each kind', targets)
  }
  const given = Object.entries(parseFields(targets, 'target', TARGETS))
  if (given.length === 0) throw invalidValue('target', 'must name a file for at least one kind', targets)
  return given.map(([kind, file]) => [flagOf(kind), file])
}
