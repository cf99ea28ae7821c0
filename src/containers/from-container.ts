import { NamespaceError } from '../errors.ts'
import { parseContainerOptions } from '../validate/container-options.ts'
import { parseReference } from '../validate/container-reference.ts'
import type { Places } from './cgroups/places.ts'
import { chosenEngine, enginesOf } from './engines/engines.ts'
import { failure } from './facts/failures.ts'
import { findContainer } from './find-container.ts'

const ATTEMPTS = 3
const TIME_LIMIT = 10_000
/** The factor by which all requests together may take longer than one. */
const TOTAL_FACTOR = 3

/** @internal Opens a container's namespaces, and verifies afterwards that the pid was still the container's. */
export async function fromContainer<S extends { close(): void }>(
  idOrName: unknown,
  options: unknown,
  open: (pid: number, kinds: number) => S,
  overrides: Partial<Places> = {},
): Promise<S> {
  const reference = parseReference(idOrName)
  const { kinds = 0, socketPath, signal } = parseContainerOptions(options)
  const places = withTotalLimit({ ...placesFor(socketPath), ...overrides })
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    signal?.throwIfAborted()
    const container = await findContainer(reference, places, signal)
    signal?.throwIfAborted()
    if (container === undefined) continue
    const set = openUnlessGone(open, container.pid, kinds)
    if (set === undefined) continue
    if (await holdsFor(set, container.isStill, signal)) return set
  }
  const message = `container '${reference}' changed during each of ${ATTEMPTS} attempts, fromContainer: does it restart repeatedly?`
  throw failure('ESRCH', message)
}

function placesFor(socketPath: string | undefined): Places {
  const engines = socketPath === undefined ? enginesOf(process.env) : [chosenEngine(socketPath)]
  return { engines, proc: '/proc', timeLimit: TIME_LIMIT }
}

/** Lowers the limit of each request to what is left of the limit of all. */
function withTotalLimit(places: Places): Places {
  const { timeLimit } = places
  const end = performance.now() + TOTAL_FACTOR * timeLimit
  return {
    ...places,
    get timeLimit() {
      return Math.max(1, Math.min(timeLimit, Math.round(end - performance.now())))
    },
  }
}

function openUnlessGone<S>(open: (pid: number, kinds: number) => S, pid: number, kinds: number): S | undefined {
  try {
    return open(pid, kinds)
  } catch (error) {
    if (error instanceof NamespaceError && error.code === 'ESRCH') return undefined
    throw error
  }
}

/** Between the search and the opening, the pid may have been reused. */
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
