import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, parseOptions } from '../fields.ts'
import { boolean } from '../values.ts'
import { type Launch, launchOf, PROCESS, type ProcessOptions, parseArguments, parseFile } from './spawn-options.ts'

/** The encoding of the output. With `'buffer'` or `null` the output is a Buffer. */
export type OutputEncoding = BufferEncoding | 'buffer' | null

/** Options of {@link NamespaceSet.execFile}. */
export interface ExecFileOptions<E extends OutputEncoding = OutputEncoding> extends ProcessOptions {
  /** The input that the program reads from stdin. Default: none; stdin is `/dev/null`. */
  input?: string | NodeJS.ArrayBufferView | undefined
  /** The encoding of `stdout` and `stderr`. Default: `'utf8'`. */
  encoding?: E | undefined
  /** Maximum size of stdout and of stderr, in bytes. More output makes it send `killSignal`. Default: `1024 * 1024`. */
  maxBuffer?: number | undefined
  /** Whether to reject if the program does not end with exit code 0. Default: `true`. */
  reject?: boolean | undefined
}

type Decode = (bytes: Buffer) => string | Buffer

const encoding: Parse<Decode> = (value, name) => {
  if (value === 'buffer' || value === null) return (bytes) => bytes
  if (typeof value === 'string' && Buffer.isEncoding(value)) return (bytes) => bytes.toString(value)
  throw invalidValue(name, "must be an encoding of Node.js, or 'buffer'", value)
}

const maxBuffer: Parse<number> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!(value >= 0)) throw invalidValue(name, 'must be a number of bytes, 0 or more', value)
  return value
}

const input: Parse<string | Uint8Array> = (value, name) => {
  if (typeof value === 'string') return value
  if (!ArrayBuffer.isView(value)) throw invalidType(name, 'a string, a Buffer or a typed array', value)
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

/** @internal */
export const EXEC_FILE = { ...PROCESS, input, encoding, maxBuffer, reject: boolean } satisfies FieldsOf<ExecFileOptions>

const DEFAULT_MAX_BUFFER = 1024 * 1024

/** @internal The program to start, and how to handle its output. */
export interface OutputLaunch {
  launch: Launch
  /** The program and its arguments. */
  command: readonly string[]
  input: string | Uint8Array | undefined
  decode: Decode
  maxBuffer: number
  rejects: boolean
  timeout: number
}

/** @internal */
export function parseExecFile(file: unknown, args: unknown, options: unknown): OutputLaunch {
  const [words, given] = parseArguments(args, options)
  const program = parseFile(file)
  const { input, encoding, maxBuffer, reject, timeout, ...rest } = parseOptions(given, EXEC_FILE)
  return {
    launch: launchOf(program, words, { ...rest, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] }),
    command: [program, ...words],
    input,
    decode: encoding ?? String,
    maxBuffer: maxBuffer ?? DEFAULT_MAX_BUFFER,
    rejects: reject ?? true,
    timeout: timeout ?? 0,
  }
}
