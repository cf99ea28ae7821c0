import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { ExitReport, NativeChild, NativeCommand, NativeSet } from '../../index.js'
import { invalidType, invalidValue, NamespaceError } from '../errors.ts'
import { parseOptionalKinds } from '../kinds.ts'
import type { Kinds } from '../namespace-kind.ts'
import { parseInteger, parseOptions } from '../options.ts'
import { type Path, parsePath, parseText } from '../paths.ts'
import { hold, release } from './event-loop.ts'
import { expectExit, forgetExit } from './exits.ts'

/** What becomes of one of the program's descriptors: a stream of ours, the caller's own, `/dev/null`, or this one. */
export type Stdio = 'pipe' | 'inherit' | 'ignore' | number

/** One for stdin, stdout and stderr alike, or one for each descriptor. */
export type StdioOptions = 'pipe' | 'inherit' | 'ignore' | readonly Stdio[]

/** Options of {@link NamespaceSet.spawn}. */
export interface SpawnOptions {
  /** The working directory, inside; where the caller is unless told, or `/` of another mount namespace. */
  cwd?: Path | undefined
  /** The environment; `process.env` unless told. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** `'pipe'` unless told. */
  stdio?: StdioOptions | undefined
  /** Only these of the set's kinds. */
  kinds?: Kinds | undefined
}

/**
 * A program inside a set, with the shape and the events of `child_process.ChildProcess`: `'spawn'`, `'exit'` (code,
 * signal), `'close'` (code, signal, after its streams have ended), `'error'`.
 *
 * @example
 * const child = set.spawn('cat', [], { stdio: ['pipe', 'inherit', 'inherit'] })
 * child.stdin?.end('hello')
 */
export class NamespaceChildProcess extends EventEmitter {
  /** The pid as it is seen from outside; undefined when it did not start. */
  readonly pid: number | undefined
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** A stream where the option `stdio` has a pipe, null elsewhere. */
  readonly stdio: readonly (Readable | Writable | null)[]
  readonly spawnfile: string
  readonly spawnargs: readonly string[]
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  /** Whether {@link NamespaceChildProcess.kill} has sent a signal. */
  killed = false

  #native: NativeChild | undefined
  #isHeld = false
  #openStreams = 0
  #hasExited = false

  /** @hidden Made by {@link NamespaceSet.spawn}. */
  constructor(set: NativeSet, kinds: number, command: NativeCommand, args: readonly string[]) {
    super()
    this.spawnfile = String(command.file)
    this.spawnargs = args
    const child = expectExit((report) => this.#onExit(report))
    try {
      this.#native = set.spawn(kinds, command, child)
    } catch (error) {
      forgetExit(child)
      // Misuse, and a thread that is not where it belongs; what failed in the system is told by an event.
      if (!(error instanceof NamespaceError) || error.code.startsWith('ERR_')) throw error
      Object.assign(error, { path: error.path ?? this.spawnfile, spawnargs: args })
      process.nextTick(() => this.emit('error', error))
    }
    this.pid = this.#native?.pid
    const pipes = this.#native?.takePipes() ?? []
    this.stdio = command.stdio.map((_, index) => this.#openStream(index, pipes[index] ?? undefined))
    this.stdin = (this.stdio[0] ?? null) as Writable | null
    this.stdout = (this.stdio[1] ?? null) as Readable | null
    this.stderr = (this.stdio[2] ?? null) as Readable | null
    if (this.#native !== undefined) {
      this.ref()
      process.nextTick(() => this.emit('spawn'))
    }
  }

  /**
   * Sends a signal to the child and nobody else, however late: a pid that was given to another process is not hit.
   *
   * @returns whether the child was there to get it.
   * @throws {@link NamespaceError} `EPERM`; `ERR_INVALID_ARG_TYPE` or `_VALUE` for what is no signal.
   * @example
   * child.kill('SIGKILL')
   * @see pidfd_send_signal(2)
   */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    const number = parseSignalNumber(signal)
    if (this.#native === undefined) return false
    try {
      this.#native.signal(number)
    } catch (error) {
      if (error instanceof NamespaceError && error.code === 'ESRCH') return false
      throw error
    }
    this.killed ||= number !== 0
    return true
  }

  /** The event loop goes on while the child runs; so it is from the start. */
  ref(): void {
    if (this.#isHeld || this.#native === undefined) return
    this.#isHeld = true
    hold()
  }

  /** The event loop may end while the child runs. */
  unref(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    release()
  }

  [Symbol.dispose](): void {
    if (!this.#hasExited) this.kill()
  }

  #openStream(index: number, fd: number | undefined): Socket | null {
    if (fd === undefined) return null
    const stream: Socket = new (process.getBuiltinModule('node:net').Socket)({
      fd,
      readable: index > 0,
      writable: index === 0 || index > 2,
    })
    this.#openStreams += 1
    stream.once('close', () => {
      this.#openStreams -= 1
      this.#maybeClose()
    })
    return stream
  }

  #onExit(report: ExitReport): void {
    this.exitCode = report.code ?? null
    this.signalCode = report.signal === undefined ? null : nameOfSignal(report.signal)
    this.#hasExited = true
    this.#native?.release()
    this.stdin?.destroy()
    this.unref()
    this.#native = undefined
    this.emit('exit', this.exitCode, this.signalCode)
    // What nobody reads would keep 'close' away for ever; what is read is left to its reader.
    process.nextTick(() => {
      for (const stream of this.stdio) if (stream !== null && 'readable' in stream && stream.readable) stream.resume()
    })
    this.#maybeClose()
  }

  #maybeClose(): void {
    if (this.#hasExited && this.#openStreams === 0) this.emit('close', this.exitCode, this.signalCode)
  }
}

/** @internal */
export function spawn(
  set: NativeSet,
  file: string,
  args: readonly string[] | SpawnOptions | undefined,
  options: SpawnOptions | undefined,
): NamespaceChildProcess {
  const isBag = typeof args === 'object' && args !== null && !Array.isArray(args)
  const given = parseOptions<SpawnOptions>(isBag ? args : options)
  const parsed = parseText(file, 'file')
  if (parsed === '') throw invalidValue('file', 'must not be empty', file)
  const argv = [parsed, ...parseArguments(isBag ? undefined : args)]
  const command: NativeCommand = {
    file: parsed,
    argv,
    environment: parseEnvironment(given.env),
    stdio: parseStdio(given.stdio),
  }
  if (given.cwd !== undefined) command.directory = parsePath(given.cwd, 'options.cwd')
  return new NamespaceChildProcess(set, parseOptionalKinds(given.kinds, 'options.kinds'), command, argv)
}

/** @internal The arguments of a program. */
export function parseArguments(args: unknown): string[] {
  if (args === undefined) return []
  if (!Array.isArray(args)) throw invalidType('args', 'an array of strings', args)
  return Array.from(args, (argument, index) => parseText(argument, `args[${index}]`))
}

function parseEnvironment(environment: unknown): string[] {
  const given =
    environment === undefined ? process.env : parseOptions<Record<string, unknown>>(environment, 'options.env')
  return Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      if (name === '' || name.includes('='))
        throw invalidValue('options.env', "has a name that is empty or has '=' in it", name)
      // As child_process has it, what is no string yet becomes one.
      const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
      return `${parseText(name, 'options.env')}=${parseText(text, `options.env.${name}`)}`
    })
}

function parseStdio(stdio: unknown): NativeCommand['stdio'] {
  if (stdio === undefined) return ['pipe', 'pipe', 'pipe']
  if (typeof stdio === 'string') return [0, 1, 2].map((index) => parseOneStdio(stdio, index))
  if (!Array.isArray(stdio)) throw invalidType('options.stdio', "'pipe', 'inherit', 'ignore' or an array", stdio)
  if (stdio.length > 256) throw invalidValue('options.stdio', 'must have at most 256 entries', stdio)
  const standard = Array.from(
    { length: Math.max(3, stdio.length) },
    (_, index) => stdio[index] ?? (index < 3 ? 'pipe' : 'ignore'),
  )
  return standard.map(parseOneStdio)
}

function parseOneStdio(stdio: unknown, index: number): 'pipe' | 'ignore' | number {
  if (stdio === 'pipe' || stdio === 'ignore') return stdio
  if (stdio === 'inherit') return index
  if (typeof stdio === 'number') return parseInteger(stdio, `options.stdio[${index}]`, 0, 0x7fffffff)
  throw invalidValue(`options.stdio[${index}]`, "must be 'pipe', 'inherit', 'ignore' or a descriptor", stdio)
}

function parseSignalNumber(signal: unknown): number {
  if (typeof signal === 'number') return parseInteger(signal, 'signal', 0, 64)
  if (typeof signal !== 'string') throw invalidType('signal', 'a signal, by name or number', signal)
  const number = signals()[signal.toUpperCase()]
  if (number === undefined) throw invalidValue('signal', 'must be a signal', signal)
  return number
}

function nameOfSignal(number: number): NodeJS.Signals | null {
  const entry = Object.entries(signals()).find(([, value]) => value === number)
  return (entry?.[0] ?? null) as NodeJS.Signals | null
}

/** Looked up when needed: a module of Node's that nobody else has imported yet costs half a millisecond at load. */
function signals(): Record<string, number> {
  return process.getBuiltinModule('node:os').constants.signals
}
