import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { nonEmptyText, signal } from './values.ts'

/** Options of {@link NamespaceSet.fromContainer}. */
export interface FromContainerOptions {
  /** The kinds of the container's namespaces to open. Default: all that the kernel supports. */
  kinds?: Kinds | undefined
  /**
   * The path of an engine's socket. Only this engine is asked, and the cgroups are not searched for a container that it does not
   * know. Default: `DOCKER_HOST`, or the default sockets.
   */
  socketPath?: string | undefined
  /** Stops the search. */
  signal?: AbortSignal | undefined
}

const CONTAINER = { kinds: parseKinds, socketPath: nonEmptyText, signal } satisfies FieldsOf<FromContainerOptions>

/** @internal */
export function parseContainerOptions(options: unknown) {
  return parseOptions(options, CONTAINER)
}
