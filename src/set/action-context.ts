import type { Network } from '../network/network.ts'
import type { NamespaceSet } from './namespace-set.ts'

/** What functions among actions are given. */
export interface ActionContext {
  /** The set that the actions are done in. */
  readonly set: NamespaceSet
  /** Its network. */
  readonly network: Network
  /** What the actions before this one have come to, in order. */
  readonly results: readonly unknown[]
  /** The signal that was given to `apply`. */
  readonly signal: AbortSignal | undefined
}

declare module '../objects/context.ts' {
  interface Register {
    readonly set: NamespaceSet
    readonly context: ActionContext
  }
}
