/**
 * @internal Who waits for something that the native side tells by number. Shared by every copy of this package's modules in an
 * environment (bundlers, module registries of test runners): the native side has one line to it.
 */
export interface Waiting<T> {
  readonly listeners: Map<number, (told: T) => void>
  last: number
}

/** @internal The one list of this name. */
export function waitingFor<T>(name: string): Waiting<T> {
  const key = Symbol.for(name)
  const shared = globalThis as { [key]?: Waiting<T> }
  shared[key] ??= { listeners: new Map(), last: 0 }
  return shared[key]
}

/** @internal A number, and who hears of it. */
export function expect<T>(waiting: Waiting<T>, listener: (told: T) => void): number {
  waiting.last = (waiting.last + 1) % 0xffffffff
  waiting.listeners.set(waiting.last, listener)
  return waiting.last
}

/** @internal Who hears of this number, once. */
export function take<T>(waiting: Waiting<T>, number: number): ((told: T) => void) | undefined {
  const listener = waiting.listeners.get(number)
  waiting.listeners.delete(number)
  return listener
}
