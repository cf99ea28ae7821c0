import type { Channel } from 'node:diagnostics_channel'
import type { ErrorFields } from '../index.js'
import type { NamespaceKind } from './namespace-kind.ts'

let errors: Channel | undefined

/** Publishes to `nsset:error`. For a failed action the cause is published, not the `ActionError` around it. */
function publish(error: Error): void {
  errors ??= process.getBuiltinModule('node:diagnostics_channel').channel('nsset:error')
  if (errors.hasSubscribers) errors.publish({ error })
}

/**
 * A system call that failed, in the calling thread or in a helper process of nsset.
 *
 * @example
 * try { NamespaceSet.fromPath('/run/netns/gone') }
 * catch (error) { if (error instanceof NamespaceError && error.code === 'ENOENT') console.log(error.path) }
 *
 * @see errno(3)
 */
export class NamespaceError extends Error {
  /** The name of the error number, such as `'EPERM'`, or `ERR_NSSET_RESTORE` or `ERR_NSSET_TAINTED_THREAD`. */
  readonly code: string
  /** The error number, negative as in Node.js. */
  declare readonly errno?: number
  /** The system call that failed, or the name of the step: `'setns'`, `'uid_map'`, `'spawn FILE'`. */
  declare readonly syscall?: string
  /** The kind of the namespace that the call was about. */
  declare readonly kind?: NamespaceKind
  /** The file that the call was about. */
  declare readonly path?: string
  /** The id of the process or thread that the call was about. */
  declare readonly pid?: number

  /** @hidden Created by this package. */
  constructor(fields: ErrorFields) {
    super(fields.message)
    this.code = fields.code
    if (fields.errno !== undefined) this.errno = fields.errno
    if (fields.syscall !== undefined) this.syscall = fields.syscall
    if (fields.kind !== undefined) this.kind = fields.kind as NamespaceKind
    if (fields.path !== undefined) this.path = fields.path
    if (fields.pid !== undefined) this.pid = fields.pid
    if (new.target === NamespaceError) publish(this)
  }

  static {
    NamespaceError.prototype.name = 'NamespaceError'
  }
}

/** The class of each error that a caller causes by misuse. Every other code is a {@link NamespaceError}. */
const MISUSE: Record<string, ErrorConstructor> = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_NSSET_AMBIGUOUS: RangeError,
  ERR_NSSET_ASYNC_CALLBACK: TypeError,
  ERR_NSSET_CLOSED: TypeError,
  ERR_NSSET_NOT_ENTERABLE: TypeError,
  ERR_NSSET_NOT_IN_SET: RangeError,
  ERR_NSSET_OTHER_COPY: TypeError,
  ERR_NSSET_UNSUPPORTED_PLATFORM: TypeError,
  ERR_UNKNOWN_SIGNAL: TypeError,
}

/** @internal Creates an error of misuse with a `code`, as Node's own errors have it. */
export function misuse(code: keyof typeof MISUSE, message: string, Class = MISUSE[code] ?? TypeError): Error {
  const error = new Class(message)
  Object.defineProperty(error, 'code', { value: code, enumerable: true, writable: true, configurable: true })
  publish(error)
  return error
}

/** @internal Creates the JavaScript error for an error of the native side. */
export function createError(fields: ErrorFields): Error {
  if (fields.code in MISUSE) {
    const error = misuse(fields.code, fields.message, fields.isRange ? RangeError : undefined)
    if (fields.kind !== undefined) Object.assign(error, { kind: fields.kind })
    return error
  }
  return new NamespaceError(fields)
}

/** @internal For an argument of the wrong type. */
export function invalidType(name: string, expected: string, value: unknown): Error {
  return misuse('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${expected}. Received ${describe(value)}`)
}

/** @internal For an argument of the right type with a value that is not allowed. */
export function invalidValue(name: string, reason: string, value: unknown): Error {
  const end = reason.endsWith('?') ? '' : '.'
  return misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' ${reason}${end} Received ${describe(value)}`)
}

/** @internal For a number outside of its range. */
export function outOfRange(name: string, range: string, value: unknown): Error {
  const message = `The argument '${name}' must be ${range}. Received ${describe(value)}`
  return misuse('ERR_INVALID_ARG_VALUE', message, RangeError)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `'${value.length > 128 ? `${value.slice(0, 128)}…` : value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `type ${typeof value} (${String(value)})`
}
