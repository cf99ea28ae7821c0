import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { nonEmptyText, signal } from './values.ts'

/** Options of {@link NamespaceSet.fromContainer}. */
export interface FromContainerOptions {
  /** Only these of the container's kinds. Default: all that the kernel has. */
  kinds?: Kinds | undefined
  /**
   * The socket of the one engine to ask, instead of `DOCKER_HOST` or the usual ones. A container that it does not know
   * is looked for nowhere else.
   */
  socketPath?: string | undefined
  /** Ends the search. */
  signal?: AbortSignal | undefined
}

const CONTAINER = { kinds: parseKinds, socketPath: nonEmptyText, signal } satisfies FieldsOf<FromContainerOptions>

/** @internal */
export function parseContainerOptions(options: unknown) {
  return parseOptions(options, CONTAINER)
}
