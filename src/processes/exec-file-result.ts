/** Why a program was stopped. */
export type ExecFileErrorCode = 'ETIMEDOUT' | 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'

/** How output becomes text; `'buffer'` and null leave it as bytes. */
export type OutputEncoding = BufferEncoding | 'buffer' | null

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
