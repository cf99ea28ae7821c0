import { binding } from '../../../native.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { EAGAIN } from '../handles/node-handle.ts'
import { nameInside } from '../names/link-local-names.ts'
import { LateSends, type SendRequest } from './late-sends.ts'

/** @internal The methods of a UDP handle that take or return addresses. */
export interface AddressedHandle {
  readonly fd: number
  send6: Send
  send: Send
  connect6: Connect
  connect: Connect
  addMembership: Join
  dropMembership: Join
  addSourceSpecificMembership: JoinSource
  dropSourceSpecificMembership: JoinSource
  setMulticastInterface(address: string): number
  getsockname(out: object): number
  getpeername(out: object): number
  getSendQueueSize(): number
  getSendQueueCount(): number
  close(callback?: () => void): void
}

type Send = (
  request: SendRequest,
  parts: Uint8Array[],
  count: number,
  ...where: [number, string, boolean] | [boolean]
) => number
type Connect = (address: string, port: number) => number
type Join = (group: string, on: string | undefined) => number
type JoinSource = (source: string, group: string, on: string | undefined) => number

/**
 * @internal Makes a UDP handle resolve zones inside, as names or indexes of links. A call with a zone is made without libuv, which
 * would search for the link outside. Other calls are Node's own.
 */
export function resolveZones(handle: AddressedHandle): void {
  const usual = Object.getPrototypeOf(handle) as AddressedHandle
  const native = binding()
  const late = new LateSends(handle)
  const send: Send = (request, parts, count, ...where) => {
    const [port, address, hasCallback] = where
    const [bare, zone] = typeof address === 'string' ? splitZone(address) : []
    if (bare === undefined || zone === undefined) return usual.send6.call(handle, request, parts, count, ...where)
    const attempt = () => native.sendByZone(handle, parts, bare, port as number, zone)
    const sent = late.count > 0 ? EAGAIN : attempt()
    if (sent !== EAGAIN) return sent < 0 ? sent : sent + 1
    late.add({ attempt, request, size: sizeOf(parts), hasCallback: Boolean(hasCallback) })
    return 0
  }
  const connect: Connect = (address, port) => {
    const [bare, zone] = splitZone(address)
    if (zone === undefined) return usual.connect6.call(handle, address, port)
    const status = native.connectByZone(handle, bare, port, zone)
    // The socket is bound to the link now, so that libuv can connect it again and update its own state.
    return status < 0 ? status : usual.connect6.call(handle, bare, port)
  }
  const joining = (name: 'addMembership' | 'dropMembership', leave: boolean): Join => {
    return (group, on) => {
      const zone = zoneOf(on)
      if (zone === undefined || !isOfSix(group)) return usual[name].call(handle, group, on)
      return native.setMembershipByZone(handle, { group: splitZone(group)[0], zone, leave })
    }
  }
  const joiningSource = (
    name: 'addSourceSpecificMembership' | 'dropSourceSpecificMembership',
    leave: boolean,
  ): JoinSource => {
    return (source, group, on) => {
      const zone = zoneOf(on)
      if (zone === undefined || !isOfSix(group)) return usual[name].call(handle, source, group, on)
      const [bare, bareSource] = [splitZone(group)[0], splitZone(source)[0]]
      return native.setMembershipByZone(handle, { group: bare, source: bareSource, zone, leave })
    }
  }
  Object.assign(handle, {
    send6: send,
    send,
    connect6: connect,
    connect,
    addMembership: joining('addMembership', false),
    dropMembership: joining('dropMembership', true),
    addSourceSpecificMembership: joiningSource('addSourceSpecificMembership', false),
    dropSourceSpecificMembership: joiningSource('dropSourceSpecificMembership', true),
    setMulticastInterface: (address: string) => {
      const zone = zoneOf(address)
      if (zone === undefined) return usual.setMulticastInterface.call(handle, address)
      return native.setMulticastZone(handle, zone)
    },
    close: (callback?: () => void) => {
      late.giveUp()
      usual.close.call(handle, callback)
    },
    getSendQueueSize: () => usual.getSendQueueSize.call(handle) + late.size,
    getSendQueueCount: () => usual.getSendQueueCount.call(handle) + late.count,
  })
  nameInside(handle)
}

function zoneOf(address: string | undefined): string | undefined {
  const [bare, zone] = typeof address === 'string' ? splitZone(address) : []
  return bare !== undefined && isOfSix(bare) ? zone : undefined
}

function isOfSix(address: string): boolean {
  return process.getBuiltinModule('node:net').isIPv6(splitZone(address)[0])
}

function sizeOf(parts: Uint8Array[]): number {
  return parts.reduce((size, { byteLength }) => size + byteLength, 0)
}
