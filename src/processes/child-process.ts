import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { NativeSet } from '../../index.js'
import type { Launch } from '../validate/processes/spawn-options.ts'
import type { StderrOf, StdinOf, StdioOptions, StdoutOf } from '../validate/processes/stdio.ts'
import { type HandleOptions, ProcessHandle } from './process-handle.ts'
import { finish, type UnstartedChild, unstartedChildClass } from './unstarted-child.ts'

/**
 * A program inside a set. It is a `ChildProcess` of `node:child_process` in all it has and does, and
 * `await using` ends it: it sends `killSignal`, SIGKILL five seconds later, and waits for the end.
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
export type ChildOf<S extends StdioOptions | undefined> = NamespaceChildProcess<StdinOf<S>, StdoutOf<S>, StderrOf<S>>

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

/** Milliseconds for a program to end by itself. */
const PATIENCE = 5000

/** Defined when it is first needed: `node:child_process` would be most of what it costs to load this package. */
function defineChild(): StartChild {
  const created = process.getBuiltinModule('node:diagnostics_channel').channel('child_process')

  class NamespaceChildProcess extends unstartedChildClass() {
    readonly #killSignal: number
    #hasEnded = false

    constructor(set: NativeSet, launch: Launch) {
      super()
      this.#killSignal = launch.killSignal
      // Node puts what it makes of `stdio` in its place, and adds its own to the environment.
      const options = {
        file: String(launch.command.file),
        args: launch.command.argv.map(String),
        envPairs: launch.environment,
        stdio: launch.stdio,
        serialization: launch.serialization,
      } as HandleOptions
      const handle = new ProcessHandle(set, launch, options, (code, signal, failure) => {
        this.#hasEnded = true
        finish(this as unknown as UnstartedChild, code, signal, failure)
      })
      this._handle = handle
      if (created.hasSubscribers) created.publish({ process: this })
      try {
        this.spawn(options)
      } catch (error) {
        throw handle.failure ?? error
      }
    }

    async [Symbol.asyncDispose](): Promise<void> {
      if (this.pid === undefined || this.#hasEnded) return
      const end = new Promise((resolve) => this.once('exit', resolve))
      this.ref()
      this.kill(this.#killSignal)
      const impatience = setTimeout(() => this.kill('SIGKILL'), PATIENCE)
      await end
      clearTimeout(impatience)
    }
  }

  return (set, launch) => new NamespaceChildProcess(set, launch) as unknown as ReturnType<StartChild>
}
