import type { Readable, Writable } from 'node:stream'
import { invalidType, invalidValue, NamespaceError } from '../errors.ts'
import { type ProcessOptions, parseTimeout } from '../validate/processes/spawn-options.ts'
import { parseBoolean } from '../validate/values.ts'
import type { NamespaceChildProcess } from './child-process.ts'
import { ExecFileError } from './exec-file-error.ts'
import type { ExecFileErrorCode, ExecFileResult, OutputEncoding } from './exec-file-result.ts'
import { abortError } from './spawn.ts'

/** Options of {@link NamespaceSet.execFile}. */
export interface ExecFileOptions<E extends OutputEncoding = OutputEncoding> extends ProcessOptions {
  /** What the program reads from stdin, to its end; nothing unless told. */
  input?: string | NodeJS.ArrayBufferView | undefined
  /** `'utf8'` unless told. */
  encoding?: E | undefined
  /** Bytes of stdout, and of stderr, after which `killSignal` is sent; 1 MiB unless told, as with `child_process`. */
  maxBuffer?: number | undefined
  /** Whether an end other than with code 0 is an error; it is unless told. */
  reject?: boolean | undefined
}

/** @internal Starts the program with a pipe for each of stdout and stderr. */
export type StartForOutput = (stdin: 'pipe' | 'ignore', options: Partial<ProcessOptions>) => NamespaceChildProcess

const DEFAULT_MAX_BUFFER = 1024 * 1024

/** @internal Collects what the child says, and settles when it has ended. */
export async function execFile(
  start: StartForOutput,
  command: readonly string[],
  options: Partial<ExecFileOptions>,
): Promise<ExecFileResult<string | Buffer>> {
  const { input, encoding, maxBuffer, reject, timeout, ...rest } = options
  const decode = parseEncoding(encoding)
  const limit = parseMaxBuffer(maxBuffer)
  const rejects = parseBoolean(reject, 'options.reject', true)
  const patience = parseTimeout(timeout)
  const bytes = parseInput(input)
  const child = startOrTell(() => start(bytes === undefined ? 'ignore' : 'pipe', rest), command, decode)
  let why: ExecFileErrorCode | undefined
  const stop = (code: ExecFileErrorCode) => {
    why ??= code
    // Others may hold the other ends, and would keep 'close' away.
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.kill(options.killSignal as NodeJS.Signals)
  }
  const output = [child.stdout, child.stderr].map((stream) => collect(stream, limit, stop))
  const timer = patience === 0 ? undefined : setTimeout(stop, patience, 'ETIMEDOUT')
  feed(child.stdin, bytes)
  const failure = await ended(child, rest.signal)
  clearTimeout(timer)

  const [stdout, stderr] = output.map((chunks) => decode(Buffer.concat(chunks))) as [string | Buffer, string | Buffer]
  const hasRun = child.pid !== undefined
  const exitCode = hasRun ? child.exitCode : null
  const result = { stdout, stderr, exitCode, signal: child.signalCode }
  if (failure !== undefined) throw Object.assign(failure, result, { command })
  if (rejects && (why !== undefined || exitCode !== 0)) throw new ExecFileError(command, result, why)
  return why === undefined ? result : { ...result, code: why }
}

/** What is thrown at once has all that a later failure has. */
function startOrTell<T>(start: () => T, command: readonly string[], decode: (bytes: Buffer) => string | Buffer): T {
  try {
    return start()
  } catch (error) {
    if (!(error instanceof NamespaceError)) throw error
    const nothing = decode(Buffer.alloc(0))
    throw Object.assign(error, { stdout: nothing, stderr: nothing, exitCode: null, signal: null, command })
  }
}

/**
 * Settles when the child and its streams have ended, or at its first error. Its streams may outlast it where others hold
 * them: an abort is such an error then, too.
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
    // While the child runs, it is killed first, and this is said of it.
    const abort = () => settle(abortError(signal?.reason))
    signal?.addEventListener('abort', abort, { once: true })
    child.once('close', () => settle())
    child.on('error', settle)
  })
}

/** The chunks that come, up to the limit. */
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

/** A program need not read all that it is given. */
function feed(stdin: Writable | null, input: string | Uint8Array | undefined): void {
  stdin?.on('error', () => undefined)
  stdin?.end(input)
}

function parseEncoding(encoding: unknown): (bytes: Buffer) => string | Buffer {
  if (encoding === 'buffer' || encoding === null) return (bytes) => bytes
  if (encoding === undefined) return (bytes) => bytes.toString()
  if (typeof encoding === 'string' && Buffer.isEncoding(encoding)) return (bytes) => bytes.toString(encoding)
  throw invalidValue('options.encoding', "must be an encoding of Node's, or 'buffer'", encoding)
}

function parseMaxBuffer(limit: unknown): number {
  if (limit === undefined) return DEFAULT_MAX_BUFFER
  if (typeof limit !== 'number') throw invalidType('options.maxBuffer', 'a number', limit)
  if (!(limit >= 0)) throw invalidValue('options.maxBuffer', 'must be a number of bytes', limit)
  return limit
}

function parseInput(input: unknown): string | Uint8Array | undefined {
  if (input === undefined || typeof input === 'string') return input
  if (!ArrayBuffer.isView(input)) throw invalidType('options.input', 'a string, a Buffer or a typed array', input)
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
}
