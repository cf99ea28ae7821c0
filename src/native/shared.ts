/**
 * What the copies of these modules in an environment share that have one native binding (bundlers, module registries of
 * test runners): the binding has one line to them. Another installation has a binding of its own, and shares nothing.
 */
let owner: { [key: symbol]: unknown } = {}

/** @internal From now on this is kept on a function of the binding, which all that load it get. */
export function shareOn(fn: (...args: never[]) => unknown): void {
  owner = fn as unknown as typeof owner
}

/** @internal The one of this name, made by the first that asks for it. */
export function shared<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(name)
  const known = owner[key] as T | undefined
  if (known !== undefined) return known
  const made = make()
  Object.defineProperty(owner, key, { value: made })
  return made
}
