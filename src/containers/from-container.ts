import { NamespaceError } from '../errors.ts'
import { parseContainerOptions } from '../validate/container-options.ts'
import { parseReference } from '../validate/container-reference.ts'
import type { Places } from './cgroups/places.ts'
import { chosenEngine, enginesOf } from './engines/engines.ts'
import { failure } from './facts/failures.ts'
import { findContainer } from './find-container.ts'

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
  const { kinds = 0, socketPath, signal } = parseContainerOptions(options)
  const places = withPatience({ ...placesFor(socketPath), ...elsewhere })
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

function placesFor(socketPath: string | undefined): Places {
  const engines = socketPath === undefined ? enginesOf(process.env) : [chosenEngine(socketPath)]
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
