import { isPrefix, isWholeId } from '../../validate/container-reference.ts'
import { failure, quoted } from '../facts/failures.ts'
import { type Answer, ask } from './engine-request.ts'
import type { Engine } from './engines.ts'

/** @internal A container as its engine knows it. */
export interface EngineContainer {
  id: string
  name: string
  /** In the engine's pid namespace; 0 when nothing of it runs. */
  pid: number
  /** What the engine says. A container that was created and not started may have a first process, which waits. */
  isRunning: boolean
  /** `'running'`, `'paused'`, `'exited'`, and what else engines say. */
  status: string
  engine: Engine
}

/**
 * @internal The container of that name, id or prefix of an id, as the engine itself understands it; several when it is
 * the prefix of them all; none.
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
  // An ambiguous prefix is Docker's 500 or 400, and Podman's 404, in words that change.
  if (isPrefix(reference)) {
    const several = await askForPrefix(engine, reference, timeLimit, signal)
    if (several.length > 1) return several
  }
  if (answer.status === 404) return []
  throw senseless(engine, `${answer.status} ${quoted(String(field(answer.body, 'message') ?? ''))}`)
}

async function askForPrefix(
  engine: Engine,
  prefix: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<EngineContainer[]> {
  const { status, body } = await ask(engine, '/containers/json?all=true', timeLimit, signal)
  if (status !== 200 || !Array.isArray(body)) throw senseless(engine, `${status} to a list of its containers`)
  return body
    .map((item: unknown) => listed(engine, item))
    .filter((container) => container !== undefined)
    .filter(({ id }) => id.startsWith(prefix))
}

function inspected(engine: Engine, { body }: Answer): EngineContainer {
  const [id, name, state] = [field(body, 'Id'), field(body, 'Name'), field(body, 'State')]
  const [pid, status] = [field(state, 'Pid'), field(state, 'Status')]
  // Docker's are paused and running at once; of what restarts, the pid is 0.
  const isRunning = field(state, 'Running') === true || field(state, 'Paused') === true
  if (typeof id !== 'string' || !isWholeId(id)) throw senseless(engine, 'a container without an Id')
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 0 || pid > 0x7fffffff) {
    throw senseless(engine, 'a container without a State.Pid')
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

/** Docker writes names with the slash of a time when they could be links. */
function bare(name: unknown): string {
  return typeof name === 'string' ? name.replace(/^\//, '') : ''
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

function senseless(engine: Engine, what: string): Error {
  const fields = 'socketPath' in engine.address ? { path: engine.address.socketPath } : {}
  return failure('EPROTO', `the container engine at ${engine.name} answered ${what}`, fields)
}
