import { misuse } from '../../errors.ts'

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
