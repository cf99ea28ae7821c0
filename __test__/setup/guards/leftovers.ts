/** What engines leave behind: directories that they make for all of their containers. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupMounts } from '../../../src/containers/cgroups/cgroup-mounts.ts'
import { eventually } from './resources.ts'

/** The cgroups of a name in all hierarchies. */
export async function cgroupsCalled(name: string): Promise<string[]> {
  return (await cgroupMounts('/proc/self/mountinfo')).map((mount) => join(mount, name))
}

/**
 * Notes which of these are there already; the function that comes back removes the others. What has just been killed may
 * hold them for a moment; what somebody else uses by now stays.
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

/** Removes a directory of empty ones, as cgroups are; the files in those go with them. */
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
