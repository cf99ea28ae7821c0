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
 * File descriptors of the namespaces of a set, separate from those of the set. They are close-on-exec, and are closed
 * with this object or when it is garbage-collected. Do not close these descriptors yourself: the number may be reused.
 *
 * @example
 * using fds = set.fds('net')
 * spawn('nsenter', ['--net=/proc/self/fd/3', 'ip', 'addr'], { stdio: ['ignore', 1, 2, fds.get('net')] })
 *
 * @see fcntl(2)
 */
export class FdSet implements Iterable<[NamespaceKind, number]> {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #native: NativeFds
  #fds: Map<NamespaceKind, number> | undefined

  static {
    hideUncloneable(FdSet)
  }

  /** @hidden Created by {@link NamespaceSet.fds}. */
  constructor(native: NativeFds) {
    if (!(native instanceof binding().NativeFds)) throw invalidType('native', 'created by NamespaceSet.fds()', native)
    this.#native = native
    this.#fds = new Map(native.entries() as [NamespaceKind, number][])
  }

  /** Whether the descriptors are closed. */
  get closed(): boolean {
    return this.#fds === undefined
  }

  /**
   * Returns the descriptor of the namespace of a kind.
   *
   * @throws `ERR_NSSET_CLOSED` after {@link FdSet.close}; `ERR_NSSET_NOT_IN_SET` if there is no descriptor of this kind;
   * `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` if `kind` is not a kind of namespace.
   * @example
   * using fds = set.fds()
   * console.log(fds.get('net'))
   */
  get(kind: NamespaceKind): number {
    const [name] = namesOf(flagOf(kind))
    const fd = this.#open().get(name as NamespaceKind)
    if (fd === undefined) throw misuse('ERR_NSSET_NOT_IN_SET', `there is no descriptor of a ${name} namespace here`)
    return fd
  }

  /**
   * Iterates over pairs of a kind and its descriptor, in the order of `/proc/PID/ns`.
   *
   * @throws `ERR_NSSET_CLOSED`
   */
  [Symbol.iterator](): IterableIterator<[NamespaceKind, number]> {
    return this.#open().entries()
  }

  /**
   * Closes the descriptors. Further calls do nothing.
   *
   * @example
   * const fds = set.fds()
   * try { use(fds.get('net')) } finally { fds.close() }
   */
  close(): void {
    this.#fds = undefined
    this.#native.close()
  }

  /** Same as {@link FdSet.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #open(): Map<NamespaceKind, number> {
    if (this.#fds === undefined) throw misuse('ERR_NSSET_CLOSED', 'the descriptors are closed')
    return this.#fds
  }
}
