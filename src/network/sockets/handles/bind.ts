import type { NativeSocket } from '../../../../index.js'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { AF_INET, AF_INET6, AF_UNIX } from '../socket-maker.ts'

/** @internal Options for binding a socket. */
export interface Binding {
  reuseAddress: boolean
  reusePort: boolean
  ipv6Only: boolean
}

/** @internal Describes a socket that is bound to an address, which can have a zone. */
export function boundTo(type: number, address: string, port: number, how: Binding): NativeSocket {
  const [bare, zone] = splitZone(address)
  const isFour = familyOf(bare) === 4
  return {
    domain: isFour ? AF_INET : AF_INET6,
    type,
    binding: { address: bare, port, ...how, ...(isFour || zone === undefined ? {} : { zone }) },
  }
}

/** @internal The same for an abstract name of unix(7). */
export function boundToName(type: number, name: string): NativeSocket {
  const address = paddedAsInNode(name.slice(1))
  return { domain: AF_UNIX, type, binding: { address, reuseAddress: false, reusePort: false, ipv6Only: false } }
}

/** libuv of Node.js 20 pads abstract names with NULs, which are part of the name (unix(7)). */
function paddedAsInNode(name: string): string {
  const isOld = process.versions.uv?.startsWith('1.46.') === true
  return isOld ? name + '\0'.repeat(Math.max(0, 107 - Buffer.byteLength(name))) : name
}
