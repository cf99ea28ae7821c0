import type { NativeOpened, NativeReference, NativeSet } from '../../../index.js'
import { createError } from '../../errors.ts'
import { NS } from '../../namespace-kind.ts'
import type { KnownSet } from '../../validate/network/known-set.ts'
import type { Procedure } from './procedure.ts'
import type { Way } from './way.ts'

/** @internal A reference to a set that is not open. */
export type SetToOpen = Exclude<KnownSet, { readonly set: unknown }>

/** @internal The sets that were opened, which have to be closed again, and why the next one was not. */
export interface Opened {
  sets: NativeSet[]
  failure: Error | undefined
}

/** @internal Opens what references name, up to the first that fails. */
export function* openSets(way: Way, references: readonly SetToOpen[]): Procedure<Opened> {
  const { sets, failure } = (yield way.open(references.map(native))) as NativeOpened
  return { sets, failure: failure && createError(failure) }
}

/** @internal Opens what a reference names. */
export function* openSet(way: Way, reference: SetToOpen): Procedure<NativeSet> {
  const { sets, failure } = yield* openSets(way, [reference])
  if (failure !== undefined) throw failure
  return sets[0] as NativeSet
}

function native(reference: SetToOpen): NativeReference {
  if ('name' in reference) {
    const { name, directory } = reference
    return directory === undefined ? { name } : { name, directory }
  }
  if ('path' in reference) return { path: reference.path }
  const { pid, tid } = reference
  const kinds = process.geteuid?.() === 0 ? NS.NET : NS.NET | NS.USER
  return tid === undefined ? { pid, kinds } : { pid, tid, kinds }
}
