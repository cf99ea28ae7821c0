/** What engines leave behind: directories that they make for all of their containers, and mounts. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupMounts } from '../../src/containers/cgroup-mounts.ts'
import { mountsBelow } from './mounts.ts'

/** The cgroups of a name in all hierarchies. */
export async function cgroupsCalled(name: string): Promise<string[]> {
  return (await cgroupMounts('/proc/self/mountinfo')).map((mount) => join(mount, name))
}

/** Notes which of these are there already; the function that comes back removes the others, once they are empty. */
export function watchDirectories(...paths: string[]): () => void {
  const missing = paths.filter((path) => !existsSync(path))
  return () => {
    for (const path of missing) if (existsSync(path)) removeEmpty(path)
  }
}

/** Removes a directory with all that is in it, mounts included. */
export function removeWithMounts(directory: string): void {
  for (const { target } of mountsBelow(directory).reverse()) execFileSync('umount', [target], { timeout: 10_000 })
  rmSync(directory, { recursive: true, force: true })
}

function removeEmpty(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(path, entry.name))
  }
  try {
    rmdirSync(path)
  } catch {
    // It is somebody else's by now.
  }
}
