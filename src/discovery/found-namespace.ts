import type { NamespaceKind } from '../namespace-kind.ts'
import type { NamespaceSet } from '../set/namespace-set.ts'
import type { FactTable } from './fact-table.ts'
import type { NamespaceFacts, NamespaceHolder, NamespaceName } from './holders.ts'
import { oneLine } from './text.ts'

/** @hidden What holds the namespaces of a list, by their indexes. */
export interface HolderSource {
  holdersOf(index: number): readonly NamespaceHolder[]
  namesOf(holders: readonly NamespaceHolder[]): readonly NamespaceName[]
  open(index: number): NamespaceSet
}

/**
 * A namespace that {@link namespaces} has found. The object holds nothing open. Its properties are what the search has found;
 * they are decoded when they are read.
 *
 * @example
 * const [first] = await namespaces({ kinds: 'net' })
 * using set = first?.open()
 */
export class FoundNamespace implements NamespaceFacts {
  readonly #facts: FactTable
  readonly #source: HolderSource
  readonly #index: number
  #holders: readonly NamespaceHolder[] | undefined
  #names: readonly NamespaceName[] | undefined

  /** @hidden Created by {@link namespaces}. */
  constructor(facts: FactTable, source: HolderSource, index: number) {
    this.#facts = facts
    this.#source = source
    this.#index = index
  }

  /** The kind of the namespace. */
  get kind(): NamespaceKind {
    return this.#facts.kind(this.#index)
  }

  /** The identity, as {@link NamespaceSet.id} returns it. The kernel uses the number again when the namespace is gone. */
  get id(): string {
    return this.#facts.id(this.#index)
  }

  /** The id of the user namespace that owns it; undefined if the kernel does not show it to the caller. */
  get owner(): string | undefined {
    return this.#facts.owner(this.#index)
  }

  /** The id of the namespace above, for `user` and `pid`; undefined for the first one, and if the kernel does not show it. */
  get parent(): string | undefined {
    return this.#facts.parent(this.#index)
  }

  /** The user who created the user namespace that owns it; for a user namespace, the user who created it. */
  get ownerUid(): number | undefined {
    return this.#facts.ownerUid(this.#index)
  }

  /** The number that the kernel never uses again (`NS_GET_ID`), for {@link NamespaceSet.fromId}; undefined before Linux 6.18. */
  get uniqueId(): bigint | undefined {
    return this.#facts.uniqueId(this.#index)
  }

  /** What keeps it alive, as far as the caller can see it; empty with `holders: false`. */
  get holders(): readonly NamespaceHolder[] {
    this.#holders ??= this.#source.holdersOf(this.#index)
    return this.#holders
  }

  /** Its names, of ip-netns(8) and of containers. */
  get names(): readonly NamespaceName[] {
    this.#names ??= this.#source.namesOf(this.holders)
    return this.#names
  }

  /**
   * Opens the namespace as a set of one kind, through whatever holds it: by its unique id, a process, a thread, a descriptor, a
   * socket, a mount, or a namespace below it. Compared by its unique id, it is never another namespace with the same inode
   * number (before Linux 6.18, only the inode number can be compared).
   *
   * @throws {@link NamespaceError} `ENOENT` if it is gone; `EACCES` or `EPERM` if the caller may not open it.
   * @example
   * const lost = (await namespaces({ kinds: 'net' })).find(({ holders }) => holders.every(({ type }) => type === 'descriptor'))
   * using set = lost?.open()
   * @see open_by_handle_at(2), pidfd_getfd(2), ioctl_ns(2)
   */
  open(): NamespaceSet {
    return this.#source.open(this.#index)
  }

  /**
   * Returns plain data for JSON; `uniqueId` is a string.
   *
   * @example
   * console.log(JSON.stringify(await namespaces({ kinds: 'net' }), null, 2))
   */
  toJSON(): Omit<NamespaceFacts, 'uniqueId'> & { uniqueId: string | undefined } {
    const { kind, id, uniqueId, owner, parent, ownerUid, holders, names } = this
    return { kind, id, uniqueId: uniqueId?.toString(), owner, parent, ownerUid, holders, names }
  }

  /** Returns a line such as `net:[4026532177] uid 0, blue, 2 processes (sleep 4711, …), mount /run/netns/blue`. */
  toString(): string {
    return oneLine(this)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
