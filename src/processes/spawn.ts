import type { NativeSet } from '../../index.js'
import type { Launch } from '../validate/processes/spawn-options.ts'
import { type NamespaceChildProcess, start } from './child-process.ts'

/** @internal Starts a program, and kills it on abort or after its timeout. */
export function spawn(set: NativeSet, launch: Launch): NamespaceChildProcess {
  const child = start(set, launch)
  if (launch.timeout > 0) killAfter(child, launch)
  if (launch.signal !== undefined) killWhenAborted(child, launch, launch.signal)
  return child
}

function killAfter(child: NamespaceChildProcess, { timeout, killSignal }: Launch): void {
  const timer = setTimeout(() => kill(child, killSignal), timeout)
  onceOver(child, () => clearTimeout(timer))
}

/** Calls back when the child has ended, or did not start. */
function onceOver(child: NamespaceChildProcess, call: () => void): void {
  child.once(child.pid === undefined ? 'error' : 'exit', call)
}

function killWhenAborted(child: NamespaceChildProcess, { killSignal }: Launch, signal: AbortSignal): void {
  const abort = () => {
    if (kill(child, killSignal)) child.emit('error', abortError(signal.reason))
  }
  if (signal.aborted) {
    process.nextTick(abort)
    return
  }
  signal.addEventListener('abort', abort, { once: true })
  const forget = () => signal.removeEventListener('abort', abort)
  onceOver(child, forget)
}

function kill(child: NamespaceChildProcess, signal: number): boolean {
  try {
    return child.kill(signal)
  } catch (error) {
    child.emit('error', error as Error)
    return false
  }
}

/** @internal Creates the error of Node's own functions on abort. */
export function abortError(reason: unknown): Error {
  const error = new Error('The operation was aborted', { cause: reason })
  error.name = 'AbortError'
  return Object.assign(error, { code: 'ABORT_ERR' })
}
