import { NamespaceError } from '../errors.ts'
import { isPrefix, isPrefixForCgroups, isWholeId } from '../validate/container-reference.ts'
import { type CgroupContainer, findInCgroups, processOfCgroups } from './cgroups/in-cgroups.ts'
import { hierarchiesOf, type Places } from './cgroups/places.ts'
import { processOfEngine } from './engine-process.ts'
import { askForContainer, type EngineContainer } from './engines/engine-api.ts'
import type { Engine } from './engines/engines.ts'
import type { ContainerProcess } from './facts/container-process.ts'
import { ambiguous, failure, notRunning, untrusted } from './facts/failures.ts'

interface EngineAnswer {
  engine: Engine
  containers: EngineContainer[]
  /** There is no socket at its default path. */
  isAbsent?: boolean
  /** Why the request failed. */
  failure?: NamespaceError
}

/**
 * @internal Returns the first process of a container; undefined if the search has to be repeated. All engines are asked first,
 * because only they know names, and several may use the same name. The cgroups show the containers of all runtimes, but
 * only their ids.
 */
export async function findContainer(
  reference: string,
  places: Places,
  signal?: AbortSignal,
): Promise<ContainerProcess | undefined> {
  const answers = await Promise.all(places.engines.map((engine) => answerOf(engine, reference, places, signal)))
  const known = bestOf(answers, reference)
  const [container] = known
  if (container === undefined) return findByCgroup(reference, answers, places, signal)
  const others = await othersInCgroups(reference, known, places, signal)
  if (known.length + others.length > 1) {
    throw ambiguous(reference, [...known.map(describe), ...others.map(describeCgroups)])
  }
  if (container.pid === 0) throw notRunning(reference, `${container.engine.name} reports it as ${container.status}`)
  return processOfEngine(reference, container, places, signal)
}

async function answerOf(
  engine: Engine,
  reference: string,
  { timeLimit }: Places,
  signal: AbortSignal | undefined,
): Promise<EngineAnswer> {
  try {
    return { engine, containers: await askForContainer(engine, reference, timeLimit, signal) }
  } catch (error) {
    if (!(error instanceof NamespaceError)) throw error
    const isAbsent = error.code === 'ENOENT' && !engine.isNamed
    return isAbsent ? { engine, containers: [], isAbsent } : { engine, containers: [], failure: error }
  }
}

/** An equal id is better than an equal name, and that is better than a prefix, as within one engine. Removes duplicates. */
function bestOf(answers: readonly EngineAnswer[], reference: string): EngineContainer[] {
  const containers = answers.flatMap((answer) => answer.containers)
  const unique = [...new Map(containers.map((container) => [container.id, container])).values()]
  const best = Math.min(...unique.map((container) => rankOf(container, reference)))
  return unique.filter((container) => rankOf(container, reference) === best)
}

function rankOf({ id, name }: EngineContainer, reference: string): number {
  if (id === reference) return 0
  return name !== reference && id.startsWith(reference) ? 2 : 1
}

/** Returns containers with a matching id that no engine has reported. */
async function othersInCgroups(
  reference: string,
  known: readonly EngineContainer[],
  places: Places,
  signal: AbortSignal | undefined,
): Promise<CgroupContainer[]> {
  if (!isPrefix(reference) || known.some(({ name }) => name === reference)) return []
  const { containers } = await findInCgroups(places, reference, signal)
  return containers.filter(({ id }) => !known.some((container) => container.id === id))
}

async function findByCgroup(
  reference: string,
  answers: readonly EngineAnswer[],
  places: Places,
  signal: AbortSignal | undefined,
): Promise<ContainerProcess> {
  const engines = answers.map(({ engine }) => engine.name)
  // If the engine that the caller chose has answered, the search ends.
  if (answers.some(({ engine, failure }) => engine.isFinal && failure === undefined)) {
    throw notFound(reference, engines, answers)
  }
  const { containers, doubtful } = await findInCgroups(places, reference, signal)
  const [container] = containers
  if (containers.length > 1) throw ambiguous(reference, containers.map(describeCgroups))
  if (container !== undefined) return processOfCgroups(reference, container, places.proc)
  if (doubtful[0] !== undefined) throw untrusted(reference, doubtful[0])
  const cgroups = `the cgroups of ${(await hierarchiesOf(places)).join(', ')}`
  throw notFound(reference, [...engines, cgroups], answers)
}

function notFound(reference: string, looked: readonly string[], answers: readonly EngineAnswer[]): Error {
  const where = `looked in ${looked.join(', ')}`
  const hint = hintForName(reference, answers)
  const failures = answers.map((answer) => answer.failure).filter((failure) => failure !== undefined)
  const [first] = failures
  if (first === undefined) return failure('ENOENT', `no such container '${reference}', fromContainer: ${where}${hint}`)
  // Not ENOENT: the container may exist in an engine that could not be asked.
  const why = failures.map(({ message }) => message).join('; ')
  const path = first.path === undefined ? {} : { path: first.path }
  return failure(first.code, `container '${reference}' was not found, fromContainer: ${where}, but ${why}${hint}`, path)
}

/** A hint if the reference can only be a name, and no engine has answered that it does not know it. */
function hintForName(reference: string, answers: readonly EngineAnswer[]): string {
  if (isWholeId(reference) || isPrefixForCgroups(reference)) return ''
  const failures = answers.filter(({ failure }) => failure !== undefined)
  const isUnknown = failures.length === 0 && answers.some(({ isAbsent }) => !isAbsent)
  if (isUnknown) return ''
  const isDenied = failures.some(({ failure }) => failure?.code === 'EACCES' || failure?.code === 'EPERM')
  const way = isDenied
    ? "open the engine's socket as root or as a member of its group"
    : "start the engine or name its socket ('socketPath', DOCKER_HOST)"
  return `. Only engines know names: ${way}, or pass at least six digits of the container's id`
}

function describe({ id, name, status, engine }: EngineContainer): string {
  return `${id} (${name}, ${status}, of ${engine.name})`
}

function describeCgroups({ id, directories }: CgroupContainer): string {
  return `${id} (of ${directories[0]})`
}
