import type { Socket } from 'node:net'
import type { NativeConnection, NativeLinkLocal, NativeNetwork, NativeSocket } from '../../../../index.js'
import { binding } from '../../../native.ts'
import { isLinkLocal, splitZone } from '../../../validate/network/zone.ts'
import { nameInside } from '../names/link-local-names.ts'
import { resolveInside } from '../names/lookup.ts'
import { AF_INET, AF_INET6, AF_UNIX, isOfFileSystem, SOCK_STREAM, type SocketMaker } from '../socket-maker.ts'
import { boundTo } from './bind.ts'
import {
  EALREADY,
  EBADF,
  EBUSY,
  ECANCELED,
  failureOf,
  type HandleFailure,
  openInside,
  type StreamHandle,
} from './node-handle.ts'

/**
 * @internal Ties a socket to a network: every handle that Node.js ever gives it, also when it connects again after its end, either
 * connects and binds inside or fails.
 *
 * A handle creates its descriptor when it first connects or binds, on the calling thread, which is outside. If it has been given
 * a descriptor before that, it uses that one.
 */
export function createInside<S extends Socket>(socket: S, network: NativeNetwork): S {
  const prototype = Object.getPrototypeOf(socket) as object
  takeOver(Reflect.get(prototype, '_handle', socket), socket, network)
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get: () => Reflect.get(prototype, '_handle', socket),
    set: (handle) => {
      takeOver(handle, socket, network)
      Reflect.set(prototype, '_handle', handle, socket)
    },
  })
  return socket
}

/**
 * @internal The same for a socket that a server inside has accepted, but only when it connects again: few sockets do, and the work
 * would be done for each accepted socket.
 */
export function reconnectInside(socket: Socket, { native, lookup }: SocketMaker): void {
  const connect = (...args: Parameters<Socket['connect']>): Socket => {
    Reflect.deleteProperty(socket, 'connect')
    return resolveInside(createInside(socket, native), lookup).connect(...args)
  }
  Object.defineProperty(socket, 'connect', { value: connect, configurable: true, writable: true })
}

function takeOver(handle: StreamHandle | null | undefined, socket: Socket, network: NativeNetwork): void {
  if (handle === null || handle === undefined) return
  // A handle that has a descriptor already got it outside, and cannot get another one.
  let state: State = handle.fd >= 0 ? 'foreign' : 'new'
  // The handle of a TLS socket wraps the handle that connects.
  const below = handle._parent ?? handle
  const usual = Object.getPrototypeOf(handle) as StreamHandle

  const open = (made: NativeSocket): number => {
    if (state !== 'new') return FAILURES[state]
    const failed = numberOf(openInside(network, below, made), socket)
    if (failed === 0) state = 'inside'
    return failed
  }
  /** Node's own method, which would create a descriptor outside if the handle had none. */
  const inside =
    (method: 'connect' | 'connect6' | 'bind' | 'bind6', domain: number) =>
    (...args: never[]): number => {
      const failed = open({ domain, type: SOCK_STREAM })
      if (failed !== 0) return failed
      if (!(below.fd >= 0)) return EBADF
      return Reflect.apply(usual[method], handle, args) as number
    }
  const connect6 = inside('connect6', AF_INET6) as StreamHandle['connect6']
  const bind6 = inside('bind6', AF_INET6) as StreamHandle['bind6']
  handle.connect = inside('connect', AF_INET)
  handle.connect6 = (request, address, ...rest) => {
    nameInside(below)
    const [bare, zone] = splitZone(address)
    const isAlone = state === 'connecting' || state === 'foreign'
    if (isAlone || !isLinkLocal(bare) || (zone === undefined && !LOOKS_FOR_LINKS)) {
      return connect6(request, bare, ...rest)
    }
    const bound = state === 'inside' ? below : undefined
    state = 'connecting'
    const target = { address: bare, port: rest[0] as number, ...(zone === undefined ? {} : { zone }) }
    connectLinkLocal(below, request as ConnectRequest, target, bound, socket, network).then((isInside) => {
      state = isInside || bound !== undefined ? 'inside' : 'new'
    })
    return 0
  }
  handle.bind = inside('bind', AF_INET)
  handle.bind6 = (address, port, ...rest) => {
    nameInside(below)
    const [bare, zone] = splitZone(address)
    if (zone === undefined || !isLinkLocal(bare) || state !== 'new') return bind6(bare, port, ...rest)
    // Node omits the port if the caller did. As in libuv, an address that was in use until now can be bound.
    return open(boundTo(SOCK_STREAM, address, port ?? 0, { reuseAddress: true, reusePort: false, ipv6Only: false }))
  }
  if (below.constructor.name !== 'Pipe') return
  const connectAbstract = inside('connect', AF_UNIX) as StreamHandle['connect']
  handle.connect = (request, path) => {
    const isCallers = state === 'new' && isOfFileSystem(path)
    return isCallers ? usual.connect.call(handle, request, path) : connectAbstract(request, path)
  }
}

/** Where the descriptor of a handle was created. A handle that is `new` or `connecting` has none yet. */
type State = 'new' | 'connecting' | 'inside' | 'foreign'

const FAILURES = { inside: 0, connecting: EALREADY, foreign: EBUSY }

/** The request object that Node passes to a handle. */
interface ConnectRequest {
  oncomplete(status: number, handle: StreamHandle, request: object, readable: boolean, writable: boolean): void
}

/** Since 1.49, libuv chooses the first link outside for a link-local address without a zone. */
const LOOKS_FOR_LINKS = Number(process.versions.uv?.split('.')[1] ?? 0) >= 49

/**
 * Connects without libuv, and calls back as a handle does. It uses the socket of the handle if that is bound, and creates one
 * otherwise. Resolves with whether the handle has a connected socket.
 */
async function connectLinkLocal(
  handle: StreamHandle,
  request: ConnectRequest,
  target: NativeLinkLocal,
  bound: StreamHandle | undefined,
  socket: Socket,
  network: NativeNetwork,
): Promise<boolean> {
  const connection = new (binding().NativeConnection)()
  const connecting = connect(network, connection, target, bound)
  const close = Object.getOwnPropertyDescriptor(handle, 'close')
  let isClosed = false
  // Node closes the handle of a destroyed socket, and that of an attempt that it gives up.
  handle.close = (callback) => {
    isClosed = true
    connection.close()
    restore(handle, 'close', close)
    handle.close(callback)
  }
  const failure = await connecting
  if (isClosed) return false
  restore(handle, 'close', close)
  const status = numberOf(failure === undefined ? taken(handle, connection, bound) : failureOf(failure), socket)
  request.oncomplete(status, handle, request, true, true)
  return status === 0
}

/** Restores the previous descriptor of a property. */
function restore(object: object, name: string, was: PropertyDescriptor | undefined): void {
  if (was === undefined) Reflect.deleteProperty(object, name)
  else Object.defineProperty(object, name, was)
}

/** Resolves with the error if the connection fails. */
async function connect(
  network: NativeNetwork,
  connection: NativeConnection,
  target: NativeLinkLocal,
  bound: StreamHandle | undefined,
): Promise<Error | undefined> {
  try {
    await network.connectLinkLocal(connection, target, bound)
    return undefined
  } catch (error) {
    return error as Error
  }
}

function taken(handle: StreamHandle, connection: NativeConnection, bound: StreamHandle | undefined): HandleFailure {
  try {
    if (bound === undefined) return connection.give(handle)
    connection.close()
    // The handle has this descriptor already; open() makes it readable and writable.
    return handle.open(handle.fd)
  } catch (error) {
    return failureOf(error)
  }
}

/** Returns the number to report to Node. An error without a number destroys the socket. */
function numberOf(failure: HandleFailure, socket: Socket): number {
  if (typeof failure === 'number') return failure
  endWith(socket, failure)
  return ECANCELED
}

/** Makes Node destroy the socket with this error. Node does that itself, because it may try another address first. */
function endWith(socket: Socket, error: Error): void {
  const destroy = (given?: Error) => {
    Reflect.deleteProperty(socket, 'destroy')
    return socket.destroy(given === undefined || given === null ? given : error)
  }
  Object.defineProperty(socket, 'destroy', { value: destroy, configurable: true, writable: true })
}
