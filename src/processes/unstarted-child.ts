import type { ChildProcess } from 'node:child_process'
import { misuse } from '../errors.ts'
import type { HandleOptions } from './process-handle.ts'

/** What Node's `ChildProcess` requires of its handle. */
export interface Handle {
  pid: number | undefined
  spawn(): number
  onexit(): void
  kill(signal: number): number
  ref(): void
  unref(): void
  close(): void
}

/** Node's `ChildProcess` with its undocumented members, which it has had since its first versions. */
export interface UnstartedChild extends ChildProcess {
  _handle: Handle | null
  _closesNeeded: number
  _closesGot: number
  spawn(options: HandleOptions): number
}

/**
 * @internal Returns Node's `ChildProcess` without its process. Node's constructor is not called, because it creates a handle
 * that is never freed if it is not spawned. The streams, methods and channel are Node's.
 */
export function unstartedChildClass(): new () => UnstartedChild {
  const { ChildProcess } = process.getBuiltinModule('node:child_process')
  const { EventEmitter } = process.getBuiltinModule('node:events')
  const { bun, deno } = process.versions
  if (!('spawn' in ChildProcess.prototype) || bun !== undefined || deno !== undefined) {
    const message =
      'spawn, execFile and fork require the ChildProcess class of Node.js, which this runtime does not have'
    throw misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', message)
  }

  class Unstarted extends EventEmitter {
    _handle = null
    // One for the end of the process. Each stream that is read adds one.
    _closesNeeded = 1
    _closesGot = 0
    connected = false
    signalCode = null
    exitCode = null
    killed = false
    spawnfile = null
  }
  Object.setPrototypeOf(Unstarted.prototype, ChildProcess.prototype)
  return Unstarted as unknown as new () => UnstartedChild
}

/** @internal Finishes a child whose process has ended, or, with an error, did not start. */
export function finish(child: UnstartedChild, code: number | null, signal: string, failure?: Error): void {
  if (signal === '') set(child, 'exitCode', code)
  else set(child, 'signalCode', signal)
  // The process no longer reads its stdin.
  child.stdin?.destroy()
  child._handle?.close()
  child._handle = null
  if (failure !== undefined) child.emit('error', failure)
  else child.emit('exit', child.exitCode, child.signalCode)
  // After the listeners, so that they can read first. Unread data would prevent 'close'.
  process.nextTick(drain, child)
  child._closesGot += 1
  if (child._closesGot === child._closesNeeded) child.emit('close', child.exitCode, child.signalCode)
}

function set(child: UnstartedChild, property: 'exitCode' | 'signalCode', value: unknown): void {
  ;(child as unknown as Record<string, unknown>)[property] = value
}

function drain(child: ChildProcess): void {
  for (const stream of child.stdio ?? []) {
    if (stream !== null && stream !== undefined && 'readable' in stream && stream.readable && !isGivenAway(stream)) {
      stream.resume()
    }
  }
}

/** Whether the stream is the stdin of another child, which Node marks by a symbol. */
function isGivenAway(stream: object): boolean {
  const mark = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kIsUsedAsStdio')
  return mark !== undefined && (stream as Record<symbol, unknown>)[mark] === true
}
