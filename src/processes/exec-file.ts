import type { Readable, Writable } from 'node:stream'
import { NamespaceError } from '../errors.ts'
import type { OutputLaunch } from '../validate/processes/exec-file-options.ts'
import type { NamespaceChildProcess } from './child-process.ts'
import { ExecFileError } from './exec-file-error.ts'
import type { ExecFileErrorCode, ExecFileResult } from './exec-file-result.ts'
import { abortError } from './spawn.ts'

/** @internal Collects the output of a child, and settles when the child has ended. */
export async function execFile(
  start: () => NamespaceChildProcess,
  given: OutputLaunch,
): Promise<ExecFileResult<string | Buffer>> {
  const { command, input, decode, maxBuffer, rejects, timeout } = given
  const { signal, killSignal } = given.launch
  const child = startWithResult(start, command, decode)
  let why: ExecFileErrorCode | undefined
  const stop = (code: ExecFileErrorCode) => {
    why ??= code
    // Other processes may hold the write ends open, which would prevent 'close'.
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.kill(killSignal)
  }
  const output = [child.stdout, child.stderr].map((stream) => collect(stream, maxBuffer, stop))
  const timer = timeout === 0 ? undefined : setTimeout(stop, timeout, 'ETIMEDOUT')
  feed(child.stdin, input)
  const failure = await ended(child, signal)
  clearTimeout(timer)

  const [stdout, stderr] = output.map((chunks) => decode(Buffer.concat(chunks))) as [string | Buffer, string | Buffer]
  const hasRun = child.pid !== undefined
  const exitCode = hasRun ? child.exitCode : null
  const result = { stdout, stderr, exitCode, signal: child.signalCode }
  if (failure !== undefined) throw Object.assign(failure, result, { command })
  if (rejects && (why !== undefined || exitCode !== 0)) throw new ExecFileError(command, result, why)
  return why === undefined ? result : { ...result, code: why }
}

/** Adds the fields of a result to an error that is thrown at once, as later errors have them. */
function startWithResult<T>(start: () => T, command: readonly string[], decode: (bytes: Buffer) => string | Buffer): T {
  try {
    return start()
  } catch (error) {
    if (!(error instanceof NamespaceError)) throw error
    const nothing = decode(Buffer.alloc(0))
    throw Object.assign(error, { stdout: nothing, stderr: nothing, exitCode: null, signal: null, command })
  }
}

/**
 * Resolves when the child and its streams have ended, or with its first error. Other processes may hold its streams open after
 * its end; an abort in that time is such an error, too.
 */
function ended(child: NamespaceChildProcess, signal: AbortSignal | undefined): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const settle = (error?: Error) => {
      signal?.removeEventListener('abort', abort)
      if (error !== undefined) {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }
      resolve(error)
    }
    // While the child runs, spawn() kills it and emits this error.
    const abort = () => settle(abortError(signal?.reason))
    signal?.addEventListener('abort', abort, { once: true })
    child.once('close', () => settle())
    child.on('error', settle)
  })
}

/** Collects the chunks of a stream up to the limit. */
function collect(stream: Readable | null, limit: number, stop: (code: ExecFileErrorCode) => void): Buffer[] {
  const chunks: Buffer[] = []
  let length = 0
  stream?.on('data', (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, limit - length))
    length += chunk.length
    if (length > limit) stop('ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
  })
  return chunks
}

/** Ignores write errors: a program does not have to read all of its input. */
function feed(stdin: Writable | null, input: string | Uint8Array | undefined): void {
  stdin?.on('error', () => undefined)
  stdin?.end(input)
}
