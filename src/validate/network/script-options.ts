import { invalidType } from '../../errors.ts'
import { array, type FieldsOf, type Parsed, parseOptions } from '../fields.ts'
import { SPAWN, type SpawnOptions } from '../processes/spawn-options.ts'
import type { StdioOptions } from '../processes/stdio.ts'
import { text } from './values.ts'

/** Options of {@link action.script}. */
export interface ScriptOptions<S extends StdioOptions | undefined = StdioOptions | undefined> extends SpawnOptions<S> {
  /** The program that runs the script, and the arguments before it. Default: `['sh', '-c']`. */
  subcommand?: readonly [string, ...string[]] | undefined
}

const SCRIPT = { ...SPAWN, subcommand: array(text) } satisfies FieldsOf<ScriptOptions>

/** @internal Returns the program, its arguments, and the options for starting it. */
export function parseScript(script: unknown, options: unknown): [string, string[], Parsed<typeof SPAWN>] {
  const line = text(script, 'text')
  const { subcommand = ['sh', '-c'], ...rest } = parseOptions(options, SCRIPT)
  const [file, ...args] = subcommand
  if (file === undefined) throw invalidType('options.subcommand', 'an array with a program', subcommand)
  return [file, [...args, line], rest]
}
