import { invalidValue } from '../../../errors.ts'
import type { FieldsOf, Parse } from '../../fields.ts'
import { boolean, u32, whole, word } from '../../values.ts'
import { ipv4, ipv6, octets } from '../values.ts'

/**
 * Data of a VTI: a link for the packets that an IPsec policy with its keys as marks encrypts. The addresses are those of IPv4 for
 * kind `vti`, and of IPv6 for kind `vti6`.
 */
export interface VtiData {
  /** The address of this end. */
  local?: string | undefined
  /** The address of the other end. */
  remote?: string | undefined
  /** The mark of packets that arrive (`ikey`). */
  inputKey?: number | undefined
  /** The mark of packets that leave (`okey`). */
  outputKey?: number | undefined
  /** The mark by which the kernel looks up the route of the outer packets (`fwmark`). */
  mark?: number | undefined
}

/** Data of an XFRM interface: a link for the packets that IPsec policies and states with its id encrypt. */
export interface XfrmData {
  /** The id in policies and states, at least 1 (`if_id`). It is unique in a network. */
  interfaceId: number
}

/** Data of a MACsec link: frames of its device, authenticated and encrypted. `ip macsec` sets its keys. */
export interface MacsecData {
  /**
   * The identifier of the channel that it sends: 12 hexadecimal digits of a hardware address and 4 of a port. Default: the hardware
   * address of the link, and `port`.
   */
  sci?: string | undefined
  /** The port in that identifier. Default: `1`. */
  port?: number | undefined
  /** Default: `'gcm-aes-128'`. */
  cipher?: 'gcm-aes-128' | 'gcm-aes-256' | 'gcm-aes-xpn-128' | 'gcm-aes-xpn-256' | undefined
  /** Size of the check value of a frame in bytes, 8 to 16 (`icvlen`). Default: `16`. */
  icvLength?: number | undefined
  /** The secure association that encrypts, 0 to 3 (`encodingsa`). Default: `0`. */
  encodingAssociation?: number | undefined
  /** Whether frames are encrypted, and not only authenticated. Default: `false`. */
  encrypt?: boolean | undefined
  /** Whether sent frames are authenticated. Default: `true`. */
  protect?: boolean | undefined
  /** Whether sent frames have the identifier of the channel (`send_sci`). Default: `true`. */
  sendSci?: boolean | undefined
  /** Whether the link is an end station, so that the identifier follows from the hardware address (`end_station`). */
  endStation?: boolean | undefined
  /** Whether sent frames are for all (`scb`). */
  singleCopyBroadcast?: boolean | undefined
  /** Whether frames that are too late are dropped (`replay`). Requires a `window`. Default: `false`. */
  replayProtect?: boolean | undefined
  /** By how many packets a frame can be late. */
  window?: number | undefined
  /** What happens to frames that are not authentic (`validate`). Default: `'strict'`, they are dropped. */
  validation?: 'disabled' | 'check' | 'strict' | undefined
  /** Which part of the hardware encrypts. Default: `'off'`, the kernel does. */
  offload?: 'off' | 'phy' | 'mac' | undefined
}

const sci: Parse<string> = (value, name) => {
  if (octets(value, name).length === 16) return value as string
  throw invalidValue(name, 'must be 16 hexadecimal digits: a hardware address and a port', value)
}

/** @internal */
export const MACSEC = {
  sci,
  port: whole(1, 0xffff),
  cipher: word('gcm-aes-128', 'gcm-aes-256', 'gcm-aes-xpn-128', 'gcm-aes-xpn-256'),
  icvLength: whole(8, 16),
  encodingAssociation: whole(0, 3),
  encrypt: boolean,
  protect: boolean,
  sendSci: boolean,
  endStation: boolean,
  singleCopyBroadcast: boolean,
  replayProtect: boolean,
  window: u32,
  validation: word('disabled', 'check', 'strict'),
  offload: word('off', 'phy', 'mac'),
} satisfies FieldsOf<MacsecData>

const keys = { inputKey: u32, outputKey: u32, mark: u32 }

/** @internal */
export const VTI = { local: ipv4, remote: ipv4, ...keys } satisfies FieldsOf<VtiData>

/** @internal */
export const VTI6 = { local: ipv6, remote: ipv6, ...keys } satisfies FieldsOf<VtiData>

/** @internal */
export const XFRM = { interfaceId: whole(1, 0xffffffff) } satisfies FieldsOf<XfrmData>
