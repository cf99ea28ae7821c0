import type { Readable, Stream, Writable } from 'node:stream'
import { invalidType, invalidValue } from '../../errors.ts'
import { parseArray } from '../fields.ts'
import { parseInteger } from '../values.ts'

/**
 * One of the program's descriptors. `'pipe'`: a stream of the child. `'inherit'`: the caller's descriptor of the same number. A number
 * or a stream: that descriptor of the caller. `'ignore'`: `/dev/null` for stdin, stdout and stderr, no descriptor for others. `null` or
 * `undefined`: `'pipe'` for stdin, stdout and stderr, `'ignore'` for others.
 */
export type Stdio = 'pipe' | 'overlapped' | 'inherit' | 'ignore' | Stream | number | null | undefined

/** One value for stdin, stdout and stderr, or an array with one for each descriptor. */
export type StdioOptions = 'pipe' | 'overlapped' | 'inherit' | 'ignore' | readonly Stdio[]

type Piped = 'pipe' | 'overlapped' | null | undefined

/** The entry for stdin, stdout or stderr; `undefined` if there is none. */
type At<S extends StdioOptions | undefined, I extends 0 | 1 | 2> = S extends readonly unknown[]
  ? number extends S['length']
    ? S[number] | undefined
    : S extends { readonly [K in I]: infer V }
      ? V
      : undefined
  : S

type StreamFor<V, T> = [V] extends [Piped] ? T : [Extract<V, Piped>] extends [never] ? null : T | null

/** The type of a child's `stdin` for its option `stdio`: a stream, null, or either. */
export type StdinOf<S extends StdioOptions | undefined> = StreamFor<At<S, 0>, Writable>

/** The type of a child's `stdout` for its option `stdio`. */
export type StdoutOf<S extends StdioOptions | undefined> = StreamFor<At<S, 1>, Readable>

/** The type of a child's `stderr` for its option `stdio`. */
export type StderrOf<S extends StdioOptions | undefined> = StreamFor<At<S, 2>, Readable>

const WORDS = ['pipe', 'overlapped', 'inherit', 'ignore']

/** @internal Returns the option as Node's `ChildProcess` takes it. */
export function parseStdio(stdio: unknown, name: string): StdioOptions {
  if (stdio === undefined || stdio === null) return 'pipe'
  if (typeof stdio === 'string') {
    if (WORDS.includes(stdio)) return stdio as StdioOptions
    throw invalidValue(name, expected(stdio), stdio)
  }
  if (!Array.isArray(stdio)) throw invalidType(name, `${WORDS.join(', ')} or an array`, stdio)
  if (stdio.length > 256) throw invalidValue(name, 'must have at most 256 entries', stdio)
  return parseArray(stdio, name, parseOne)
}

function parseOne(stdio: unknown, name: string): Stdio {
  if (stdio === undefined || stdio === null) return stdio
  if (typeof stdio === 'number') return parseInteger(stdio, name, 0, 0x7fffffff)
  if (typeof stdio === 'string' ? WORDS.includes(stdio) : isOpenStream(stdio)) return stdio as Stdio
  throw invalidValue(name, expected(stdio), stdio)
}

/** Whether the stream has a descriptor already: a stream of a file has one after its event `'open'`. */
function isOpenStream(stream: unknown): boolean {
  if (typeof stream !== 'object' || stream === null) return false
  const { fd, handle, _handle } = stream as { fd?: unknown; handle?: unknown; _handle?: unknown }
  return typeof fd === 'number' || isHandle(handle) || isHandle(_handle)
}

function isHandle(handle: unknown): boolean {
  return typeof handle === 'object' && handle !== null && 'fd' in handle
}

function expected(stdio: unknown): string {
  const words = WORDS.map((word) => `'${word}'`).join(', ')
  if (stdio === 'ipc') return `must be ${words}, a descriptor or a stream; for 'ipc' use fork()`
  return `must be ${words}, a descriptor, or a stream that has one`
}
