import { containerIdOf } from './cgroups/cgroup-name.ts'
import { findInCgroups, processOfCgroups } from './cgroups/in-cgroups.ts'
import type { Places } from './cgroups/places.ts'
import { askForContainer, type EngineContainer } from './engines/engine-api.ts'
import type { ContainerProcess } from './facts/container-process.ts'
import { failure, notRunning } from './facts/failures.ts'
import { cgroupsOf, readProcess } from './facts/process-facts.ts'

/**
 * @internal Returns the first process of a container, as its engine reports it; undefined if the engine's report has changed.
 * The engine may run on another machine or in another pid namespace, so its pid is not trusted alone. The process has to be in
 * a cgroup of this id. If there is no such cgroup, the engine has to report the container as running, and the process has to
 * be pid 1 of an inner pid namespace.
 */
export async function processOfEngine(
  reference: string,
  container: EngineContainer,
  places: Places,
  signal: AbortSignal | undefined,
): Promise<ContainerProcess | undefined> {
  const { proc } = places
  const { id, pid, engine } = container
  const before = await readProcess(proc, pid)
  const ids = await containersOf(proc, pid)
  const isSame = async () => (await readProcess(proc, pid))?.startTime === before?.startTime
  if (before !== undefined && ids.has(id)) {
    return { pid, isStill: async () => (await isSame()) && (await containersOf(proc, pid)).has(id) }
  }
  const [inCgroups] = (await findInCgroups(places, id, signal)).containers
  if (inCgroups !== undefined && inCgroups.processes.length > 0) return processOfCgroups(id, inCgroups, proc)
  // The pid of a container that has ended may have been reused.
  if (!container.isRunning) throw notRunning(reference, `${engine.name} reports it as ${container.status}`)
  const isPidOfEngine = async () => (await askForContainer(engine, id, places.timeLimit, signal))[0]?.pid === pid
  if (!(await isPidOfEngine())) return undefined
  if (before?.isInit && before.isInner && ids.size === 0 && 'socketPath' in engine.address) {
    return { pid, isStill: async () => (await isSame()) && (await isPidOfEngine()) }
  }
  const hint = 'does the engine run on another machine, or in another pid namespace?'
  const message = `${engine.name} reports process ${pid} for container ${id}, but that is another process here: ${hint}`
  throw failure('ESRCH', message, { pid })
}

/** Returns the ids of the containers in whose cgroups a process is. */
async function containersOf(proc: string, pid: number): Promise<Set<string>> {
  const paths = (await cgroupsOf(proc, pid)) ?? []
  return new Set(paths.flatMap((path) => path.split('/').map(containerIdOf)).filter((id) => id !== undefined))
}
