import type { NativeNetwork, NativeSet } from '../../index.js'
import type { AnySet, Surroundings } from './context.ts'

/** @hidden What the parts of the package that are below the class of sets know of a set. */
export interface SetHandle {
  readonly native: NativeSet
  /** The name of its network in ip-netns(8), where the set was opened by it or has given it. */
  netnsName: string | undefined
  /** The native part of its network, made on first use. */
  network(): NativeNetwork
  /** What functions among actions are given of it. */
  surroundings(): Surroundings
  /** Another set of the same class. */
  create(native: NativeSet, netnsName?: string): SetHandle
  close(): void
  /** As that of the set. */
  toString(): string
}

/** @internal The property by which a set has its handle. Each copy of the package has one of its own. */
export const HANDLE = Symbol('nsset.handle')

/** @internal Whether it is a set, and of this copy of the package. */
export function isSet(value: unknown): value is AnySet {
  return typeof value === 'object' && value !== null && HANDLE in value
}

/** @internal */
export function handleOf(set: AnySet): SetHandle {
  return (set as { [HANDLE]: SetHandle })[HANDLE]
}
