import { array, type FieldsOf, parseOptions } from '../../fields.ts'
import { boolean, nonEmptyText } from '../../values.ts'

/** What a program in a sandbox may do more, or less, than {@link sandboxSystemCalls} says. */
export interface SandboxSystemCallsOptions {
  /** System calls that are allowed all the same, by name: `['ptrace']` for a debugger. */
  allow?: readonly string[] | undefined
  /** System calls that fail as well, by name. */
  deny?: readonly string[] | undefined
  /**
   * Whether the program may create and enter namespaces and mount in them, as bubblewrap, the sandbox of Chromium and nsset itself do.
   * Default: `false`.
   */
  userNamespaces?: boolean | undefined
}

const names = array(nonEmptyText)

const SANDBOX = { allow: names, deny: names, userNamespaces: boolean } satisfies FieldsOf<SandboxSystemCallsOptions>

/** @internal */
export function parseSandboxOptions(options: unknown) {
  return parseOptions(options, SANDBOX)
}
