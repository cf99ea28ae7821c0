import { shared } from './shared.ts'

/** @internal Who waits for something that the native side tells by number. */
export interface Waiting<T> {
  readonly name: string
  /** Only a type. */
  readonly told?: T
}

interface Listeners<T> {
  readonly byNumber: Map<number, (told: T) => void>
  last: number
}

/** @internal The one list of this name. */
export function waitingFor<T>(name: string): Waiting<T> {
  return { name }
}

function listeners<T>({ name }: Waiting<T>): Listeners<T> {
  return shared(name, () => ({ byNumber: new Map(), last: 0 }))
}

/** @internal A number, and who hears of it. */
export function expect<T>(waiting: Waiting<T>, listener: (told: T) => void): number {
  const all = listeners(waiting)
  all.last = (all.last + 1) % 0xffffffff
  all.byNumber.set(all.last, listener)
  return all.last
}

/** @internal Who hears of this number, once. */
export function take<T>(waiting: Waiting<T>, number: number): ((told: T) => void) | undefined {
  const { byNumber } = listeners(waiting)
  const listener = byNumber.get(number)
  byNumber.delete(number)
  return listener
}
