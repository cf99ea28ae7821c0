import type { ExecFileErrorCode, ExecFileResult } from './exec-file-result.ts'

/**
 * A program ended with an exit code other than 0, ended by a signal, or was stopped. The error has all properties of
 * {@link ExecFileResult}.
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
  /** Why the program was stopped; `undefined` if it ended by itself. */
  readonly code: ExecFileErrorCode | undefined

  /** @hidden Created by {@link NamespaceSet.execFile}. */
  constructor(command: readonly string[], result: ExecFileResult<string | Buffer>, code?: ExecFileErrorCode) {
    super(`${command.join(' ')} ${ending(result, code)}${excerpt(result)}`)
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

/** In characters: how much of `stderr` the message contains. */
const LONGEST_STDERR = 2000

function ending({ exitCode, signal }: ExecFileResult<string | Buffer>, code: ExecFileErrorCode | undefined): string {
  const how = signal === null ? `ended with code ${exitCode}` : `ended by ${signal}`
  if (code === 'ETIMEDOUT') return `took longer than its timeout, and ${how}`
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `wrote more than maxBuffer allows, and ${how}`
  return how
}

function excerpt({ stderr }: ExecFileResult<string | Buffer>): string {
  const text = String(stderr).trim()
  if (text === '') return ''
  return `: ${text.length > LONGEST_STDERR ? `…${text.slice(-LONGEST_STDERR)}` : text}`
}
