import type { FoundNamespace } from './found-namespace.ts'
import type { IncompleteReason } from './incomplete.ts'
import { type NamespaceTree, treesOf } from './tree.ts'

/**
 * The namespaces that {@link namespaces} has found, sorted by kind and inode number: an array, whose `filter` and `map` return
 * ordinary arrays. `console.log` prints a line for each.
 *
 * @example
 * for (const { id, holders } of await namespaces({ kinds: 'net' })) console.log(id, holders.length)
 */
export class NamespaceList extends Array<FoundNamespace> {
  /** What the search could not look at; empty if everything was visible. */
  readonly incomplete: readonly IncompleteReason[]

  /** @hidden Created by {@link namespaces}. */
  constructor(found: readonly FoundNamespace[], incomplete: readonly IncompleteReason[]) {
    super()
    for (const namespace of found) this.push(namespace)
    this.incomplete = incomplete
  }

  /** @hidden Arrays that methods return are ordinary ones. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  /**
   * Returns the namespaces as trees: below each user namespace those that it owns. At the top are those whose owner is not in the
   * list, like `lsns --tree=owner`.
   *
   * @example
   * const [first] = (await namespaces()).tree()
   * console.log(first?.namespace.id) // user:[4026531837]
   * @see lsns(8), user_namespaces(7)
   */
  tree(): NamespaceTree[] {
    return treesOf(this)
  }

  /** Returns one line for each namespace, and one for each reason why the list is incomplete. */
  override toString(): string {
    const reasons = this.incomplete.map(({ message }) => `incomplete: ${message}`)
    return [...this.map(String), ...reasons].join('\n')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
