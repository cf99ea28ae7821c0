/** What engines leave behind: directories that they create for all of their containers. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupMounts } from '../../../src/containers/cgroups/cgroup-mounts.ts'
import { eventually } from './resources.ts'

/** The cgroups with a name in all hierarchies. */
export async function cgroupsCalled(name: string): Promise<string[]> {
  return (await cgroupMounts('/proc/self/mountinfo')).map((mount) => join(mount, name))
}

/**
 * Records which of these exist; the returned function removes the others. Killed processes may hold
 * them for a moment; those in use by other programs stay.
 */
export function watchDirectories(...paths: string[]): () => Promise<void> {
  const missing = paths.filter((path) => !existsSync(path))
  return async () => {
    await eventually(
      () => missing.filter((path) => !isRemoved(path)),
      (left) => left.length === 0,
      3_000,
    )
  }
}

/** Removes a directory of empty ones, such as cgroups; the files in those are removed with them. */
function isRemoved(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) isRemoved(join(path, entry.name))
    }
    rmdirSync(path)
  } catch {
    // It is in use, or gone.
  }
  return !existsSync(path)
}
