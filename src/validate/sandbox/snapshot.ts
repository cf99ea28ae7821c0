/**
 * @internal A copy of checked options that are used later, so that a change of the caller's objects has no effect. Inherited options
 * stay inherited, because an unknown one is no error there.
 */
export function snapshot(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof URL) return new URL(value)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (Array.isArray(value)) return Array.from(value, snapshot)
  const copy = Object.create(inheritedBy(value))
  for (const key of Object.keys(value)) copy[key] = snapshot(Reflect.get(value, key))
  return copy
}

/** What an object inherits, also by the getters of a class, without what every object has. */
function inheritedBy(value: object): object {
  const all: Record<string, unknown> = {}
  for (let parent = parentOf(value); parent !== undefined; parent = parentOf(parent)) {
    for (const [key, { get, enumerable = false }] of Object.entries(Object.getOwnPropertyDescriptors(parent))) {
      if ((get === undefined && !enumerable) || Object.hasOwn(all, key)) continue
      Object.defineProperty(all, key, { value: snapshot(Reflect.get(value, key)), enumerable, configurable: true })
    }
  }
  return all
}

/** The prototype, if it is not `Object.prototype` of this or another realm. */
function parentOf(value: object): object | undefined {
  const parent: object | null = Object.getPrototypeOf(value)
  return parent === null || Object.hasOwn(parent, 'isPrototypeOf') ? undefined : parent
}
