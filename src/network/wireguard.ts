import { invalidType, misuse } from '../errors.ts'
import { binding } from '../native.ts'
import { familyOfAddress } from '../sockets/host-name.ts'
import { hideUncloneable, INSTEAD_OF_NETWORK } from '../uncloneable.ts'
import { type Action, operation, type Run } from './action.ts'
import { type Fields, type Plain, parseArray, parseFields } from './fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from './link-ref.ts'
import { boolean, cidr, described, familyOf, milliseconds, type Parse, text, u16, u32 } from './values.ts'

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
const key: Parse<string> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, 'a key: 32 bytes in base64', undefined)
  if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)) return value
  throw misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' must be a key: 32 bytes in base64, as wg writes them`)
}

const optionalKey: Parse<string> = (value, name) => (value === null ? NO_KEY : key(value, name))

const endpoint: Parse<string> = (value, name) => {
  const given = text(value, name)
  const [, six, four, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(given) ?? []
  const isAddress = six === undefined ? familyOf(four ?? '') === 4 : familyOfAddress(six) === 6
  if (isAddress && Number(port) <= 0xffff) return given
  const message = `The argument '${name}' must be an address with a port, as '192.0.2.1:51820' or '[fe80::1%eth0]:51820'`
  throw misuse('ERR_INVALID_ARG_VALUE', message)
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

const PEER: Fields = {
  publicKey: key,
  presharedKey: optionalKey,
  endpoint,
  persistentKeepalive: milliseconds,
  allowedIps: (value, name) => parseArray(value, name, cidr),
  remove: boolean,
  updateOnly: boolean,
  lastHandshake: described,
  receivedBytes: described,
  sentBytes: described,
  protocolVersion: described,
}

/** As `wg set` has it, the addresses that are said take the place of those that were. */
function parsePeer(value: unknown, name: string): Plain {
  const peer = parseFields(value, name, PEER, ['publicKey'])
  return { ...peer, replaceAllowedIps: peer['allowedIps'] !== undefined }
}

const SPEC: Fields = {
  privateKey: optionalKey,
  publicKey: described,
  listenPort: u16,
  fwmark: u32,
  peers: (value, name) => parseArray(value, name, parsePeer),
  replacePeers: boolean,
}

const parseSpec: Parse<Plain> = (value, name) => parseFields(value, name, SPEC)

const target = ({ link }: Plain) => describeLink(link)

/** The actions of {@link NetworkWireGuard}: see there. */
export const wireguardActions = {
  /** As {@link NetworkWireGuard.get}. */
  get(ref: LinkRef): Action<WireGuard> {
    return operation('wireguard.get', { link: parseLinkRef(ref, 'ref') }, target)
  },

  /** As {@link NetworkWireGuard.set}. */
  set(ref: LinkRef, spec: WireGuardSpec): Action<void> {
    const parsed = silently(parseSpec)(spec, 'spec')
    return operation('wireguard.set', { link: parseLinkRef(ref, 'ref'), spec: parsed }, target)
  },
}

/**
 * The keys and peers of a network's WireGuard links, over generic netlink: no `wg` is needed. No key is ever part of an
 * error.
 *
 * What fails rejects with an {@link ActionError}: `ENODEV` where there is no such link, `EOPNOTSUPP` for one of another kind,
 * `EPERM` without CAP_NET_ADMIN, `ENOENT` where the kernel has no WireGuard.
 *
 * @example
 * const { privateKey } = wireguard.generateKeys()
 * await set.network.wireguard.set('wg0', { privateKey, listenPort: 51820 })
 *
 * @see wg(8)
 */
export class NetworkWireGuard {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkWireGuard)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The keys and peers of a link.
   *
   * @example
   * for (const { endpoint, lastHandshake } of (await set.network.wireguard.get('wg0')).peers) console.log(endpoint, lastHandshake)
   */
  async get(ref: LinkRef): Promise<WireGuard> {
    return this.#run(wireguardActions.get(ref))
  }

  /**
   * Gives a link keys and peers: `wg set`. The kernel takes peer by peer: when one fails, those before it stay. What `get`
   * returns is taken, too. The kernel passes over a peer with the key that the link has already, and says nothing.
   *
   * @throws {@link ActionError} `EADDRINUSE` for a port that is taken; `ERR_INVALID_ARG_VALUE` for a peer with the public key of
   * the `privateKey`, and for an allowed address that two of the peers have: it can be one peer's only.
   * @example
   * const { privateKey } = wireguard.generateKeys()
   * await set.network.wireguard.set('wg0', { privateKey, peers: [{ publicKey, endpoint: '192.0.2.1:51820', allowedIps: ['0.0.0.0/0'] }] })
   */
  async set(ref: LinkRef, spec: WireGuardSpec): Promise<void> {
    return this.#run(wireguardActions.set(ref, spec))
  }
}

/** The two keys of a peer. */
export interface WireGuardKeys {
  privateKey: string
  publicKey: string
}

/**
 * Keys of WireGuard, without `wg`.
 *
 * @example
 * const { privateKey, publicKey } = wireguard.generateKeys()
 * @see wg(8)
 */
export const wireguard = {
  /**
   * A new private key, and its public key, as `wg genkey` and `wg pubkey` make them.
   *
   * @example
   * const { privateKey, publicKey } = wireguard.generateKeys()
   */
  generateKeys(): WireGuardKeys {
    const [privateKey, publicKey] = binding().generateWireguardKeys() as [string, string]
    return { privateKey, publicKey }
  },

  /**
   * A new key for both of two peers, as `wg genpsk` makes one.
   *
   * @example
   * const presharedKey = wireguard.generatePresharedKey()
   */
  generatePresharedKey(): string {
    return binding().generateWireguardPresharedKey()
  },

  /**
   * The public key of a private one, as `wg pubkey` tells it.
   *
   * @throws `ERR_INVALID_ARG_VALUE` for what is no key; the message does not repeat it.
   * @example
   * console.log(wireguard.publicKey(privateKey))
   */
  publicKey(privateKey: string): string {
    return binding().wireguardPublicKey(key(privateKey, 'privateKey'))
  },
}
