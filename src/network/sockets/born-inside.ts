import type { Socket } from 'node:net'
import type { NativeConnection, NativeLinkLocal, NativeNetwork, NativeSocket } from '../../../index.js'
import { binding } from '../../native.ts'
import { nameInside } from './names/link-local-names.ts'
import { resolveInside } from './names/lookup.ts'
import {
  EALREADY,
  EBADF,
  EBUSY,
  ECANCELED,
  openInside,
  type Refusal,
  refusalOf,
  type StreamHandle,
} from './node-handle.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  isLinkLocal,
  isOfFileSystem,
  SOCK_STREAM,
  type SocketMaker,
  splitZone,
} from './socket-maker.ts'
import { boundTo } from './streams/bind.ts'

/**
 * @internal Binds a socket to a network for good: whatever handles Node.js gives it on its way, and later, when it has ended and
 * connects anew, connect and bind inside or not at all.
 *
 * Node.js makes a handle's descriptor when the handle first connects or binds, on the thread that does: outside. Given one
 * before, it uses that.
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

/**
 * @internal The same for a socket that a server inside has accepted, once it connects anew: few ever do, and each that is accepted
 * would take the time.
 */
export function stayInside(socket: Socket, { native, lookup }: SocketMaker): void {
  const connect = (...args: Parameters<Socket['connect']>): Socket => {
    Reflect.deleteProperty(socket, 'connect')
    return resolveInside(bearInside(socket, native), lookup).connect(...args)
  }
  Object.defineProperty(socket, 'connect', { value: connect, configurable: true, writable: true })
}

function adopt(handle: StreamHandle | null | undefined, socket: Socket, network: NativeNetwork): void {
  if (handle === null || handle === undefined) return
  // What has a descriptor already has one from elsewhere, and gets no other.
  let state: State = handle.fd >= 0 ? 'foreign' : 'new'
  // A handle of TLS is around the one that connects.
  const below = handle._parent ?? handle
  const usual = Object.getPrototypeOf(handle) as StreamHandle

  const open = (made: NativeSocket): number => {
    if (state !== 'new') return REFUSALS[state]
    const failed = numberOf(openInside(network, below, made), socket)
    if (failed === 0) state = 'inside'
    return failed
  }
  /** Node's own method, which would make a descriptor outside where there is none. */
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
    const place = { address: bare, port: rest[0] as number, ...(zone === undefined ? {} : { zone }) }
    connectLinkLocal(below, request as ConnectRequest, place, bound, socket, network).then((isInside) => {
      state = isInside || bound !== undefined ? 'inside' : 'new'
    })
    return 0
  }
  handle.bind = inside('bind', AF_INET)
  handle.bind6 = (address, port, ...rest) => {
    nameInside(below)
    const [bare, zone] = splitZone(address)
    if (zone === undefined || !isLinkLocal(bare) || state !== 'new') return bind6(bare, port, ...rest)
    // Node leaves out a port that the caller has left out. Port and address can be used again, as libuv has it.
    return open(boundTo(SOCK_STREAM, address, port ?? 0, { reuseAddress: true, reusePort: false, ipv6Only: false }))
  }
  if (below.constructor.name !== 'Pipe') return
  const connectAbstract = inside('connect', AF_UNIX) as StreamHandle['connect']
  handle.connect = (request, path) => {
    const isCallers = state === 'new' && isOfFileSystem(path)
    return isCallers ? usual.connect.call(handle, request, path) : connectAbstract(request, path)
  }
}

/** Where the descriptor of a handle is from; there is none yet where it is `new` or `connecting`. */
type State = 'new' | 'connecting' | 'inside' | 'foreign'

const REFUSALS = { inside: 0, connecting: EALREADY, foreign: EBUSY }

/** What Node has asked its handle for. */
interface ConnectRequest {
  oncomplete(status: number, handle: StreamHandle, request: object, readable: boolean, writable: boolean): void
}

/** From 1.49 on libuv takes the first link outside for a link-local address without a zone. */
const LOOKS_FOR_LINKS = Number(process.versions.uv?.split('.')[1] ?? 0) >= 49

/**
 * Connects beside libuv, by the socket of the handle if that is bound, and else before it has one, and tells as a handle does. Resolves
 * with whether it has one that is connected.
 */
async function connectLinkLocal(
  handle: StreamHandle,
  request: ConnectRequest,
  place: NativeLinkLocal,
  bound: StreamHandle | undefined,
  socket: Socket,
  network: NativeNetwork,
): Promise<boolean> {
  const connection = new (binding().NativeConnection)()
  const connecting = connect(network, connection, place, bound)
  const close = Object.getOwnPropertyDescriptor(handle, 'close')
  let isClosed = false
  // Node closes the handle of a socket that is destroyed, and of an attempt that it gives up.
  handle.close = (callback) => {
    isClosed = true
    connection.close()
    restore(handle, 'close', close)
    handle.close(callback)
  }
  const failure = await connecting
  if (isClosed) return false
  restore(handle, 'close', close)
  const status = numberOf(failure === undefined ? taken(handle, connection, bound) : refusalOf(failure), socket)
  request.oncomplete(status, handle, request, true, true)
  return status === 0
}

/** Puts a property back to what it was. */
function restore(object: object, name: string, was: PropertyDescriptor | undefined): void {
  if (was === undefined) Reflect.deleteProperty(object, name)
  else Object.defineProperty(object, name, was)
}

/** Why there is no connection, if there is none. */
async function connect(
  network: NativeNetwork,
  connection: NativeConnection,
  place: NativeLinkLocal,
  bound: StreamHandle | undefined,
): Promise<Error | undefined> {
  try {
    await network.connectLinkLocal(connection, place, bound)
    return undefined
  } catch (error) {
    return error as Error
  }
}

function taken(handle: StreamHandle, connection: NativeConnection, bound: StreamHandle | undefined): Refusal {
  try {
    if (bound === undefined) return connection.give(handle)
    connection.close()
    // The handle has it already, and learns that it can be read and written.
    return handle.open(handle.fd)
  } catch (error) {
    return refusalOf(error)
  }
}

/** The number that Node is told; an error that has none ends the socket. */
function numberOf(refusal: Refusal, socket: Socket): number {
  if (typeof refusal === 'number') return refusal
  endWith(socket, refusal)
  return ECANCELED
}

/** Node may try the next address yet, and so the socket is not destroyed before Node does so: by this error then. */
function endWith(socket: Socket, error: Error): void {
  const destroy = (given?: Error) => {
    Reflect.deleteProperty(socket, 'destroy')
    return socket.destroy(given === undefined || given === null ? given : error)
  }
  Object.defineProperty(socket, 'destroy', { value: destroy, configurable: true, writable: true })
}
