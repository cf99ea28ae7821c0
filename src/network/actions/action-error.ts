import { NamespaceError } from '../../errors.ts'

/** What an action's error is made of. */
interface Failed {
  index: number
  /** Whether the list had this one action only. */
  isOnly: boolean
  action: string
  target: string
  results: readonly unknown[]
  cause: unknown
  /** Whether the cause is the reason of a signal, which may be anything. */
  isAborted: boolean
}

/**
 * An action that failed, or a method of {@link Network}, which is a list of one action. It has the `code`, `errno` and
 * `syscall` of its `cause`. Actions before it are done, and stay done.
 *
 * `code` may also be one of a misuse that shows only then (`ERR_INVALID_ARG_VALUE`, `ERR_NSSET_AMBIGUOUS`, `ERR_NSSET_CLOSED`),
 * `'ABORT_ERR'` when the signal was aborted, or `'ERR_NSSET_ACTION'` when a function threw something without a code.
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
  /** What it was about: `'br0'`; empty where it was about nothing that has a name. */
  readonly target: string
  /** What the actions before it have come to. */
  declare readonly results: readonly unknown[]

  /** @hidden Made by this package. */
  constructor({ index, isOnly, action, target, results, cause, isAborted }: Failed) {
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
    // Not shown with it: there may be private keys in them.
    Object.defineProperty(this, 'results', { value: results })
  }

  static {
    ActionError.prototype.name = 'ActionError'
  }
}

/** Functions may throw anything: errors of other realms, and objects that have no words for themselves. */
function messageOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause)
  const { message } = cause as Partial<Error>
  return typeof message === 'string' ? message : 'an object was thrown that is no error'
}
