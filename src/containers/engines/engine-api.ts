import { isPrefix, isWholeId } from '../../validate/container-reference.ts'
import { failure, quoted } from '../facts/failures.ts'
import { type Answer, ask } from './engine-request.ts'
import type { Engine } from './engines.ts'

/** @internal A container, as reported by its engine. */
export interface EngineContainer {
  id: string
  name: string
  /** In the engine's pid namespace; 0 if the container has no processes. */
  pid: number
  /** As the engine reports it. A container that was created but not started may have a first process, which waits. */
  isRunning: boolean
  /** `'running'`, `'paused'`, `'exited'`, or another state of the engine. */
  status: string
  engine: Engine
}

/**
 * @internal Asks an engine for the container of this name, id or prefix of an id. Returns several containers if the prefix
 * matches several, and none if the engine knows none.
 * @see https://docs.docker.com/reference/api/engine/
 */
export async function askForContainer(
  engine: Engine,
  reference: string,
  timeLimit: number,
  signal?: AbortSignal,
): Promise<EngineContainer[]> {
  const answer = await ask(engine, `/containers/${encodeURIComponent(reference)}/json`, timeLimit, signal)
  if (answer.status === 200) return [inspected(engine, answer)]
  // For an ambiguous prefix, Docker answers 500 or 400 and Podman 404, with messages that change.
  if (isPrefix(reference)) {
    const several = await askForPrefix(engine, reference, timeLimit, signal)
    if (several.length > 1) return several
  }
  if (answer.status === 404) return []
  throw badAnswer(engine, `${answer.status} ${quoted(String(field(answer.body, 'message') ?? ''))}`)
}

async function askForPrefix(
  engine: Engine,
  prefix: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<EngineContainer[]> {
  const { status, body } = await ask(engine, '/containers/json?all=true', timeLimit, signal)
  if (status !== 200 || !Array.isArray(body)) throw badAnswer(engine, `${status} to a list of its containers`)
  return body
    .map((item: unknown) => listed(engine, item))
    .filter((container) => container !== undefined)
    .filter(({ id }) => id.startsWith(prefix))
}

function inspected(engine: Engine, { body }: Answer): EngineContainer {
  const [id, name, state] = [field(body, 'Id'), field(body, 'Name'), field(body, 'State')]
  const [pid, status] = [field(state, 'Pid'), field(state, 'Status')]
  // In Docker, a paused container is also running. While a container restarts, its pid is 0.
  const isRunning = field(state, 'Running') === true || field(state, 'Paused') === true
  if (typeof id !== 'string' || !isWholeId(id)) throw badAnswer(engine, 'a container without an Id')
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 0 || pid > 0x7fffffff) {
    throw badAnswer(engine, 'a container without a State.Pid')
  }
  return {
    id,
    name: bare(name),
    pid,
    isRunning,
    status: typeof status === 'string' ? status : isRunning ? 'running' : 'not running',
    engine,
  }
}

function listed(engine: Engine, item: unknown): EngineContainer | undefined {
  const [id, names, state] = [field(item, 'Id'), field(item, 'Names'), field(item, 'State')]
  if (typeof id !== 'string' || !isWholeId(id)) return undefined
  return {
    id,
    name: bare(Array.isArray(names) ? names[0] : ''),
    pid: 0,
    isRunning: false,
    status: String(state),
    engine,
  }
}

/** Docker writes a slash before names, because names of container links had several components. */
function bare(name: unknown): string {
  return typeof name === 'string' ? name.replace(/^\//, '') : ''
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

function badAnswer(engine: Engine, what: string): Error {
  const fields = 'socketPath' in engine.address ? { path: engine.address.socketPath } : {}
  return failure('EPROTO', `the container engine at ${engine.name} answered ${what}`, fields)
}
