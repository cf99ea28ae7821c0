import type { AsyncResource } from 'node:async_hooks'
import type { NativeChild, NativeCommand, NativeExit, NativeSet, NativeSystemCallFilter } from '../../index.js'
import { NamespaceError } from '../errors.ts'
import { onEnd } from '../native/exits.ts'
import { binding } from '../native.ts'
import { bareCopy } from '../validate/fields.ts'
import { nameOfSignal } from '../validate/processes/signals.ts'
import type { Launch } from '../validate/processes/spawn-options.ts'
import { compile } from './system-calls.ts'

/** One descriptor, as Node's `ChildProcess` passes it to its handle. */
interface HandleStdio {
  type: 'pipe' | 'overlapped' | 'ignore' | 'inherit' | 'fd' | 'wrap'
  fd?: number
  handle?: { fd: number; open(fd: number): void; close(): void }
}

/** @internal The options for Node's `ChildProcess.spawn`, which it changes before it calls the handle. */
export interface HandleOptions {
  file: string
  args: string[]
  stdio: HandleStdio[]
  envPairs: string[]
  serialization?: unknown
}

/** Called when the process has ended, or did not start. */
type OnExit = (code: number | null, signal: string, failure?: NamespaceError) => void

/** The errors that `child_process` reports by the event `'error'`; it throws the others. */
const REPORTED = ['EACCES', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOENT']
/** The steps that a child of `child_process` performs, too. */
const SHARED_STEPS = /^(spawn .*|chdir|setgroups|setresgid|setresuid|fcntl\(F_DUPFD_CLOEXEC\))$/s

/**
 * @internal Replaces libuv's process handle in Node's `ChildProcess`, and starts processes with the helper instead of fork(2).
 * Its methods return 0 or a negative error number.
 */
export class ProcessHandle {
  pid: number | undefined
  /** Why the program did not start. */
  failure: NamespaceError | undefined

  readonly #set: NativeSet
  readonly #launch: Launch
  readonly #options: HandleOptions
  readonly #onExit: OnExit
  readonly #resource: AsyncResource
  #native: NativeChild | undefined
  #isHeld = false

  constructor(set: NativeSet, launch: Launch, options: HandleOptions, onExit: OnExit) {
    this.#set = set
    this.#launch = launch
    this.#options = options
    this.#onExit = onExit
    this.#resource = new (process.getBuiltinModule('node:async_hooks').AsyncResource)('NSSETPROCESS')
  }

  /** Called by Node, with arguments that depend on its version. */
  spawn(): number {
    const { stdio, envPairs } = this.#options
    const { command } = this.#launch
    const vectors = { argv: command.argv.join('\0'), environment: envPairs.join('\0') }
    const native = this.#start(bareCopy({ ...command, ...vectors, stdio: stdio.map(toNative) }), stdio)
    for (const [index, { type, handle }] of stdio.entries()) {
      if (handle !== undefined && isPipe(type)) native.givePipe(handle, index)
    }
    const failure = native.failure()
    if (failure !== null) return this.#fail(failure as NamespaceError, stdio)
    this.#native = native
    this.pid = native.pid ?? undefined
    this.ref()
    return 0
  }

  /** Called by Node shortly after a failure that it reports by an event. */
  onexit(): void {
    this.#onExit(this.failure?.errno ?? UNKNOWN, '', this.failure)
  }

  kill(signal: number): number {
    if (this.#native === undefined) return ESRCH
    try {
      this.#native.signal(signal)
      return 0
    } catch (error) {
      if (!(error instanceof NamespaceError) || error.errno === undefined) throw error
      // It has ended but is not reported yet. To child_process that is a zombie, which accepts every signal.
      return error.errno === ESRCH ? 0 : error.errno
    }
  }

  ref(): void {
    if (this.#isHeld || this.#native === undefined) return
    this.#isHeld = true
    binding().hold()
  }

  unref(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    binding().release()
  }

  /** Called by Node when the child has ended. */
  close(): void {
    this.unref()
    this.#native?.release()
    this.#native = undefined
  }

  #start(command: NativeCommand, stdio: HandleStdio[]): NativeChild {
    try {
      const native = this.#set.spawn(this.#launch.kinds, command, compiledFilter(this.#launch.seccomp))
      if (native.pid !== null) onEnd(native.ended(), (exit) => this.#reportEnd(exit))
      return native
    } catch (error) {
      closePipes(stdio)
      throw error
    }
  }

  #reportEnd({ code, signal }: NativeExit): void {
    const name = signal === undefined ? '' : nameOfSignal(signal)
    // As with libuv: if a signal ended it, the code is 0. A real-time signal has no name.
    this.#resource.runInAsyncScope(this.#onExit, undefined, code ?? (signal === undefined ? null : 0), name)
  }

  #fail(failure: NamespaceError, stdio: HandleStdio[]): number {
    const { file, argv } = this.#launch.command
    Object.assign(failure, { path: failure.path ?? file, spawnargs: argv.slice(1) })
    this.failure = failure
    const isShared = failure.kind === undefined && SHARED_STEPS.test(failure.syscall ?? '')
    // Node throws the errors that it does not report by the event 'error'.
    if (isShared && !REPORTED.includes(failure.code)) return failure.errno ?? UNKNOWN
    const isWithoutPipes = stdio.some(({ type, handle }) => isPipe(type) && handle !== undefined && handle.fd < 0)
    if (failure.code !== 'EMFILE' && failure.code !== 'ENFILE' && !isWithoutPipes) return ENOENT
    // Node then creates no streams and drops the handles. A stream over a handle without a pipe could not be read.
    closePipes(stdio)
    return EMFILE
  }
}

const ENOENT = -2
const EMFILE = -24
const ESRCH = -3
/** libuv's number for an unknown error. */
const UNKNOWN = -4094

function isPipe(type: HandleStdio['type']): boolean {
  return type === 'pipe' || type === 'overlapped'
}

function closePipes(stdio: HandleStdio[]): void {
  for (const { type, handle } of stdio) if (isPipe(type)) handle?.close()
}

/** Instructions for the kernel need no compiler: the command has them. */
function compiledFilter(seccomp: Launch['seccomp']): NativeSystemCallFilter | undefined {
  return seccomp === undefined || Buffer.isBuffer(seccomp) ? undefined : compile(seccomp, 'options.seccomp')
}

function toNative({ type, fd, handle }: HandleStdio): NativeCommand['stdio'][number] {
  switch (type) {
    case 'pipe':
    case 'overlapped':
      return 'pipe'
    case 'ignore':
      return 'ignore'
    case 'inherit':
    case 'fd':
      return fd ?? -1
    case 'wrap':
      return handle?.fd ?? -1
  }
}
