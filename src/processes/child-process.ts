import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { NativeSet } from '../../index.js'
import type { Launch } from '../validate/processes/spawn-options.ts'
import type { StderrOf, StdinOf, StdioOptions, StdoutOf } from '../validate/processes/stdio.ts'
import { type HandleOptions, ProcessHandle } from './process-handle.ts'
import { finish, type UnstartedChild, unstartedChildClass } from './unstarted-child.ts'

/**
 * A program that runs inside a set. It is a `ChildProcess` of `node:child_process`. `await using` ends it: it sends
 * `killSignal`, after 5 seconds also SIGKILL, and waits until the program has ended.
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
  /** Sends SIGTERM if no signal was sent before. */
  [Symbol.dispose](): void
}

/** The type of the child for a value of the option `stdio`. */
export type ChildOf<S extends StdioOptions | undefined> = NamespaceChildProcess<StdinOf<S>, StdoutOf<S>, StderrOf<S>>

type StartChild = (set: NativeSet, launch: Launch) => NamespaceChildProcess

let startChild: StartChild | undefined

/**
 * @internal Starts the program with Node's own `ChildProcess` around it, so that its streams, the order of its events and its
 * message channel are Node's. Only the process is nsset's (docs/decisions/0011).
 */
export function start(set: NativeSet, launch: Launch): NamespaceChildProcess {
  startChild ??= defineChild()
  return startChild(set, launch)
}

/** @internal Returns why a child did not start, which it emits as `'error'` after this turn of the event loop. */
export function failureOf(child: NamespaceChildProcess): Error | undefined {
  return (child as unknown as { _handle: ProcessHandle | null })._handle?.failure
}

/** In milliseconds: how long `await using` waits before it sends SIGKILL. */
const KILL_DELAY = 5000

/** Defined on first use: loading `node:child_process` would take most of the time that this package takes to load. */
function defineChild(): StartChild {
  const created = process.getBuiltinModule('node:diagnostics_channel').channel('child_process')

  class NamespaceChildProcess extends unstartedChildClass() {
    readonly #killSignal: number
    #hasEnded = false

    constructor(set: NativeSet, launch: Launch) {
      super()
      this.#killSignal = launch.killSignal
      // Node replaces `stdio` by its parsed form, and adds variables to the environment.
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
      const killTimer = setTimeout(() => this.kill('SIGKILL'), KILL_DELAY)
      await end
      clearTimeout(killTimer)
    }
  }

  return (set, launch) => new NamespaceChildProcess(set, launch) as unknown as ReturnType<StartChild>
}
