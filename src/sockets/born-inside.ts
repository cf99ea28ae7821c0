import type { Socket } from 'node:net'
import type { NativeNetwork } from '../../index.js'
import { ask } from '../network/ask.ts'
import { AF_INET, AF_INET6, AF_UNIX, closeSocket, SOCK_STREAM, splitZone } from './socket-maker.ts'

/**
 * What Node has below a socket. It makes its descriptor when it first connects or binds, on the thread that does: outside.
 * Given one before, it uses that.
 */
interface Handle {
  open(fd: number): number
  connect(request: object, address: string, ...rest: unknown[]): number
  connect6(request: object, address: string, ...rest: unknown[]): number
  bind(address: string, port: number, ...rest: unknown[]): number
  bind6(address: string, port: number, ...rest: unknown[]): number
}

/**
 * @internal Has a socket that is about to connect do so inside, whatever handles Node gives it on its way; and later, when it has
 * ended and connects anew.
 */
export function bearInside<S extends Socket>(socket: S, network: NativeNetwork): S {
  const prototype = Object.getPrototypeOf(socket) as object
  adopt(Reflect.get(prototype, '_handle', socket), socket, network)
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get: () => Reflect.get(prototype, '_handle', socket),
    set: (handle) => {
      adopt(handle, socket, network)
      Reflect.set(prototype, '_handle', handle, socket)
    },
  })
  return socket
}

function adopt(handle: Handle | null | undefined, socket: Socket, network: NativeNetwork): void {
  if (handle === null || handle === undefined) return
  let isOpen = false
  const open = (family: number, zone: string | undefined): number => {
    if (isOpen) return 0
    isOpen = true
    return openInside(handle, family, zone, socket, network)
  }
  const inside =
    (method: 'connect' | 'connect6' | 'bind' | 'bind6', family: number, addressAt: number) =>
    (...args: never[]): number => {
      const [address, zone] = splitZone(String(args[addressAt]))
      const failed = open(family, family === AF_INET6 ? zone : undefined)
      if (failed !== 0) return failed
      const rest = family === AF_INET6 ? args.with(addressAt, address as never) : args
      return Reflect.apply(Reflect.get(Object.getPrototypeOf(handle), method), handle, rest) as number
    }
  const isPipe = handle.constructor.name === 'Pipe'
  handle.connect = inside('connect', isPipe ? AF_UNIX : AF_INET, 1)
  const connect6 = inside('connect6', AF_INET6, 1) as Handle['connect6']
  handle.connect6 = (request, address, ...rest) => {
    const [bare, zone] = splitZone(address)
    if (zone === undefined || isOpen) return connect6(request, address, ...rest)
    isOpen = true
    connectLinkLocal(handle, request as ConnectRequest, bare, zone, rest[0] as number, socket, network)
    return 0
  }
  handle.bind = inside('bind', AF_INET, 0)
  handle.bind6 = inside('bind6', AF_INET6, 0)
}

/** What Node has asked its handle for. */
interface ConnectRequest {
  oncomplete(status: number, handle: Handle, request: object, readable: boolean, writable: boolean): void
}

/** Connects before there is a handle, and tells as a handle does. */
async function connectLinkLocal(
  handle: Handle,
  request: ConnectRequest,
  address: string,
  zone: string,
  port: number,
  socket: Socket,
  network: NativeNetwork,
): Promise<void> {
  let connection = 0
  const { failure } = await ask((id) => {
    connection = id
    network.connectLinkLocal(id, address, port, zone)
  }).catch((failure: Error) => ({ failure }))
  const status = failure === undefined ? takeInto(handle, connection, socket, network) : errnoOf(failure, socket)
  // A handle of TLS is around the one that connects.
  const own = (handle as { _parent?: Handle })._parent ?? handle
  if (!socket.destroyed) request.oncomplete(status, own, request, true, true)
}

function takeInto(handle: Handle, connection: number, socket: Socket, network: NativeNetwork): number {
  try {
    const fd = network.takeSocket(connection)
    const refused = socket.destroyed ? ECANCELED : handle.open(fd)
    if (refused !== 0) closeSocket(fd)
    return refused
  } catch (error) {
    return errnoOf(error as Error, socket)
  }
}

/** The number that Node is told; what has none ends the socket with itself. */
function errnoOf(error: Error, socket: Socket): number {
  const { errno } = error as NodeJS.ErrnoException
  if (errno !== undefined) return errno
  endWith(socket, error)
  return ECANCELED
}

const ECANCELED = -125

/** Answers as Node's handles do: 0, or a negative error number. */
function openInside(
  handle: Handle,
  family: number,
  zone: string | undefined,
  socket: Socket,
  network: NativeNetwork,
): number {
  try {
    const fd = network.socket(family, SOCK_STREAM, 0, zone)
    const refused = handle.open(fd)
    if (refused !== 0) closeSocket(fd)
    return refused
  } catch (error) {
    return errnoOf(error as Error, socket)
  }
}

/** Node may try the next address yet, and so the socket is not destroyed before Node does so: by this error then. */
function endWith(socket: Socket, error: Error): void {
  const destroy = (given?: Error) => {
    Reflect.deleteProperty(socket, 'destroy')
    return socket.destroy(given === undefined || given === null ? given : error)
  }
  Object.defineProperty(socket, 'destroy', { value: destroy, configurable: true, writable: true })
}
