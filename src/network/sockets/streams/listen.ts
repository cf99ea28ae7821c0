import type { ListenOptions, Server, Socket } from 'node:net'
import type { NativeSocket } from '../../../../index.js'
import { invalidType } from '../../../errors.ts'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { type NetworkListenOptions, parseListenOptions, parsePort } from '../../../validate/sockets/listen-options.ts'
import { type Binding, boundTo, boundToName } from '../handles/bind.ts'
import { reconnectInside } from '../handles/born-inside.ts'
import { addressOf } from '../names/lookup.ts'
import { hasNodeSockets } from '../nodes-own.ts'
import { AF_INET6, isOfFileSystem, SOCK_STREAM, type SocketMaker } from '../socket-maker.ts'
import { errorOf, systemError } from '../system-error.ts'
import { listenBy, NO_PORT, namePeersInside, serverHandle } from './server-handle.ts'

/** @internal Same as `server.listen`, inside. */
export async function listen<S extends Server>(maker: SocketMaker, server: S, options: unknown): Promise<S> {
  if (!(server instanceof process.getBuiltinModule('node:net').Server)) {
    throw invalidType('server', 'a server of net, http, https, http2 or tls', server)
  }
  const given = parseListenOptions(options)
  const { signal } = given
  signal?.throwIfAborted()
  if (!hasPort(given) && isOfFileSystem(given.path)) return started(server, () => server.listen(given))
  maker.ensureOpen()
  if (server.listening) throw alreadyListening()
  const endpoints = await endpointsOf(maker, given, signal)
  signal?.throwIfAborted()
  const isPipe = !hasPort(given) && Boolean(given.path)
  let endpoint = endpoints[0] as Endpoint
  try {
    await started(server, () => {
      if (server.listening) throw alreadyListening()
      endpoint = listenInside(maker, server, endpoints, { isPipe, backlog: given.backlog, signal })
      keepInside(maker, server)
    })
    // Node cannot get the name from a descriptor, and only knows it if it has bound the socket itself.
    if (isPipe) Object.assign(server, { _pipeName: given.path })
    return server
  } catch (error) {
    signal?.throwIfAborted()
    throw withEndpoint(error as NodeJS.ErrnoException, endpoint)
  }
}

/** Connections that the server accepts stay inside if they connect again. If the server listens again, that is outside. */
function keepInside(maker: SocketMaker, server: Server): void {
  if (!hasNodeSockets()) return
  const keep = (socket: Socket) => reconnectInside(socket, maker)
  const events = ['connection', 'secureConnection']
  for (const event of events) server.prependListener(event, keep)
  server.once('close', () => {
    for (const event of events) server.removeListener(event, keep)
  })
}

/** An address, and a socket that is bound to it. */
interface Endpoint {
  address: string
  port: number
  socket: NativeSocket
}

/** Adds the address, which Node does not know of a handle. Two sockets can bind to a port of which one can listen (socket(7)). */
function withEndpoint(error: NodeJS.ErrnoException & { address?: string | null }, { address, port }: Endpoint): Error {
  if (error.syscall !== 'listen' || typeof error.address === 'string') return error
  error.message += port > 0 ? ` ${address}:${port}` : ` ${address}`
  Reflect.deleteProperty(error, 'port')
  return Object.assign(error, { address }, port === 0 ? {} : { port })
}

/** If there is a port, Node uses it and ignores a path. */
const hasPort = ({ port }: NetworkListenOptions) => port !== undefined && port !== null

/** Returns the addresses to try, in order. */
async function endpointsOf(
  maker: SocketMaker,
  given: NetworkListenOptions,
  signal: AbortSignal | undefined,
): Promise<Endpoint[]> {
  const { path, host } = given
  if (path && !hasPort(given)) return [{ address: path, port: NO_PORT, socket: boundToName(SOCK_STREAM, path) }]
  const port = hasPort(given) ? parsePort(given.port) : 0
  const how: Binding = {
    // As in libuv, so that the port of a server that has just ended can be bound.
    reuseAddress: true,
    reusePort: given.reusePort ?? false,
    ipv6Only: given.ipv6Only ?? false,
  }
  const at = (address: string): Endpoint => ({ address, port, socket: boundTo(SOCK_STREAM, address, port, how) })
  // All addresses of both families, or of IPv4 if the network does not support IPv6.
  if (host === undefined || host === '') return ['::', '0.0.0.0'].map(at)
  return [at(familyOf(splitZone(host)[0]) === 0 ? await addressOf(maker.lookup, host, 0, signal) : host)]
}

const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

interface How {
  isPipe: boolean
  backlog: number | undefined
  signal: AbortSignal | undefined
}

/** Makes the server listen at the first address that works, and returns that. Every descriptor always has an owner. */
function listenInside(maker: SocketMaker, server: Server, endpoints: Endpoint[], how: How): Endpoint {
  const { isPipe, backlog, signal } = how
  if (!hasNodeSockets()) {
    const open = (fd: number) => {
      // With a descriptor, Node uses a backlog only if it is an argument.
      server.listen({ fd, signal } as ListenOptions, backlog as never)
      return 0
    }
    return bindFirst(maker, { open }, endpoints)
  }
  const handle = serverHandle(isPipe)
  try {
    const endpoint = bindFirst(maker, handle, endpoints)
    listenBy(handle, server, isPipe, backlog)
    if (endpoint.socket.domain === AF_INET6) namePeersInside(handle)
    closeWhenAborted(server, signal)
    return endpoint
  } finally {
    if (Reflect.get(server, '_handle') !== handle) handle.close()
  }
}

function bindFirst(maker: SocketMaker, handle: object, [endpoint, ...others]: Endpoint[]): Endpoint {
  const { address, port, socket } = endpoint as Endpoint
  try {
    const failed = maker.native.openHandle(handle, socket)
    if (failed !== 0) throw errorOf(failed, 'listen', { address, port })
    return endpoint as Endpoint
  } catch (error) {
    if (others.length > 0 && NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) {
      return bindFirst(maker, handle, others)
    }
    throw systemError(error, 'listen', { address, port })
  }
}

/** Same as the option `signal` of `server.listen`, which Node ignores with a handle. */
function closeWhenAborted(server: Server, signal: AbortSignal | undefined): void {
  const close = () => server.close()
  signal?.addEventListener('abort', close, { once: true })
  server.once('close', () => signal?.removeEventListener('abort', close))
}

function started<S extends Server>(server: S, begin: () => unknown): Promise<S> {
  return new Promise((resolve, reject) => {
    const forget = () => {
      server.removeListener('listening', onListening).removeListener('error', onError).removeListener('close', onClose)
    }
    const onListening = () => {
      forget()
      resolve(server)
    }
    const onError = (error: Error) => {
      forget()
      reject(error)
    }
    // A server that is closed before it listens emits nothing else.
    const onClose = () => onError(notRunning())
    server.once('listening', onListening).once('error', onError).once('close', onClose)
    try {
      begin()
    } catch (error) {
      onError(error as Error)
    }
  })
}

function notRunning(): Error {
  return Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' })
}

function alreadyListening(): Error {
  const error = new Error('Listen method has been called more than once without closing.')
  return Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' })
}
