import type { Socket } from 'node:net'
import type { NativeNetwork } from '../../index.js'
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
  handle.connect6 = inside('connect6', AF_INET6, 1)
  handle.bind = inside('bind', AF_INET, 0)
  handle.bind6 = inside('bind6', AF_INET6, 0)
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
    const { errno } = error as NodeJS.ErrnoException
    if (errno !== undefined) return errno
    endWith(socket, error as Error)
    return ECANCELED
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
