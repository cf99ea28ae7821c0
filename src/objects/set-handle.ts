import type { NativeNetwork, NativeSet } from '../../index.js'
import type { AnySet, Surroundings } from './context.ts'

/** @hidden A set, for the layers below its class. */
export interface SetHandle {
  readonly native: NativeSet
  /** Whether the set is closed, without a call of the native side. */
  readonly isClosed: boolean
  /** The name of its network (ip-netns(8)), if the set was opened or created by name. */
  netnsName: string | undefined
  /** Returns the native part of its network, which is created on first use. */
  network(): NativeNetwork
  /** Returns the members of an action's context that belong to the set. */
  surroundings(): Surroundings
  /** Creates another set of the same class. */
  create(native: NativeSet, netnsName?: string): SetHandle
  close(): void
  /** Returns the same text as the set. */
  toString(): string
}

/** @internal The property that holds the handle of a set. Each copy of the package has its own. */
export const HANDLE = Symbol('nsset.handle')

/** @internal Returns whether a value is a set of this copy of the package. */
export function isSet(value: unknown): value is AnySet {
  return typeof value === 'object' && value !== null && HANDLE in value
}

/** @internal */
export function handleOf(set: AnySet): SetHandle {
  return (set as { [HANDLE]: SetHandle })[HANDLE]
}
