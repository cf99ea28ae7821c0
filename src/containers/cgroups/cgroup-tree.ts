import type { Dirent } from 'node:fs'
import { isPrefixForCgroups, isWholeId } from '../../validate/container-reference.ts'
import { readText } from '../facts/process-facts.ts'
import { containerIdOf, isNamedFor, isSeparate } from './cgroup-name.ts'

/** @internal A cgroup that is named for a container. */
export interface ContainerCgroup {
  id: string
  directory: string
  /**
   * Why its name is not trusted. Any user may create cgroups of any name below one that was delegated to them, and put
   * their own process there, to make others enter its namespaces. Cgroups of root and of the caller are trusted.
   */
  doubt: string | undefined
}

/** @internal Returns all cgroups in all hierarchies that match the reference. Never uses the reference as a path. */
export async function findCgroups(
  hierarchies: readonly string[],
  reference: string,
  signal?: AbortSignal,
): Promise<ContainerCgroup[]> {
  const found: ContainerCgroup[] = []
  const pending = hierarchies.map((directory) => ({ directory, isNested: false }))
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    signal?.throwIfAborted()
    for (const name of await cgroupsIn(next.directory)) {
      const directory = `${next.directory}/${name}`
      const id = containerIdOf(name)
      if (matches(name, id, reference)) {
        found.push({
          id: id ?? reference,
          directory,
          doubt: next.isNested ? 'is inside another container' : await doubtOf(directory),
        })
      }
      pending.push({ directory, isNested: next.isNested || id !== undefined })
    }
  }
  return found
}

/** @internal Returns the processes in a container's cgroup and in those below it, except those of other containers. */
export async function membersOf(directory: string, signal?: AbortSignal): Promise<number[]> {
  const members: number[] = []
  const pending = [directory]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    signal?.throwIfAborted()
    members.push(...(await ownMembersOf(next)))
    const below = (await cgroupsIn(next)).filter((name) => !isSeparate(name))
    pending.push(...below.map((name) => `${next}/${name}`))
  }
  return members
}

/** @internal Returns the processes directly in a cgroup. Those outside of this pid namespace read as 0 and are skipped. */
export async function ownMembersOf(directory: string): Promise<number[]> {
  const text = await readText(`${directory}/cgroup.procs`)
  return (text ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
}

function matches(name: string, id: string | undefined, reference: string): boolean {
  if (isWholeId(reference)) return id === reference
  if (id !== undefined) return isPrefixForCgroups(reference) && id.startsWith(reference)
  return isNamedFor(name, reference)
}

async function doubtOf(directory: string): Promise<string | undefined> {
  const { stat } = process.getBuiltinModule('node:fs/promises')
  try {
    const { uid } = await stat(directory)
    return uid === 0 || uid === process.geteuid?.() ? undefined : `belongs to uid ${uid}`
  } catch {
    return 'cannot be inspected'
  }
}

/** Returns the names of the cgroups below; none if the cgroup has been removed meanwhile. */
async function cgroupsIn(directory: string): Promise<string[]> {
  const { readdir } = process.getBuiltinModule('node:fs/promises')
  let entries: Dirent[]
  try {
    entries = await readdir(directory, { withFileTypes: true })
  } catch {
    return []
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
