import type { LookupAddress } from 'node:dns'
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net'

/** @internal Resolves with the first address of a name. On abort it rejects at once; the lookup itself continues. */
export async function addressOf(
  lookup: LookupFunction,
  name: string,
  family: 0 | 4 | 6 = 0,
  signal?: AbortSignal,
): Promise<string> {
  const [address] = await addressesOf(lookup, name, signal, family)
  return address as string
}

/** @internal Resolves with all addresses of a name, in the order of the lookup. On abort it rejects at once. */
export function addressesOf(
  lookup: LookupFunction,
  name: string,
  signal?: AbortSignal,
  family: 0 | 4 | 6 = 0,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    lookup(name, { family, all: true }, (error, addresses) => {
      signal?.removeEventListener('abort', abort)
      if (error !== null) reject(error)
      else resolve((addresses as LookupAddress[]).map(({ address }) => address))
    })
  })
}

/** @internal Makes a socket resolve names inside whenever it connects, if no `lookup` is given then. */
export function resolveInside<S extends Socket>(socket: S, lookup: LookupFunction): S {
  const connectSocket = socket.connect as (...args: unknown[]) => S
  const connectInside = (first: unknown, ...rest: unknown[]) => {
    if (typeof first === 'object' && first !== null && !Array.isArray(first)) {
      const given = first as TcpNetConnectOpts
      return connectSocket.call(socket, { ...given, lookup: given.lookup ?? lookup }, ...rest)
    }
    if (!isPort(first)) return connectSocket.call(socket, first, ...rest)
    const [host, listener] = typeof rest[0] === 'string' ? rest : [undefined, rest[0]]
    return connectSocket.call(socket, { port: first, host, lookup }, listener)
  }
  return Object.defineProperty(socket, 'connect', { value: connectInside, configurable: true, writable: true })
}

/** Distinguishes a port from a path as Node does. */
function isPort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '' && Number(value) >= 0)
}

/** A lookup that does nothing before it is released. */
interface HeldLookup {
  lookup: LookupFunction
  release(): void
}

/** @internal Delays the calls of a lookup until it is released. Node itself rejects a value that is not a function. */
export function hold(lookup: LookupFunction): HeldLookup {
  if (typeof lookup !== 'function') return { lookup, release: () => undefined }
  let waiting: (() => void)[] | undefined = []
  return {
    lookup: (...question) => {
      if (waiting === undefined) lookup(...question)
      else waiting.push(() => lookup(...question))
    },
    release: () => {
      const questions = waiting
      waiting = undefined
      for (const ask of questions ?? []) ask()
    },
  }
}
