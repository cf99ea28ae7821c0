import { invalidValue, NamespaceError } from '../errors.ts'
import type { Kinds } from '../namespace-kind.ts'
import { parseReference } from '../validate/container-reference.ts'
import { parseOptionalKinds } from '../validate/kinds.ts'
import { parseText } from '../validate/paths.ts'
import { parseOptions, parseSignal } from '../validate/values.ts'
import { chosenEngine, enginesOf } from './engines.ts'
import { failure } from './failures.ts'
import { findContainer } from './find-container.ts'
import type { Places } from './places.ts'

/** Options of {@link NamespaceSet.fromContainer}. */
export interface FromContainerOptions {
  /** Only these of the container's kinds; all that the kernel has unless told. */
  kinds?: Kinds | undefined
  /**
   * The socket of the one engine to ask, instead of `DOCKER_HOST` or the usual ones. A container that it does not know
   * is looked for nowhere else.
   */
  socketPath?: string | undefined
  /** Ends the search. */
  signal?: AbortSignal | undefined
}

const ATTEMPTS = 3
const TIME_LIMIT = 10_000
/** All questions together may take so many times as long as one. */
const PATIENCE = 3

/** @internal Opens the container's namespaces, and makes sure that they are the container's. */
export async function fromContainer<S extends { close(): void }>(
  idOrName: unknown,
  options: unknown,
  open: (pid: number, kinds: number) => S,
  elsewhere: Partial<Places> = {},
): Promise<S> {
  const reference = parseReference(idOrName)
  const given = parseOptions<FromContainerOptions>(options)
  const kinds = parseOptionalKinds(given.kinds, 'options.kinds')
  const signal = parseSignal(given.signal)
  const places = withPatience({ ...placesFor(given.socketPath), ...elsewhere })
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    signal?.throwIfAborted()
    const container = await findContainer(reference, places, signal)
    signal?.throwIfAborted()
    if (container === undefined) continue
    const set = openUnlessGone(open, container.pid, kinds)
    if (set === undefined) continue
    if (await holdsFor(set, container.isStill, signal)) return set
  }
  const message = `container '${reference}' was another one each time it was looked at, fromContainer: does it restart?`
  throw failure('ESRCH', message)
}

function placesFor(socketPath: unknown): Places {
  const engines = socketPath === undefined ? enginesOf(process.env) : [chosenEngine(parseSocketPath(socketPath))]
  return { engines, proc: '/proc', timeLimit: TIME_LIMIT }
}

/** What is left for each question gets less in the end. */
function withPatience(places: Places): Places {
  const { timeLimit } = places
  const end = performance.now() + PATIENCE * timeLimit
  return {
    ...places,
    get timeLimit() {
      return Math.max(1, Math.min(timeLimit, Math.round(end - performance.now())))
    },
  }
}

function parseSocketPath(socketPath: unknown): string {
  const path = parseText(socketPath, 'options.socketPath')
  if (path === '') throw invalidValue('options.socketPath', 'must not be empty', path)
  return path
}

function openUnlessGone<S>(open: (pid: number, kinds: number) => S, pid: number, kinds: number): S | undefined {
  try {
    return open(pid, kinds)
  } catch (error) {
    if (error instanceof NamespaceError && error.code === 'ESRCH') return undefined
    throw error
  }
}

/** Between the search and the opening the pid may have become somebody else's. */
async function holdsFor(
  set: { close(): void },
  isStill: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let isOurs = false
  try {
    isOurs = await isStill()
    if (signal?.aborted) isOurs = false
    signal?.throwIfAborted()
    return isOurs
  } finally {
    if (!isOurs) set.close()
  }
}
