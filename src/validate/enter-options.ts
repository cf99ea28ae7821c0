import type { Kinds } from '../namespace-kind.ts'
import { type FieldsOf, parseOptions } from './fields.ts'
import { parseKinds } from './kinds.ts'
import { boolean } from './values.ts'

/** Options of {@link NamespaceSet.do}. */
export interface DoOptions {
  /** The kinds of namespaces to enter. Default: all kinds of the set. */
  kinds?: Kinds | undefined
}

/** Options of {@link NamespaceSet.enter}. */
export interface EnterOptions extends DoOptions {
  /** Whether to allow `enter` on the main thread, on which all other code of the process runs. Default: `false`. */
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
