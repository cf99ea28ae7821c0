import { invalidType, misuse } from '../../errors.ts'
import { familyOfAddress } from '../../network/sockets/names/host-name.ts'
import { splitZone } from '../../network/sockets/socket-maker.ts'
import { array, type FieldsOf, type Parse, type Plain, parseFields } from '../fields.ts'
import { boolean, described, u16, u32 } from '../values.ts'
import { cidr, familyOf, milliseconds, text } from './values.ts'

/** The keys and peers of a WireGuard link. Keys are as `wg` writes them: 32 bytes in base64. */
export interface WireGuard {
  /** That of its private key, where it has one. */
  publicKey?: string
  privateKey?: string
  /** The UDP port; 0 where it has none yet. */
  listenPort: number
  /** The mark of the packets that go out; 0 is none. */
  fwmark: number
  peers: WireGuardPeer[]
}

/** A peer of a WireGuard link. */
export interface WireGuardPeer {
  publicKey: string
  presharedKey?: string
  /**
   * Where it was heard from last, or is said to be: `'192.0.2.1:51820'`, `'[2001:db8::1]:51820'`, `'[fe80::1%eth0]:51820'`, with the
   * name of the link inside, or its index where there is none.
   */
  endpoint?: string
  /** Every how many milliseconds it is told that the link lives, where it is told. */
  persistentKeepalive?: number
  /** The addresses that are its own: where packets to them go, and whose packets from it may be. */
  allowedIps: string[]
  /** Milliseconds since the epoch, as `Date.now()`, when both last agreed on the keys of a session. */
  lastHandshake?: number
  receivedBytes: number
  sentBytes: number
  /** 1, as there is no other yet. */
  protocolVersion: number
}

/** What is to become of a WireGuard link. What is left out stays as it is. */
export interface WireGuardSpec {
  /** Null takes it away. */
  privateKey?: string | null | undefined
  /** The UDP port, in the network in which the link was made. With 0 the kernel finds one. */
  listenPort?: number | undefined
  /** The mark of the packets that go out; 0 takes it away. */
  fwmark?: number | undefined
  /** Peers that it is to have, or lose. */
  peers?: readonly WireGuardPeerSpec[] | undefined
  /** Whether it loses the peers that it has, before it gets these. */
  replacePeers?: boolean | undefined
}

/** What is to become of a peer; one that is not there yet is made. */
export interface WireGuardPeerSpec {
  publicKey: string
  /** Null takes it away. */
  presharedKey?: string | null | undefined
  /**
   * Where it is, until it is heard from elsewhere: `'192.0.2.1:51820'`, `'[2001:db8::1]:51820'`, `'[fe80::1%eth0]:51820'`. The link is
   * one inside, by its name, or one of the network in which the WireGuard link was made, by its index (`'[fe80::1%2]:51820'`).
   */
  endpoint?: string | undefined
  /** Every how many milliseconds it is told that the link lives: whole seconds, at most 65535; 0 turns it off. */
  persistentKeepalive?: number | undefined
  /** The addresses that are its own from then on: these, and no others. Another peer that has one of them loses it. */
  allowedIps?: readonly string[] | undefined
  /** Whether it is to go. */
  remove?: boolean | undefined
  /** Whether nothing is made where it is not there. */
  updateOnly?: boolean | undefined
}

/** The 32 zeros that stand for no key. */
const NO_KEY = `${'A'.repeat(43)}=`

/** What is wrong with a key is told without it. */
/** @internal */
export const key: Parse<string> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, 'a key: 32 bytes in base64', undefined)
  if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)) return value
  throw misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' must be a key: 32 bytes in base64, as wg writes them`)
}

const optionalKey: Parse<string> = (value, name) => (value === null ? NO_KEY : key(value, name))

const endpoint: Parse<string> = (value, name) => {
  const given = text(value, name)
  const [, six, four, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(given) ?? []
  const isAddress = six === undefined ? familyOf(four ?? '') === 4 : familyOfAddress(six) === 6 && hasShortZone(six)
  if (isAddress && Number(port) <= 0xffff) return given
  const message = `The argument '${name}' must be an address with a port, as '192.0.2.1:51820' or '[fe80::1%eth0]:51820'`
  throw misuse('ERR_INVALID_ARG_VALUE', message)
}

/** No link has a longer name. */
function hasShortZone(address: string): boolean {
  return Buffer.byteLength(splitZone(address)[1] ?? '') <= 15
}

/** What is wrong is told without what was given: it may be a key that strayed. */
function silently<T>(parse: Parse<T>): Parse<T> {
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

/** As `wg set` has it, the addresses that are said take the place of those that were. */
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
export const parseWireGuardSpec = silently<Plain>((value, name) => parseFields(value, name, SPEC))
