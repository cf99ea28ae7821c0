/** The namespaces of the calling thread, from its links in `/proc`. */
import { readlinkSync } from 'node:fs'
import type { NamespaceKind, NamespaceSet } from 'nsset'

/** The kinds that a running thread of Node.js can enter and leave again. */
export const ENTERABLE = ['cgroup', 'ipc', 'net', 'uts'] as const satisfies NamespaceKind[]

export const ALL_KINDS = [
  'cgroup',
  'ipc',
  'mnt',
  'net',
  'pid',
  'time',
  'user',
  'uts',
] as const satisfies NamespaceKind[]

export type Place = { [K in NamespaceKind]?: string }

/** `{ net: 'net:[4026531833]', … }` of the calling thread. */
export function threadPlace(kinds: readonly NamespaceKind[] = ALL_KINDS): Place {
  return Object.fromEntries(kinds.map((kind) => [kind, readlinkSync(`/proc/thread-self/ns/${kind}`)]))
}

/** The same for a set's namespaces. */
export function setPlace(set: NamespaceSet, kinds: readonly NamespaceKind[] = set.kinds): Place {
  return Object.fromEntries(kinds.map((kind) => [kind, set.id(kind)]))
}
