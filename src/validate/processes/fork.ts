import { invalidType, invalidValue } from '../../errors.ts'
import { type Path, parsePath, parseText } from '../paths.ts'
import { parseBoolean, parseOneOf } from '../values.ts'
import { type Launch, type ProcessOptions, parseLaunch } from './spawn-options.ts'
import { parseStdio, type Stdio } from './stdio.ts'

/** What becomes of a forked process' descriptors: as for `spawn`, and `'ipc'` once in an array, for the messages. */
export type ForkStdio = 'pipe' | 'overlapped' | 'inherit' | 'ignore' | readonly (Stdio | 'ipc')[]

/** Options of {@link NamespaceSet.fork}. */
export interface ForkOptions extends Omit<ProcessOptions, 'shell'> {
  /** The Node.js to run, inside; this one unless told. */
  execPath?: string | undefined
  /** Arguments for Node.js itself; `process.execArgv` unless told. */
  execArgv?: readonly string[] | undefined
  /** How messages travel: as JSON, or with all that structuredClone() takes; `'json'` unless told. */
  serialization?: 'json' | 'advanced' | undefined
  /** Whether stdin, stdout and stderr are streams of the child's; they are the caller's unless told. */
  silent?: boolean | undefined
  /** Says it for each descriptor, instead of `silent`. */
  stdio?: ForkStdio | undefined
}

/** @internal */
export function parseFork(module: unknown, args: readonly string[], options: Partial<ForkOptions>): Launch {
  const { execPath, execArgv, serialization, silent, stdio, ...rest } = options
  const script = String(parsePath(module as Path, 'module'))
  const node = execPath === undefined ? process.execPath : parseText(execPath, 'options.execPath')
  const words = [...parseExecArgv(execArgv), script, ...args]
  const launch = parseLaunch(node, words, { ...rest, shell: undefined, stdio: 'ignore' } as ProcessOptions)
  launch.stdio = parseForkStdio(stdio, parseBoolean(silent, 'options.silent'))
  launch.serialization = parseOneOf(serialization, 'options.serialization', ['json', 'advanced'])
  return launch
}

function parseExecArgv(execArgv: unknown): string[] {
  if (execArgv === undefined || execArgv === null) return ownExecArgv()
  if (!Array.isArray(execArgv)) throw invalidType('options.execArgv', 'an array of strings', execArgv)
  return execArgv.map((argument, index) => parseText(argument, `options.execArgv[${index}]`))
}

/** A script given with `--eval` is not for the child, which would fork again. */
function ownExecArgv(): string[] {
  const own = [...process.execArgv]
  const script = (process as { _eval?: string })._eval
  const index = script === undefined ? -1 : own.lastIndexOf(script)
  if (index > 0) own.splice(index - 1, 2)
  return own
}

function parseForkStdio(stdio: unknown, silent: boolean): unknown[] {
  if (stdio === undefined || stdio === null) return [...threeTimes(silent ? 'pipe' : 'inherit'), 'ipc']
  if (!Array.isArray(stdio)) return [...threeTimes(parseStdio(stdio)), 'ipc']
  const channel = stdio.indexOf('ipc')
  if (channel < 0) throw invalidValue('options.stdio', "must have 'ipc' once, for the messages", stdio)
  if (stdio.lastIndexOf('ipc') !== channel) throw invalidValue('options.stdio', "must have 'ipc' only once", stdio)
  return (parseStdio(stdio.with(channel, 'ignore')) as unknown[]).with(channel, 'ipc')
}

function threeTimes(word: unknown): unknown[] {
  return [word, word, word]
}
