import type { NativeNetwork, NativeSet } from '../../index.js'
import type { NamespaceSet } from './namespace-set.ts'

/** @internal What others need of sets without knowing their class, which knows them. */
export interface SetAccess {
  isSet(value: unknown): value is NamespaceSet
  nativeOf(set: NamespaceSet): NativeSet
  /** Of its network, which is made if need be. */
  nativeNetworkOf(set: NamespaceSet): NativeNetwork
  byName(name: string, directory: string | Buffer | undefined): NamespaceSet
  byPath(path: string | Buffer): NamespaceSet
  byProcess(pid: number, tid: number | undefined): NamespaceSet
}

/** @internal */
export let sets: SetAccess

/** @internal Called by the class. */
export function provideSets(access: SetAccess): void {
  sets = access
}
