import type { ChildProcess } from 'node:child_process'
import { misuse } from '../errors.ts'
import type { HandleOptions } from './process-handle.ts'

/** What Node's `ChildProcess` expects of the process behind it. */
export interface Handle {
  pid: number | undefined
  spawn(): number
  onexit(): void
  kill(signal: number): number
  ref(): void
  unref(): void
  close(): void
}

/** Node's `ChildProcess` with what it has beyond what is documented, and has had since its first versions. */
export interface UnstartedChild extends ChildProcess {
  _handle: Handle | null
  _closesNeeded: number
  _closesGot: number
  spawn(options: HandleOptions): number
}

/**
 * @internal Node's `ChildProcess`, but for the process: it is built without calling Node's constructor, since a handle
 * that this makes and nobody spawns is never freed. Its streams, its methods and its channel are Node's.
 */
export function unstartedChildClass(): new () => UnstartedChild {
  const { ChildProcess } = process.getBuiltinModule('node:child_process')
  const { EventEmitter } = process.getBuiltinModule('node:events')
  const { bun, deno } = process.versions
  if (!('spawn' in ChildProcess.prototype) || bun !== undefined || deno !== undefined) {
    const message = "spawn, execFile and fork need the ChildProcess of Node.js, and this runtime's is another"
    throw misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', message)
  }

  class Unstarted extends EventEmitter {
    _handle = null
    // One is for the end of the process; each stream that is read adds one.
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

/** @internal What becomes of the child when its process has ended, or did not start: then with an error. */
export function finish(child: UnstartedChild, code: number | null, signal: string, failure?: Error): void {
  if (signal === '') set(child, 'exitCode', code)
  else set(child, 'signalCode', signal)
  // Nobody reads what is written now.
  child.stdin?.destroy()
  child._handle?.close()
  child._handle = null
  if (failure !== undefined) child.emit('error', failure)
  else child.emit('exit', child.exitCode, child.signalCode)
  // After the listeners have had the chance to read what nobody has read so far, and what would keep 'close' away.
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

/** Whether another child reads it, as its stdin: Node marks it so. */
function isGivenAway(stream: object): boolean {
  const mark = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kIsUsedAsStdio')
  return mark !== undefined && (stream as Record<symbol, unknown>)[mark] === true
}
