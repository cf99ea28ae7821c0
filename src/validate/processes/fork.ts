import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, parseArray, parseOptions } from '../fields.ts'
import { parsePath } from '../paths.ts'
import { boolean, nullable, text } from '../values.ts'
import { type Launch, launchOf, PROCESS, type ProcessOptions, parseArguments, serialization } from './spawn-options.ts'
import { parseStdio, type Stdio } from './stdio.ts'

/** The descriptors of a forked process: as with `spawn`, but an array has to contain `'ipc'` once, for messages. */
export type ForkStdio = 'pipe' | 'overlapped' | 'inherit' | 'ignore' | readonly (Stdio | 'ipc')[]

/** Options of {@link NamespaceSet.fork}. */
export interface ForkOptions extends Omit<ProcessOptions, 'shell'> {
  /** The Node.js executable to run, resolved inside. Default: `process.execPath`. */
  execPath?: string | undefined
  /** Arguments for Node.js itself. Default: `process.execArgv`. */
  execArgv?: readonly string[] | undefined
  /** How messages are serialized: `'json'`, or `'advanced'` for all that structuredClone() supports. Default: `'json'`. */
  serialization?: 'json' | 'advanced' | undefined
  /** Whether stdin, stdout and stderr are pipes instead of the caller's descriptors. Default: `false`. */
  silent?: boolean | undefined
  /** The descriptors of the process. It takes precedence over `silent`. */
  stdio?: ForkStdio | undefined
}

const execArgv: Parse<string[]> = (value, name) => {
  if (!Array.isArray(value)) throw invalidType(name, 'an array of strings', value)
  return parseArray(value, name, text)
}

const forkStdio: Parse<unknown[]> = (value, name) => {
  if (!Array.isArray(value)) return [...threeTimes(parseStdio(value, name)), 'ipc']
  const channel = value.indexOf('ipc')
  if (channel < 0) throw invalidValue(name, "must contain 'ipc' once, for the message channel", value)
  if (value.lastIndexOf('ipc') !== channel) throw invalidValue(name, "must contain 'ipc' only once", value)
  return (parseStdio(value.with(channel, 'ignore'), name) as unknown[]).with(channel, 'ipc')
}

const { shell: _, ...WITHOUT_SHELL } = PROCESS

/** @internal */
export const FORK = {
  ...WITHOUT_SHELL,
  execPath: text,
  execArgv: nullable(execArgv),
  serialization,
  silent: boolean,
  stdio: nullable(forkStdio),
} satisfies FieldsOf<ForkOptions>

/** @internal */
export function parseFork(module: unknown, args: unknown, options: unknown): Launch {
  const [words, given] = parseArguments(args, options)
  const script = String(parsePath(module, 'module'))
  const { execPath = process.execPath, execArgv, silent, stdio, ...rest } = parseOptions(given, FORK)
  const launch = launchOf(execPath, [...(execArgv ?? ownExecArgv()), script, ...words], rest)
  return { ...launch, stdio: stdio ?? [...threeTimes(silent ? 'pipe' : 'inherit'), 'ipc'] }
}

/** Without a script of `--eval`, which the child would run again. */
function ownExecArgv(): string[] {
  const own = [...process.execArgv]
  const script = (process as { _eval?: string })._eval
  const index = script === undefined ? -1 : own.lastIndexOf(script)
  if (index > 0) own.splice(index - 1, 2)
  return own
}

function threeTimes(word: unknown): unknown[] {
  return [word, word, word]
}
