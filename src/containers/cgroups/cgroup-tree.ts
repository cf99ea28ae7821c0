import type { Dirent } from 'node:fs'
import { isPrefixForCgroups, isWholeId } from '../../validate/container-reference.ts'
import { readText } from '../facts/process-facts.ts'
import { containerIdOf, isApart, isNamedFor } from './cgroup-name.ts'

/** @internal A cgroup that bears a container's id. */
export interface ContainerCgroup {
  id: string
  directory: string
  /**
   * Why it is not believed: everybody may make cgroups of any name below one that was delegated to them, and put a process
   * of their own there, for others to enter. Root's are believed, and the caller's.
   */
  doubt: string | undefined
}

/** @internal All cgroups whose container may be meant, in all hierarchies. Never goes where the reference says. */
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
      if (isMeant(name, id, reference)) {
        found.push({
          id: id ?? reference,
          directory,
          doubt: next.isNested ? 'is inside of another container' : await doubtOf(directory),
        })
      }
      pending.push({ directory, isNested: next.isNested || id !== undefined })
    }
  }
  return found
}

/** @internal The processes in a container's cgroup and those below it, without those of other containers. */
export async function membersOf(directory: string, signal?: AbortSignal): Promise<number[]> {
  const members: number[] = []
  const pending = [directory]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    signal?.throwIfAborted()
    members.push(...(await ownMembersOf(next)))
    const below = (await cgroupsIn(next)).filter((name) => !isApart(name))
    pending.push(...below.map((name) => `${next}/${name}`))
  }
  return members
}

/** @internal The processes in a cgroup itself; those of outer pid namespaces read 0, and are left out. */
export async function ownMembersOf(directory: string): Promise<number[]> {
  const text = await readText(`${directory}/cgroup.procs`)
  return (text ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
}

function isMeant(name: string, id: string | undefined, reference: string): boolean {
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
    return 'cannot be looked at'
  }
}

/** Cgroups come and go; one that is gone has nothing in it. */
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
