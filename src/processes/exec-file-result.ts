import type { OutputEncoding } from '../validate/processes/exec-file-options.ts'

/** Why `execFile` stopped a program. */
export type ExecFileErrorCode = 'ETIMEDOUT' | 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'

/** The type of the output for an encoding: a string or a Buffer. */
export type Output<E extends OutputEncoding> = [E] extends ['buffer' | null]
  ? Buffer
  : [Extract<E, 'buffer' | null>] extends [never]
    ? string
    : string | Buffer

/** The output of a program, and how it ended. */
export interface ExecFileResult<T extends string | Buffer> {
  stdout: T
  stderr: T
  /** `null` if a signal ended the program. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** With `reject: false`: why the program was stopped, if it was. */
  code?: ExecFileErrorCode | undefined
}
