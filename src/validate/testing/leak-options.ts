import { type FieldsOf, parseOptions } from '../fields.ts'
import { func, whole } from '../values.ts'

/** Options of {@link expectNoLeaks}. */
export interface LeakOptions {
  /** How long to wait until what a test used is gone, in milliseconds: the kernel and Node.js free much a little later. Default: 2000. */
  patience?: number | undefined
  /** Returns whether something that was found may stay: called with what the message would say, such as `'child 4711 (sleep)'`. */
  ignore?: ((leak: string) => boolean) | undefined
}

const LEAKS = {
  patience: whole(0, 3_600_000),
  ignore: func<NonNullable<LeakOptions['ignore']>>(),
} satisfies FieldsOf<LeakOptions>

/** @internal */
export function parseLeakOptions(options: unknown) {
  return parseOptions(options, LEAKS)
}
