import type { Network } from '../network/network.ts'
import type { NamespaceSet } from './namespace-set.ts'

/** The argument of functions in actions. */
export interface ActionContext {
  /** The set in which the actions run. */
  readonly set: NamespaceSet
  /** The network of the set. */
  readonly network: Network
  /** The results of the actions before this one, in order. */
  readonly results: readonly unknown[]
  /** The signal that was passed to `apply`. */
  readonly signal: AbortSignal | undefined
}

declare module '../objects/context.ts' {
  interface Register {
    readonly set: NamespaceSet
    readonly context: ActionContext
  }
}
