import type { NativeNetwork, NativeSet } from '../../index.js'
import type { NamespaceSet } from './namespace-set.ts'

/** @internal What modules below the class `NamespaceSet` need of sets. */
export interface SetAccess {
  isSet(value: unknown): value is NamespaceSet
  nativeOf(set: NamespaceSet): NativeSet
  /** The native part of its network, which is opened on first use. */
  nativeNetworkOf(set: NamespaceSet): NativeNetwork
  byName(name: string, directory: string | Buffer): NamespaceSet
  byPath(path: string | Buffer): NamespaceSet
  byProcess(pid: number, tid: number | undefined): NamespaceSet
}

/** @internal */
export let sets: SetAccess

/** @internal Called once by the class `NamespaceSet`. */
export function provideSets(access: SetAccess): void {
  sets = access
}
