import { binding } from '../native.ts'
import { familyOf } from '../network/values.ts'
import { AF_INET, AF_INET6, AF_UNIX, closeSocket, type SocketMaker, splitZone } from './socket-maker.ts'

/** @internal How a socket is bound. */
export interface Binding {
  reuseAddress: boolean
  reusePort: boolean
  ipv6Only: boolean
}

/** @internal A socket that is bound inside; who gets it owns it. */
export function bindInside(maker: SocketMaker, kind: number, address: string, port: number, how: Binding): number {
  const [bare, zone] = splitZone(address)
  const fd = maker.native.socket(familyOf(bare) === 4 ? AF_INET : AF_INET6, kind, 0, zone)
  return bound(fd, { address: bare, port, ...how })
}

/** @internal The same, with an abstract name of unix(7). */
export function bindAbstract(maker: SocketMaker, kind: number, name: string): number {
  const fd = maker.native.socket(AF_UNIX, kind, 0, undefined)
  return bound(fd, { address: asNodeHasIt(name.slice(1)), reuseAddress: false, reusePort: false, ipv6Only: false })
}

/** The libuv of Node 20 fills abstract names up with NULs, which are part of them (unix(7)). */
function asNodeHasIt(name: string): string {
  const isOld = process.versions.uv?.startsWith('1.46.') === true
  return isOld ? name + '\0'.repeat(Math.max(0, 107 - Buffer.byteLength(name))) : name
}

function bound(fd: number, how: Binding & { address: string; port?: number }): number {
  try {
    binding().bindSocket(fd, how)
    return fd
  } catch (error) {
    closeSocket(fd)
    throw error
  }
}
