import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { boolean } from './values.ts'

/** Options of {@link NamespaceSet.do}. */
export interface DoOptions {
  /** Enter only these of the set's kinds. */
  kinds?: Kinds | undefined
}

/** Options of {@link NamespaceSet.enter}. */
export interface EnterOptions extends DoOptions {
  /** Enter even on the main thread, where everything else lives too. */
  mainThread?: boolean | undefined
}

const DO = { kinds: parseKinds } satisfies FieldsOf<DoOptions>
const ENTER = { ...DO, mainThread: boolean } satisfies FieldsOf<EnterOptions>

/** @internal */
export function parseDoOptions(options: unknown) {
  return parseOptions(options, DO)
}

/** @internal */
export function parseEnterOptions(options: unknown) {
  return parseOptions(options, ENTER)
}
