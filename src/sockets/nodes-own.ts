import { invalidValue, misuse } from '../errors.ts'

/**
 * @internal Throws in a runtime whose sockets are not Node's own: those would be outside, and nobody would notice.
 * Agents and dispatchers Bun passes over; the handles of Deno make their descriptors anew.
 */
export function ensureNodesOwn(what: string, runtimes: readonly ('bun' | 'deno')[] = ['bun', 'deno']): void {
  const runtime = runtimes.find((name) => process.versions[name] !== undefined)
  if (runtime === undefined) return
  throw misuse(
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    `network.${what} needs Node.js: the sockets of ${runtime} would be outside`,
  )
}

/** @internal Whether sockets and servers stand on Node's own handles. */
export function isNodesOwn(): boolean {
  return process.versions['bun'] === undefined && process.versions['deno'] === undefined
}

/** @internal Throws for options by which Node takes a socket that is there already: it may be of any network. */
export function refuseForeign(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name)
    if (value === undefined || value === null) continue
    throw invalidValue(`options.${name}`, 'must be left out: what is inside is made inside', value)
  }
}
