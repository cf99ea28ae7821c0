import { isWholeId } from '../../validate/container-reference.ts'
import type { ContainerProcess } from '../facts/container-process.ts'
import { ambiguous, notRunning } from '../facts/failures.ts'
import { firstOf } from '../facts/first-process.ts'
import { type ProcessFacts, readProcess } from '../facts/process-facts.ts'
import { type ContainerCgroup, findCgroups, membersOf, ownMembersOf } from './cgroup-tree.ts'
import { hierarchiesOf, type Places } from './places.ts'

/** @internal A container, as found by its cgroups. */
export interface CgroupContainer {
  id: string
  directories: string[]
  /** Empty if the container has no processes. Several if cgroups of different containers have the same id. */
  processes: { first: ProcessFacts; directory: string }[]
}

/** @internal The result of a search in the cgroups. */
export interface CgroupsFound {
  /** The containers that match. */
  containers: CgroupContainer[]
  /** Cgroups with a whole id that matches, whose names are not trusted. */
  doubtful: ContainerCgroup[]
}

/** @internal Searches the cgroups for matching containers. */
export async function findInCgroups(places: Places, reference: string, signal?: AbortSignal): Promise<CgroupsFound> {
  const cgroups = await findCgroups(await hierarchiesOf(places), reference, signal)
  const believed = cgroups.filter(({ doubt }) => doubt === undefined)
  const doubtful = cgroups.filter(({ doubt, id }) => doubt !== undefined && isWholeId(id))
  return { containers: await containersOf(places, reference, believed, signal), doubtful }
}

async function containersOf(
  places: Places,
  reference: string,
  cgroups: readonly ContainerCgroup[],
  signal: AbortSignal | undefined,
): Promise<CgroupContainer[]> {
  const known = new Map<number, ProcessFacts | undefined>()
  const containers: CgroupContainer[] = []
  for (const id of new Set(cgroups.map((cgroup) => cgroup.id))) {
    const own = cgroups.filter((cgroup) => cgroup.id === id)
    containers.push(await containerOf(places.proc, id, own, known, signal))
  }
  // A cgroup whose name is not an id counts only if processes of a container are in it.
  const possible = containers.filter(({ id, processes }) => isWholeId(id) || processes.length > 0)
  const exact = possible.filter(({ id }) => id === reference)
  const running = possible.filter(({ processes }) => processes.length > 0)
  return exact.length > 0 ? exact : running.length > 0 ? running : possible
}

/** @internal Returns the process whose namespaces to open. */
export function processOfCgroups(reference: string, container: CgroupContainer, proc: string): ContainerProcess {
  const { processes, directories } = container
  const [found] = processes
  if (found === undefined)
    throw notRunning(reference, `no process visible from this pid namespace is in ${directories[0]}`)
  if (processes.length > 1) {
    const all = processes.map(({ first, directory }) => `process ${first.pid} of ${directory}`)
    throw ambiguous(reference, all)
  }
  const { first, directory } = found
  return {
    pid: first.pid,
    isStill: async () =>
      (await readProcess(proc, first.pid))?.startTime === first.startTime &&
      (await membersOf(directory)).includes(first.pid),
  }
}

async function containerOf(
  proc: string,
  id: string,
  cgroups: readonly ContainerCgroup[],
  known: Map<number, ProcessFacts | undefined>,
  signal: AbortSignal | undefined,
): Promise<CgroupContainer> {
  const container: CgroupContainer = { id, directories: cgroups.map(({ directory }) => directory), processes: [] }
  for (const { directory } of cgroups) {
    const members = await membersOf(directory, signal)
    for (const pid of members) {
      signal?.throwIfAborted()
      if (!known.has(pid)) known.set(pid, await readProcess(proc, pid))
    }
    const first = firstOf(members.map((pid) => known.get(pid)).filter((process) => process !== undefined))
    if (first === undefined || container.processes.some((other) => other.first.pid === first.pid)) continue
    if (isWholeId(id) || (await isContainers(proc, first.pid, directory))) {
      container.processes.push({ first, directory })
    }
  }
  return container
}

/**
 * Services and sessions of this system have cgroups of arbitrary names, too. They share the mount namespace of the system,
 * which a container never does. A cgroup that only contains other cgroups is not a container either.
 */
async function isContainers(proc: string, pid: number, directory: string): Promise<boolean> {
  if ((await ownMembersOf(directory)).length === 0) return false
  const { readlink } = process.getBuiltinModule('node:fs/promises')
  try {
    return (await readlink(`${proc}/${pid}/ns/mnt`)) !== (await readlink(`${proc}/self/ns/mnt`))
  } catch {
    // The caller may not read the link. Opening the namespace then fails with the right error.
    return true
  }
}
