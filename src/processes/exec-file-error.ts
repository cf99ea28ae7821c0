import type { ExecFileErrorCode, ExecFileResult } from './exec-file-result.ts'

/**
 * A program that ended with another code than 0, or by a signal, or had to be stopped; it has all that
 * {@link ExecFileResult} has.
 *
 * @example
 * try { await set.execFile('false') } catch (error) { if (error instanceof ExecFileError) console.log(error.exitCode) }
 */
export class ExecFileError extends Error implements ExecFileResult<string | Buffer> {
  readonly stdout: string | Buffer
  readonly stderr: string | Buffer
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Why it was stopped; undefined when it ended by itself. */
  readonly code: ExecFileErrorCode | undefined

  /** @hidden Made by {@link NamespaceSet.execFile}. */
  constructor(command: readonly string[], result: ExecFileResult<string | Buffer>, code?: ExecFileErrorCode) {
    super(`${command.join(' ')} ${ending(result, code)}${complaint(result)}`)
    this.stdout = result.stdout
    this.stderr = result.stderr
    this.exitCode = result.exitCode
    this.signal = result.signal
    this.command = command
    this.code = code
  }

  static {
    ExecFileError.prototype.name = 'ExecFileError'
  }
}

/** Characters; all of it is in `stderr`. */
const LONGEST_COMPLAINT = 2000

function ending({ exitCode, signal }: ExecFileResult<string | Buffer>, code: ExecFileErrorCode | undefined): string {
  const how = signal === null ? `ended with code ${exitCode}` : `ended by ${signal}`
  if (code === 'ETIMEDOUT') return `took longer than its timeout, and ${how}`
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `said more than maxBuffer allows, and ${how}`
  return how
}

function complaint({ stderr }: ExecFileResult<string | Buffer>): string {
  const text = String(stderr).trim()
  if (text === '') return ''
  return `: ${text.length > LONGEST_COMPLAINT ? `…${text.slice(-LONGEST_COMPLAINT)}` : text}`
}
