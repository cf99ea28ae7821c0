import type { WorkerOptions } from 'node:worker_threads'
import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { WORKER } from './node-options.ts'

/** Options of {@link NamespaceSet.worker}: those of Node's Worker, and the kinds to enter. */
export interface NamespaceWorkerOptions extends WorkerOptions {
  /** The kinds of namespaces to enter. Default: all kinds of the set. */
  kinds?: Kinds | undefined
}

const NAMESPACE_WORKER = { ...WORKER, kinds: parseKinds } satisfies FieldsOf<NamespaceWorkerOptions>

/** @internal Returns the mask of kinds and a copy of Node's options, which no getter can change. */
export function parseWorkerOptions(options: unknown): [kinds: number, WorkerOptions] {
  const { kinds = 0, ...rest } = parseOptions(options, NAMESPACE_WORKER)
  return [kinds, rest as WorkerOptions]
}
