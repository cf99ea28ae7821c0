/** nsenter(1) as an oracle for the path of a namespace. */
import { execFileSync } from 'node:child_process'
import type { NamespaceSet } from 'nsset'

/**
 * Runs a program in the namespaces that nsenter(1) finds at the set's paths. With a user namespace an ordinary user may
 * do so, too: it keeps its own ids, which are mapped there.
 */
export function nsenter(set: NamespaceSet, ...command: string[]): string {
  const flags = set.kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=${set.path(kind)}`)
  if (set.has('user')) flags.push('--preserve-credentials')
  return execFileSync('nsenter', [...flags, ...command], { encoding: 'utf8', timeout: 10_000 }).trim()
}
