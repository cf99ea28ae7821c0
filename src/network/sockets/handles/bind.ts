import type { NativeSocket } from '../../../../index.js'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { AF_INET, AF_INET6, AF_UNIX } from '../socket-maker.ts'

/** @internal How a socket is bound. */
export interface Binding {
  reuseAddress: boolean
  reusePort: boolean
  ipv6Only: boolean
}

/** @internal A socket that is bound to an address, which may have a zone. */
export function boundTo(type: number, address: string, port: number, how: Binding): NativeSocket {
  const [bare, zone] = splitZone(address)
  const isFour = familyOf(bare) === 4
  return {
    domain: isFour ? AF_INET : AF_INET6,
    type,
    binding: { address: bare, port, ...how, ...(isFour || zone === undefined ? {} : { zone }) },
  }
}

/** @internal The same, with an abstract name of unix(7). */
export function boundToName(type: number, name: string): NativeSocket {
  const address = asNodeHasIt(name.slice(1))
  return { domain: AF_UNIX, type, binding: { address, reuseAddress: false, reusePort: false, ipv6Only: false } }
}

/** The libuv of Node 20 fills abstract names up with NULs, which are part of them (unix(7)). */
function asNodeHasIt(name: string): string {
  const isOld = process.versions.uv?.startsWith('1.46.') === true
  return isOld ? name + '\0'.repeat(Math.max(0, 107 - Buffer.byteLength(name))) : name
}
