import type { Cluster } from 'node:cluster'
import type { ListenOptions, Server } from 'node:net'
import { invalidType } from '../errors.ts'
import { familyOf } from '../network/values.ts'
import { parseBoolean, parseOptions, parseSignal } from '../options.ts'
import { parseText } from '../paths.ts'
import { type Binding, bindAbstract, bindInside } from './bind.ts'
import { addressOf } from './lookup.ts'
import { closeSocket, isOfFileSystem, SOCK_STREAM, type SocketMaker, splitZone } from './socket-maker.ts'
import { systemError } from './system-error.ts'

/** Options of {@link Network.listen}: those of `server.listen`. */
export interface NetworkListenOptions extends ListenOptions {
  /** Whether others may listen on the same port, and share what comes: SO_REUSEPORT of socket(7). */
  reusePort?: boolean | undefined
}

/** @internal As `server.listen`, inside. */
export async function listen<S extends Server>(maker: SocketMaker, server: S, options: unknown): Promise<S> {
  if (!(server instanceof process.getBuiltinModule('node:net').Server)) {
    throw invalidType('server', 'a server of net, http, https, http2 or tls', server)
  }
  const given = parseOptions<NetworkListenOptions>(typeof options === 'number' ? { port: options } : options)
  const signal = parseSignal(given.signal)
  signal?.throwIfAborted()
  if (!hasPort(given) && isOfFileSystem(given.path)) return started(server, () => server.listen(given))
  maker.ensureOpen()
  if (server.listening) throw alreadyListening()
  const { fd, ...place } = await boundSocket(maker, given)
  let isTaken = false
  try {
    signal?.throwIfAborted()
    await started(server, () => {
      listenOn(server, fd, given.backlog, signal)
      isTaken = true
    })
    // Node cannot ask a descriptor for it, and remembers it where it has bound it.
    if (!hasPort(given) && given.path) Object.assign(server, { _pipeName: given.path })
    return server
  } catch (error) {
    // What it has taken Node closes, and somebody else may have its number by now.
    if (!isTaken) closeSocket(fd)
    signal?.throwIfAborted()
    throw withPlace(error as NodeJS.ErrnoException, place)
  }
}

/** A socket that is bound, and where. */
interface Bound {
  fd: number
  address: string
  port: number
}

/** Of a descriptor Node does not know where it was to listen: two can bind to a port, of which one can listen (socket(7)). */
function withPlace(error: NodeJS.ErrnoException, { address, port }: Omit<Bound, 'fd'>): Error {
  if (error.syscall !== 'listen') return error
  error.message += port > 0 ? ` ${address}:${port}` : ` ${address}`
  return Object.assign(error, { address }, port === 0 ? {} : { port })
}

/** Where it has one, Node goes by it, and not by a path. */
const hasPort = ({ port }: Partial<NetworkListenOptions>) => port !== undefined && port !== null

/** As Node refuses it. */
function parsePort(port: unknown): number {
  const parsed = port === '' ? Number.NaN : Number(port)
  if (Number.isInteger(parsed) && parsed >= 0 && parsed <= 0xffff) return parsed
  const received = `type ${typeof port} (${process.getBuiltinModule('node:util').inspect(port)})`
  const error = new RangeError(`options.port should be >= 0 and < 65536. Received ${received}.`)
  throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' })
}

/** What Node's errors say of a path. */
const NO_PORT = -1

async function boundSocket(maker: SocketMaker, given: Partial<NetworkListenOptions>): Promise<Bound> {
  const { path, host } = given
  if (path && !hasPort(given)) return bind(path, NO_PORT, () => bindAbstract(maker, SOCK_STREAM, path))
  const port = hasPort(given) ? parsePort(given.port) : 0
  const how: Binding = {
    // As libuv has it, so that the port of a server that has just ended can be taken.
    reuseAddress: true,
    reusePort: parseBoolean(given.reusePort, 'options.reusePort'),
    ipv6Only: parseBoolean(given.ipv6Only, 'options.ipv6Only'),
  }
  const bindTo = (address: string) => bind(address, port, () => bindInside(maker, SOCK_STREAM, address, port, how))
  if (host === undefined || host === null || host === '') return bindAnywhere(bindTo)
  const name = parseText(host, 'options.host')
  const address = familyOf(splitZone(name)[0]) === 0 ? await addressOf(maker.lookup, name) : name
  return bindTo(address)
}

/** All addresses of both families, or of IPv4 alone where there is no IPv6. */
function bindAnywhere(bindTo: (address: string) => Bound): Bound {
  try {
    return bindTo('::')
  } catch (error) {
    if (!NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return bindTo('0.0.0.0')
  }
}

const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

function bind(address: string, port: number, make: () => number): Bound {
  try {
    return { fd: make(), address, port }
  } catch (error) {
    throw systemError(error, 'listen', { address, port })
  }
}

/** What `server.listen` itself calls in the end: with a descriptor, and else nothing. */
type Listen2 = (address: null, port: null, type: null, backlog: number | undefined, fd: number) => void

function listenOn(server: Server, fd: number, backlog: number | undefined, signal: AbortSignal | undefined): void {
  const { isWorker } = process.getBuiltinModule('node:cluster') as unknown as Cluster
  // Beside a descriptor, Node heeds a backlog only as an argument.
  if (!isWorker) return void server.listen({ fd, signal } as ListenOptions, backlog as never)
  // There `listen` would take the number for a descriptor of the primary's, whatever it is told.
  const listen2 = Reflect.get(server, '_listen2') as Listen2
  listen2.call(server, null, null, null, backlog, fd)
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
