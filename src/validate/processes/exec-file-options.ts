import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, parseOptions } from '../fields.ts'
import { boolean } from '../values.ts'
import { type Launch, launchOf, PROCESS, type ProcessOptions, parseArguments, parseFile } from './spawn-options.ts'

/** How output becomes text; `'buffer'` and null leave it as bytes. */
export type OutputEncoding = BufferEncoding | 'buffer' | null

/** Options of {@link NamespaceSet.execFile}. */
export interface ExecFileOptions<E extends OutputEncoding = OutputEncoding> extends ProcessOptions {
  /** What the program reads from stdin, to its end. Default: nothing. */
  input?: string | NodeJS.ArrayBufferView | undefined
  /** Default: `'utf8'`. */
  encoding?: E | undefined
  /** Bytes of stdout, and of stderr, after which `killSignal` is sent; 1 MiB by default, as with `child_process`. */
  maxBuffer?: number | undefined
  /** Whether an end other than with code 0 is an error. Default: `true`. */
  reject?: boolean | undefined
}

type Decode = (bytes: Buffer) => string | Buffer

const encoding: Parse<Decode> = (value, name) => {
  if (value === 'buffer' || value === null) return (bytes) => bytes
  if (typeof value === 'string' && Buffer.isEncoding(value)) return (bytes) => bytes.toString(value)
  throw invalidValue(name, "must be an encoding of Node's, or 'buffer'", value)
}

const maxBuffer: Parse<number> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!(value >= 0)) throw invalidValue(name, 'must be a number of bytes', value)
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

/** @internal What is to be started, and what is done with what it says. */
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
