import { familyOf } from './values.ts'

/** @internal An address without its zone, and the zone: a link's name inside, which only the kernel can find there. */
export function splitZone(address: string): [address: string, zone: string | undefined] {
  const at = address.indexOf('%')
  return at === -1 ? [address, undefined] : [address.slice(0, at), address.slice(at + 1)]
}

/** @internal Whether an address, without its zone, is of one link only: fe80::/10. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address)
}

/** @internal The family of a name that is an address, as `net.isIP` has it, whatever its zone is called; else 0. */
export function familyOfAddress(name: string): 0 | 4 | 6 {
  const [address, zone] = splitZone(name)
  const family = familyOf(address)
  return zone === undefined || (family === 6 && IS_ZONE.test(zone)) ? family : 0
}

/** What a link may be called, or a number. */
const IS_ZONE = /^[^\s/:%]+$/
