import type { FoundNamespace } from './found-namespace.ts'

/**
 * A namespace with those that it owns. `console.log` draws it.
 *
 * @example
 * for (const root of (await namespaces()).tree()) console.log(root)
 */
export class NamespaceTree {
  /** The namespace at the top. */
  readonly namespace: FoundNamespace
  /** For a user namespace: those that it owns, user namespaces among them. Otherwise empty. */
  readonly children: readonly NamespaceTree[]

  /** @hidden Created by {@link NamespaceList.tree}. */
  constructor(namespace: FoundNamespace, children: readonly NamespaceTree[]) {
    this.namespace = namespace
    this.children = children
  }

  /** Draws the tree, one line for each namespace. */
  toString(): string {
    return [String(this.namespace), ...drawBelow(this.children)].join('\n')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** @internal Returns the trees of the namespaces whose owner is not among them. */
export function treesOf(namespaces: readonly FoundNamespace[]): NamespaceTree[] {
  const below = new Map<string, NamespaceTree[]>(namespaces.map(({ id }) => [id, []]))
  const roots: NamespaceTree[] = []
  for (const namespace of namespaces) {
    const siblings = namespace.owner === undefined ? undefined : below.get(namespace.owner)
    const tree = new NamespaceTree(namespace, below.get(namespace.id) ?? [])
    ;(siblings ?? roots).push(tree)
  }
  return roots
}

function drawBelow(trees: readonly NamespaceTree[]): string[] {
  return trees.flatMap(({ namespace, children }, index) => {
    const isLast = index === trees.length - 1
    const [branch, indent] = isLast ? ['└─ ', '   '] : ['├─ ', '│  ']
    return [branch + String(namespace), ...drawBelow(children).map((line) => indent + line)]
  })
}
