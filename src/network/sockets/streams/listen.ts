import type { ListenOptions, Server, Socket } from 'node:net'
import type { NativeSocket } from '../../../../index.js'
import { invalidType } from '../../../errors.ts'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { type NetworkListenOptions, parseListenOptions, parsePort } from '../../../validate/sockets/listen-options.ts'
import { type Binding, boundTo, boundToName } from '../handles/bind.ts'
import { stayInside } from '../handles/born-inside.ts'
import { addressOf } from '../names/lookup.ts'
import { isNodesOwn } from '../nodes-own.ts'
import { AF_INET6, isOfFileSystem, SOCK_STREAM, type SocketMaker } from '../socket-maker.ts'
import { refusal, systemError } from '../system-error.ts'
import { listenBy, NO_PORT, namePeersInside, serverHandle } from './server-handle.ts'

/** @internal As `server.listen`, inside. */
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
  const places = await placesOf(maker, given, signal)
  signal?.throwIfAborted()
  const isPipe = !hasPort(given) && Boolean(given.path)
  let place = places[0] as Place
  try {
    await started(server, () => {
      if (server.listening) throw alreadyListening()
      place = listenInside(maker, server, places, { isPipe, backlog: given.backlog, signal })
      keepInside(maker, server)
    })
    // Node cannot ask a descriptor for it, and remembers it where it has bound it.
    if (isPipe) Object.assign(server, { _pipeName: given.path })
    return server
  } catch (error) {
    signal?.throwIfAborted()
    throw withPlace(error as NodeJS.ErrnoException, place)
  }
}

/** What it accepts may connect anew: inside, too. A server that listens again by itself is the caller's. */
function keepInside(maker: SocketMaker, server: Server): void {
  if (!isNodesOwn()) return
  const keep = (socket: Socket) => stayInside(socket, maker)
  const events = ['connection', 'secureConnection']
  for (const event of events) server.prependListener(event, keep)
  server.once('close', () => {
    for (const event of events) server.removeListener(event, keep)
  })
}

/** Where a server is to listen, and the socket that is bound there. */
interface Place {
  address: string
  port: number
  socket: NativeSocket
}

/** Of a handle Node does not know where it was to listen: two can bind to a port, of which one can listen (socket(7)). */
function withPlace(error: NodeJS.ErrnoException & { address?: string | null }, { address, port }: Place): Error {
  if (error.syscall !== 'listen' || typeof error.address === 'string') return error
  error.message += port > 0 ? ` ${address}:${port}` : ` ${address}`
  Reflect.deleteProperty(error, 'port')
  return Object.assign(error, { address }, port === 0 ? {} : { port })
}

/** Where it has one, Node goes by it, and not by a path. */
const hasPort = ({ port }: NetworkListenOptions) => port !== undefined && port !== null

/** Where it is to listen; the later ones where it cannot at those before. */
async function placesOf(
  maker: SocketMaker,
  given: NetworkListenOptions,
  signal: AbortSignal | undefined,
): Promise<Place[]> {
  const { path, host } = given
  if (path && !hasPort(given)) return [{ address: path, port: NO_PORT, socket: boundToName(SOCK_STREAM, path) }]
  const port = hasPort(given) ? parsePort(given.port) : 0
  const how: Binding = {
    // As libuv has it, so that the port of a server that has just ended can be taken.
    reuseAddress: true,
    reusePort: given.reusePort ?? false,
    ipv6Only: given.ipv6Only ?? false,
  }
  const at = (address: string): Place => ({ address, port, socket: boundTo(SOCK_STREAM, address, port, how) })
  // All addresses of both families, or of IPv4 alone where there is no IPv6.
  if (host === undefined || host === '') return ['::', '0.0.0.0'].map(at)
  return [at(familyOf(splitZone(host)[0]) === 0 ? await addressOf(maker.lookup, host, 0, signal) : host)]
}

const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

interface How {
  isPipe: boolean
  backlog: number | undefined
  signal: AbortSignal | undefined
}

/** Has the server listen at the first place that there is, which is returned. At no moment a descriptor is without an owner. */
function listenInside(maker: SocketMaker, server: Server, places: Place[], how: How): Place {
  const { isPipe, backlog, signal } = how
  if (!isNodesOwn()) {
    const open = (fd: number) => {
      // Beside a descriptor, Node heeds a backlog only as an argument.
      server.listen({ fd, signal } as ListenOptions, backlog as never)
      return 0
    }
    return bindFirst(maker, { open }, places)
  }
  const handle = serverHandle(isPipe)
  try {
    const place = bindFirst(maker, handle, places)
    listenBy(handle, server, isPipe, backlog)
    if (place.socket.domain === AF_INET6) namePeersInside(handle)
    closeWhenAborted(server, signal)
    return place
  } finally {
    if (Reflect.get(server, '_handle') !== handle) handle.close()
  }
}

function bindFirst(maker: SocketMaker, handle: object, [place, ...others]: Place[]): Place {
  const { address, port, socket } = place as Place
  try {
    const failed = maker.native.openHandle(handle, socket)
    if (failed !== 0) throw refusal(failed, 'listen', { address, port })
    return place as Place
  } catch (error) {
    if (others.length > 0 && NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) {
      return bindFirst(maker, handle, others)
    }
    throw systemError(error, 'listen', { address, port })
  }
}

/** As `listen` does, but for a handle. */
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
    // Closed before it could say that it listens, it says nothing more.
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
