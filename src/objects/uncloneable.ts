/**
 * @internal The value of a property `uncloneable`, which makes structuredClone() and postMessage() reject an object. Without it
 * they would copy the own enumerable properties of the object without its class and private fields, and an empty object would
 * arrive. They reject symbols, and the message of the DataCloneError contains the description of the symbol.
 * (`markAsUncloneable` of node:worker_threads gives no reason, and Node.js 20 does not have it.) JSON.stringify() skips symbols.
 * All objects of a class share one symbol.
 */
export function insteadOf(Class: string, remedy: string): symbol {
  return Symbol(`${Class}: ${remedy}`)
}

/** @internal For `Network` and its parts. */
export const INSTEAD_OF_NETWORK = insteadOf(
  'Network',
  "send set.path('net') in its place, and open it there with NamespaceSet.fromPath()",
)

type Inspect = (value: unknown, options: object) => string

/** @internal Omits the property from the output of util.inspect() and console.log(). */
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
