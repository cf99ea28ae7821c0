import type { Readable } from 'node:stream'
import { invalidValue } from '../errors.ts'
import { parseOptions } from '../options.ts'
import type { NamespaceChildProcess, SpawnOptions } from './spawn.ts'

/** Options of {@link NamespaceSet.execFile}. */
export interface ExecFileOptions extends Omit<SpawnOptions, 'stdio'> {
  /** How output becomes text, `'utf8'` unless told; `'buffer'` leaves it as bytes. */
  encoding?: BufferEncoding | 'buffer' | undefined
}

/** How a program ended, and what it said. */
export interface ExecFileResult<T extends string | Buffer> {
  stdout: T
  stderr: T
  /** Null when a signal ended it. */
  exitCode: number | null
  signal: NodeJS.Signals | null
}

/** A program that ended with another code than 0, or by a signal; it has all that {@link ExecFileResult} has. */
export class ExecFileError extends Error implements ExecFileResult<string | Buffer> {
  readonly stdout: string | Buffer
  readonly stderr: string | Buffer
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The program and its arguments. */
  readonly command: readonly string[]

  /** @hidden Made by {@link NamespaceSet.execFile}. */
  constructor(command: readonly string[], result: ExecFileResult<string | Buffer>) {
    const how = result.signal === null ? `with code ${result.exitCode}` : `by ${result.signal}`
    const complaint = String(result.stderr).trim()
    super(`${command.join(' ')} ended ${how}${complaint === '' ? '' : `: ${complaint}`}`)
    this.stdout = result.stdout
    this.stderr = result.stderr
    this.exitCode = result.exitCode
    this.signal = result.signal
    this.command = command
  }

  static {
    ExecFileError.prototype.name = 'ExecFileError'
  }
}

/** @internal */
export async function execFile(
  start: (options: SpawnOptions) => NamespaceChildProcess,
  file: string,
  args: readonly string[],
  options: ExecFileOptions | undefined,
): Promise<ExecFileResult<string | Buffer>> {
  const { encoding = 'utf8', ...given } = parseOptions<ExecFileOptions>(options)
  if (encoding !== 'buffer' && !Buffer.isEncoding(encoding)) {
    throw invalidValue('options.encoding', "must be an encoding of Node's, or 'buffer'", encoding)
  }
  const child = start({ ...given, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = [collect(child.stdout), collect(child.stderr)] as const
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const [stdout, stderr] = output.map((chunks) => {
    const bytes = Buffer.concat(chunks)
    return encoding === 'buffer' ? bytes : bytes.toString(encoding)
  }) as [string | Buffer, string | Buffer]
  const result = { stdout, stderr, exitCode: child.exitCode, signal: child.signalCode }
  if (result.exitCode !== 0) throw new ExecFileError([file, ...args], result)
  return result
}

function collect(stream: Readable | null): Buffer[] {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return chunks
}
