import type { OutputEncoding } from '../validate/processes/exec-file-options.ts'

/** Why a program was stopped. */
export type ExecFileErrorCode = 'ETIMEDOUT' | 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'

/** A string, or a Buffer, as the encoding has it. */
export type Output<E extends OutputEncoding> = [E] extends ['buffer' | null]
  ? Buffer
  : [Extract<E, 'buffer' | null>] extends [never]
    ? string
    : string | Buffer

/** How a program ended, and what it said. */
export interface ExecFileResult<T extends string | Buffer> {
  stdout: T
  stderr: T
  /** Null when a signal ended it. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** With `reject: false`: why it was stopped, if it was. */
  code?: ExecFileErrorCode | undefined
}
