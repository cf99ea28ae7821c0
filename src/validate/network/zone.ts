import { familyOf } from './values.ts'

/** @internal Splits an address from its zone, the name of a link inside, which only the kernel can look up. */
export function splitZone(address: string): [address: string, zone: string | undefined] {
  const at = address.indexOf('%')
  return at === -1 ? [address, undefined] : [address.slice(0, at), address.slice(at + 1)]
}

/** @internal Returns whether an address without a zone is link-local: fe80::/10. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address)
}

/** @internal Returns the family of an address like `net.isIP`, with any zone; 0 if the name is no address. */
export function familyOfAddress(name: string): 0 | 4 | 6 {
  const [address, zone] = splitZone(name)
  const family = familyOf(address)
  return zone === undefined || (family === 6 && IS_ZONE.test(zone)) ? family : 0
}

/** A valid link name, or an index. */
const IS_ZONE = /^[^\s/:%]+$/
