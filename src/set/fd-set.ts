import type { NativeFds } from '../../index.js'
import { invalidType, misuse } from '../errors.ts'
import type { NamespaceKind } from '../namespace-kind.ts'
import { binding } from '../native.ts'
import { hideUncloneable, insteadOf } from '../objects/uncloneable.ts'
import { flagOf, namesOf } from '../validate/kinds.ts'

const INSTEAD = insteadOf(
  'FdSet',
  'send the numbers, [...fds], to a thread of this process, and open them there with NamespaceSet.fromFd()',
)

/**
 * Descriptors of one's own for the namespaces of a set, each close-on-exec. They are closed with this object, or when
 * it is dropped; whoever closes one by hand closes somebody else's later.
 *
 * @example
 * using fds = set.fds('net')
 * spawn('nsenter', ['--net=/proc/self/fd/3', 'ip', 'addr'], { stdio: ['ignore', 1, 2, fds.get('net')] })
 *
 * @see fcntl(2)
 */
export class FdSet implements Iterable<[NamespaceKind, number]> {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD
  readonly #native: NativeFds
  #fds: Map<NamespaceKind, number> | undefined

  static {
    hideUncloneable(FdSet)
  }

  /** @hidden Made by {@link NamespaceSet.fds}. */
  constructor(native: NativeFds) {
    if (!(native instanceof binding().NativeFds)) throw invalidType('native', 'what set.fds() gives', native)
    this.#native = native
    this.#fds = new Map(native.entries() as [NamespaceKind, number][])
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#fds === undefined
  }

  /**
   * The descriptor of a kind.
   *
   * @example
   * using fds = set.fds()
   * console.log(fds.get('net'))
   * @throws `ERR_NSSET_CLOSED`, `ERR_NSSET_NOT_IN_SET`, and `ERR_INVALID_ARG_TYPE` or `_VALUE` for what is no kind.
   */
  get(kind: NamespaceKind): number {
    const [name] = namesOf(flagOf(kind))
    const fd = this.#open().get(name as NamespaceKind)
    if (fd === undefined) throw misuse('ERR_NSSET_NOT_IN_SET', `there is no descriptor of a ${name} namespace here`)
    return fd
  }

  /**
   * Each kind with its descriptor, in the order of `/proc/PID/ns`.
   *
   * @throws `ERR_NSSET_CLOSED`
   */
  [Symbol.iterator](): IterableIterator<[NamespaceKind, number]> {
    return this.#open().entries()
  }

  /**
   * Closes the descriptors; a second time does nothing.
   *
   * @example
   * const fds = set.fds()
   * try { use(fds.get('net')) } finally { fds.close() }
   */
  close(): void {
    this.#fds = undefined
    this.#native.close()
  }

  /** As {@link FdSet.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #open(): Map<NamespaceKind, number> {
    if (this.#fds === undefined) throw misuse('ERR_NSSET_CLOSED', 'the descriptors are closed')
    return this.#fds
  }
}
