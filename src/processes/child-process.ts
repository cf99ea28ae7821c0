import type { ChildProcess, ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { NativeSet } from '../../index.js'
import { misuse } from '../errors.ts'
import { type HandleOptions, type OnExit, ProcessHandle } from './process-handle.ts'
import type { Launch } from './spawn-options.ts'
import type { StderrOf, StdinOf, StdioOptions, StdoutOf } from './stdio.ts'

/**
 * A program inside a set. It is a `ChildProcess` of `node:child_process` in all it has and does, and
 * `await using` ends it: `killSignal`, and SIGKILL five seconds later.
 *
 * @example
 * await using child = set.spawn('cat', [], { stdio: ['pipe', 'inherit', 'inherit'] })
 * child.stdin.end('hello')
 */
export interface NamespaceChildProcess<
  I extends Writable | null = Writable | null,
  O extends Readable | null = Readable | null,
  E extends Readable | null = Readable | null,
> extends ChildProcessByStdio<I, O, E>,
    AsyncDisposable {
  /** Sends SIGTERM, unless a signal was sent before. */
  [Symbol.dispose](): void
}

/** The child that the option `stdio` makes. */
export type ChildOf<S extends StdioOptions> = NamespaceChildProcess<StdinOf<S>, StdoutOf<S>, StderrOf<S>>

/** What Node's `ChildProcess` has beyond what is documented, and has had since its first versions. */
interface Internals {
  _handle: { onexit: OnExit } | null
  spawn(options: { file: string; args: string[]; envPairs?: string[]; stdio: unknown; serialization?: unknown }): number
}

type StartChild = (set: NativeSet, launch: Launch) => NamespaceChildProcess

let startChild: StartChild | undefined

/**
 * @internal Starts the program, with Node's own `ChildProcess` around it: its streams, its order of events and its
 * channel for messages are then what they are everywhere else. Only the process behind it is ours
 * (docs/decisions/0011).
 */
export function start(set: NativeSet, launch: Launch): NamespaceChildProcess {
  startChild ??= defineChild()
  return startChild(set, launch)
}

/** Defined when it is first needed: `node:child_process` would be most of what it costs to load this package. */
function defineChild(): StartChild {
  const Base = process.getBuiltinModule('node:child_process').ChildProcess as unknown as new () => ChildProcess
  if (typeof (Base.prototype as Partial<Internals>).spawn !== 'function') {
    throw foreignRuntime()
  }

  class NamespaceChildProcess extends Base {
    readonly #handle: ProcessHandle
    readonly #killSignal: number

    constructor(set: NativeSet, launch: Launch) {
      super()
      this.#killSignal = launch.killSignal
      const internals = this as unknown as Internals
      const onExit = takeHandle(internals)
      // Node puts what it makes of `stdio` in its place, and adds its own to the environment.
      const options = {
        file: String(launch.command.file),
        args: launch.command.argv.map(String),
        envPairs: launch.environment,
        stdio: launch.stdio,
        serialization: launch.serialization,
      }
      this.#handle = new ProcessHandle(set, launch, options as HandleOptions, onExit)
      internals._handle = this.#handle
      try {
        internals.spawn(options)
      } catch (error) {
        throw this.#handle.failure ?? error
      }
    }

    /** Node makes an error of its own for a program that did not start; ours says which step it was. */
    override emit(event: string | symbol, ...details: unknown[]): boolean {
      const { failure, isTold } = this.#handle
      if (event !== 'error' || failure === undefined || !isTold) return super.emit(event as string, ...details)
      this.#handle.isTold = false
      return super.emit('error', failure)
    }

    async [Symbol.asyncDispose](): Promise<void> {
      if (this.pid === undefined || this.exitCode !== null || this.signalCode !== null) return
      const hasExited = new Promise((resolve) => this.once('exit', resolve))
      if (!this.killed) this.kill(this.#killSignal)
      const impatience = setTimeout(() => this.kill('SIGKILL'), PATIENCE)
      await hasExited
      clearTimeout(impatience)
    }
  }

  return (set, launch) => new NamespaceChildProcess(set, launch) as unknown as ReturnType<StartChild>
}

/** Milliseconds for a program to end by itself. */
const PATIENCE = 5000

/**
 * Takes the handle away, and keeps what Node does when a process has ended. libuv frees a handle only when it was started
 * once: it is, with a descriptor that cannot be, which fails before anything is forked.
 */
function takeHandle(child: Internals): OnExit {
  const onExit = child._handle?.onexit
  try {
    child.spawn({ file: '', args: [], stdio: ['ignore', 'ignore', { fd: -1 }] })
  } catch (error) {
    const isExpected = (error as NodeJS.ErrnoException).code === 'EINVAL' && child._handle === null
    if (isExpected && onExit !== undefined) return onExit
    throw error
  }
  throw foreignRuntime()
}

function foreignRuntime(): Error {
  const message = "spawn, execFile and fork need the ChildProcess of Node.js, and this runtime's is another"
  return misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', message)
}
