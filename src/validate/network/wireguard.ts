import { invalidType, misuse } from '../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseFields } from '../fields.ts'
import { boolean, described, u16, u32 } from '../values.ts'
import { cidr, familyOf, milliseconds, text } from './values.ts'
import { familyOfAddress, splitZone } from './zone.ts'

/** The keys and peers of a WireGuard link. Keys are strings in base64, as `wg` prints them. */
export interface WireGuard {
  /** The public key of its private key, if it has one. */
  publicKey?: string
  privateKey?: string
  /** The UDP port; 0 if it has none yet. */
  listenPort: number
  /** The mark of the packets that it sends; 0 for none. */
  fwmark: number
  peers: WireGuardPeer[]
}

/** A peer of a WireGuard link. */
export interface WireGuardPeer {
  publicKey: string
  presharedKey?: string
  /**
   * The address and port of the peer, as set or as last seen: `'192.0.2.1:51820'`, `'[2001:db8::1]:51820'`, or
   * `'[fe80::1%eth0]:51820'` with the name of the link inside, or with its index if there is no such link.
   */
  endpoint?: string
  /** Keepalive interval in milliseconds. Absent if keepalives are off. */
  persistentKeepalive?: number
  /** The CIDRs of the addresses behind the peer: packets to them are sent to it, and packets from it must come from them. */
  allowedIps: string[]
  /** Time of the last handshake, in milliseconds since the epoch as with `Date.now()`. Absent if there was none. */
  lastHandshake?: number
  receivedBytes: number
  sentBytes: number
  /** The version of the protocol, which is 1. */
  protocolVersion: number
}

/** Changes of a WireGuard link. Properties that you omit stay the same. */
export interface WireGuardSpec {
  /** `null` removes the key. */
  privateKey?: string | null | undefined
  /** The UDP port, in the network in which the link was created. `0`: chosen by the kernel. */
  listenPort?: number | undefined
  /** The mark of the packets that it sends. `0` removes it. */
  fwmark?: number | undefined
  /** Peers to add, change or remove. */
  peers?: readonly WireGuardPeerSpec[] | undefined
  /** Whether to remove all existing peers first. Default: `false`. */
  replacePeers?: boolean | undefined
}

/** Changes of a peer. A peer that does not exist is added. */
export interface WireGuardPeerSpec {
  publicKey: string
  /** `null` removes the key. */
  presharedKey?: string | null | undefined
  /**
   * The address and port of the peer: `'192.0.2.1:51820'`, `'[2001:db8::1]:51820'`, `'[fe80::1%eth0]:51820'`. The kernel changes it
   * when packets of the peer arrive from elsewhere. A zone is the name of a link inside, or the index of a link in the network in
   * which the WireGuard link was created (`'[fe80::1%2]:51820'`).
   */
  endpoint?: string | undefined
  /** Keepalive interval in milliseconds: whole seconds, at most 65,535 s. `0` turns keepalives off. */
  persistentKeepalive?: number | undefined
  /** The CIDRs of the addresses behind the peer. They replace its previous ones, and are removed from other peers. */
  allowedIps?: readonly string[] | undefined
  /** Whether to remove the peer. Default: `false`. */
  remove?: boolean | undefined
  /** Whether to change only an existing peer, and not to add one. Default: `false`. */
  updateOnly?: boolean | undefined
}

/** 32 zero bytes, which mean no key. */
const NO_KEY = `${'A'.repeat(43)}=`

/** @internal The message never contains the value, which may be a private key. */
export const key: Parse<string> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, 'a key: 32 bytes in base64', undefined)
  if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)) return value
  throw misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' must be a key: 32 bytes in base64, as wg prints them`)
}

const optionalKey: Parse<string> = (value, name) => (value === null ? NO_KEY : key(value, name))

const endpoint: Parse<string> = (value, name) => {
  const given = text(value, name)
  const [, six, four, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(given) ?? []
  const isAddress = six === undefined ? familyOf(four ?? '') === 4 : familyOfAddress(six) === 6 && hasShortZone(six)
  if (isAddress && Number(port) <= 0xffff) return given
  const message = `The argument '${name}' must be an address with a port, such as '192.0.2.1:51820' or '[fe80::1%eth0]:51820'`
  throw misuse('ERR_INVALID_ARG_VALUE', message)
}

/** The kernel limits link names to 15 bytes. */
function hasShortZone(address: string): boolean {
  return Buffer.byteLength(splitZone(address)[1] ?? '') <= 15
}

/** Removes the value from messages, because it may be a key in the wrong place. */
function withoutValue<T>(parse: Parse<T>): Parse<T> {
  return (value, name) => {
    try {
      return parse(value, name)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const Class = error instanceof RangeError ? RangeError : TypeError
      throw misuse(code as 'ERR_INVALID_ARG_VALUE', message.replace(/\. Received '.*'$/s, ''), Class)
    }
  }
}

const PEER = {
  publicKey: key,
  presharedKey: optionalKey,
  endpoint,
  persistentKeepalive: milliseconds,
  allowedIps: array(cidr),
  remove: boolean,
  updateOnly: boolean,
  lastHandshake: described,
  receivedBytes: described,
  sentBytes: described,
  protocolVersion: described,
} satisfies FieldsOf<WireGuardPeerSpec | WireGuardPeer>

/** As with `wg set`, the given addresses replace the previous ones. */
function parsePeer(value: unknown, name: string): Plain {
  const peer = parseFields(value, name, PEER, ['publicKey'])
  return { ...peer, replaceAllowedIps: peer['allowedIps'] !== undefined }
}

const SPEC = {
  privateKey: optionalKey,
  publicKey: described,
  listenPort: u16,
  fwmark: u32,
  peers: array(parsePeer),
  replacePeers: boolean,
} satisfies FieldsOf<WireGuardSpec | WireGuard>

/** @internal */
export const parseWireGuardSpec = withoutValue<Plain>((value, name) => parseFields(value, name, SPEC))
