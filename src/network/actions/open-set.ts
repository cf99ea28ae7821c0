import type { NativeSet } from '../../../index.js'
import { NS } from '../../namespace-kind.ts'
import { binding } from '../../native.ts'
import type { KnownSet } from '../../validate/network/known-set.ts'

/** @internal A reference to a set that is not open. */
export type SetToOpen = Exclude<KnownSet, { readonly set: unknown }>

/** @internal Opens what a reference names. It has to be closed again. */
export function openSet(known: SetToOpen): NativeSet {
  const native = binding()
  if ('name' in known) return native.openName(known.directory, known.name)
  if ('path' in known) return native.fromPath(known.path, NS.NET)
  const { pid, tid } = known
  const kinds = process.geteuid?.() === 0 ? NS.NET : NS.NET | NS.USER
  return tid === undefined ? native.fromPid(pid, kinds) : native.fromThread(pid, tid, kinds)
}
