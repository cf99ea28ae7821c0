import { NamespaceError } from '../../errors.ts'

/** The parts of an action's error. */
interface Failed {
  /** The actions before it. */
  done: string[]
  index: number
  /** Whether the list has one action. */
  isOnly: boolean
  action: string
  target: string
  results: readonly unknown[]
  cause: unknown
  /** Whether the cause is the reason of an aborted signal, which can be any value. */
  isAborted: boolean
}

/**
 * An action of {@link Network.apply} failed, or a method of {@link Network}, which is a list of one action. The error has the
 * `code`, `errno` and `syscall` of its `cause`. Actions before the one that failed have been done, and are not undone.
 *
 * `code` can also be `ERR_INVALID_ARG_VALUE`, `ERR_NSSET_AMBIGUOUS` or `ERR_NSSET_CLOSED` for a misuse that is only detected when
 * the action runs, `'ABORT_ERR'` if the signal is aborted, or `'ERR_NSSET_ACTION'` if a function throws a value without a code.
 *
 * @example
 * try { await set.network.apply([action.links.set('br0', { up: true })]) }
 * catch (error) { if (error instanceof ActionError) console.log(error.index, error.action, error.target, error.code) }
 */
export class ActionError extends NamespaceError {
  /** The position of the action in its list. */
  readonly index: number
  /** The name of the action: `'links.set'`. */
  readonly action: string
  /** What the action was about, such as `'br0'`; an empty string if that has no name. */
  readonly target: string
  /** What was done before it, and is not undone: `['links.add br0']`. Only in a list of several actions. */
  declare readonly done?: readonly string[]
  /** The results of the actions before it. */
  declare readonly results: readonly unknown[]

  /** @hidden Created by this package. */
  constructor({ done, index, isOnly, action, target, results, cause, isAborted }: Failed) {
    const what = target === '' ? action : `${action} ${target}`
    const message = messageOf(cause)
    const { code, errno, syscall, kind, path, pid } = (cause ?? {}) as Partial<NamespaceError>
    const ownCode = typeof code === 'string' ? code : 'ERR_NSSET_ACTION'
    super({
      message: isOnly ? `${what}: ${message}` : `action ${index} (${what}): ${message}`,
      code: isAborted ? 'ABORT_ERR' : ownCode,
      ...(errno === undefined ? {} : { errno }),
      ...(syscall === undefined ? {} : { syscall }),
      ...(kind === undefined ? {} : { kind }),
      ...(path === undefined ? {} : { path }),
      ...(pid === undefined ? {} : { pid }),
    })
    this.cause = cause
    this.index = index
    this.action = action
    this.target = target
    if (!isOnly) this.done = done
    // Not enumerable, because they can contain private keys.
    Object.defineProperty(this, 'results', { value: results })
  }

  static {
    ActionError.prototype.name = 'ActionError'
  }
}

/** Functions can throw any value: errors of other realms, and objects without a message. */
function messageOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause)
  const { message } = cause as Partial<Error>
  return typeof message === 'string' ? message : 'the function threw an object that is not an error'
}
