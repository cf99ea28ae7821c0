import { namesOf } from '../validate/kinds.ts'

let warned = false

/**
 * Warns once, except in production, about sets that are garbage-collected without having been closed. The garbage
 * collector closes their descriptors, but at an unpredictable time.
 */
const registry =
  process.env['NODE_ENV'] === 'production'
    ? undefined
    : new FinalizationRegistry<number>((flags) => {
        if (warned) return
        warned = true
        process.emitWarning(
          `A NamespaceSet of ${namesOf(flags).join(', ')} was dropped without close(). Its descriptors stay open until the garbage collector ` +
            'closes them; call close(), or declare sets with `using`. This warning is printed once.',
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
