/**
 * @internal The value of a property `uncloneable`, which makes structuredClone() and postMessage() refuse an object. Those copy the
 * own enumerable properties of an object and forget its class and its private fields, so that an empty object would arrive. They
 * refuse a symbol, and the message of their DataCloneError has its description. (`markAsUncloneable` of node:worker_threads gives no reason,
 * and Node.js 20 does not have it.) JSON.stringify() leaves symbols out, and two objects of a class have the same one.
 */
export function insteadOf(Class: string, remedy: string): symbol {
  return Symbol(`${Class}: ${remedy}`)
}

/** @internal For a network and its parts. */
export const INSTEAD_OF_NETWORK = insteadOf(
  'Network',
  "send set.path('net') in its place, and open it there with NamespaceSet.fromPath()",
)

type Inspect = (value: unknown, options: object) => string

/** @internal Leaves the property out of what util.inspect() and console.log() print. */
export function hideUncloneable(Class: { readonly name: string; readonly prototype: object }): void {
  function inspectWithout(this: object, depth: number, options: object, inspect: Inspect): string {
    if (depth < 0) return `[${Class.name}]`
    const { uncloneable: _, ...shown } = this as { uncloneable?: symbol }
    return `${Class.name} ${inspect(shown, { ...options, depth })}`
  }
  Object.defineProperty(Class.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value: inspectWithout,
    configurable: true,
    writable: true,
  })
}
