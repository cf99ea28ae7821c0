import { misuse } from '../../errors.ts'

/**
 * @internal Throws in a runtime that does not have Node's own sockets, because connections would silently be created outside: Bun
 * ignores agents and dispatchers, and the handles of Deno always create their own descriptors.
 */
export function ensureNodeSockets(what: string, runtimes: readonly ('bun' | 'deno')[] = ['bun', 'deno']): void {
  const runtime = runtimes.find((name) => process.versions[name] !== undefined)
  if (runtime === undefined) return
  throw misuse(
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    `network.${what} requires Node.js: the sockets of ${runtime} would be outside`,
  )
}

/** @internal Returns whether sockets and servers use Node's own handles. */
export function hasNodeSockets(): boolean {
  return process.versions['bun'] === undefined && process.versions['deno'] === undefined
}
