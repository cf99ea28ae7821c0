import type { WorkerOptions } from 'node:worker_threads'
import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { WORKER } from './node-options.ts'

/** Options of {@link NamespaceSet.worker}: those of Node's Worker, and which kinds it enters. */
export interface NamespaceWorkerOptions extends WorkerOptions {
  /** Enter only these of the set's kinds. */
  kinds?: Kinds | undefined
}

const NAMESPACE_WORKER = { ...WORKER, kinds: parseKinds } satisfies FieldsOf<NamespaceWorkerOptions>

/** @internal The mask of kinds, and the options for Node: a copy, which no getter can change. */
export function parseWorkerOptions(options: unknown): [kinds: number, WorkerOptions] {
  const { kinds = 0, ...rest } = parseOptions(options, NAMESPACE_WORKER)
  return [kinds, rest as WorkerOptions]
}
