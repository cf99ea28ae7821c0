import { namesOf } from '../validate/kinds.ts'

let warned = false

/**
 * Tells, once and in development only, that sets are dropped without being closed. The garbage collector closes them
 * all the same, but nobody knows when.
 */
const registry =
  process.env['NODE_ENV'] === 'production'
    ? undefined
    : new FinalizationRegistry<number>((flags) => {
        if (warned) return
        warned = true
        process.emitWarning(
          `A NamespaceSet of ${namesOf(flags).join(', ')} was dropped without close(). Its descriptors are closed by the garbage collector, in its ` +
            'own time; close sets, or hold them with `using`. This is said once.',
          { type: 'NamespaceWarning', code: 'NSSET_DROPPED' },
        )
      })

/** @internal */
export function watchForDrop(owner: object, flags: number): void {
  registry?.register(owner, flags, owner)
}

/** @internal */
export function closedProperly(owner: object): void {
  registry?.unregister(owner)
}
