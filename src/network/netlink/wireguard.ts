import { binding } from '../../native.ts'
import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { key, parseWireGuardSpec, type WireGuard, type WireGuardSpec } from '../../validate/network/wireguard.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ link }: Plain) => describeLink(link)

/** The actions of {@link NetworkWireGuard}. */
export const wireguardActions = {
  /** See {@link NetworkWireGuard.get}. */
  get(ref: LinkRef): Action<WireGuard> {
    return operation('wireguard.get', { link: parseLinkRef(ref, 'ref') }, target)
  },

  /** See {@link NetworkWireGuard.set}. */
  set(ref: LinkRef, spec: WireGuardSpec): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), spec: parseWireGuardSpec(spec, 'spec') }
    return operation('wireguard.set', fields, target)
  },
}

/**
 * The keys and peers of the WireGuard links of a network, over generic netlink and without `wg`. No error contains a key.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EOPNOTSUPP` if it is of another kind,
 * `EPERM` without CAP_NET_ADMIN, `ENOENT` if the kernel does not have WireGuard.
 *
 * @example
 * const { privateKey } = wireguard.generateKeys()
 * await set.network.wireguard.set('wg0', { privateKey, listenPort: 51820 })
 *
 * @see wg(8)
 */
export class NetworkWireGuard {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkWireGuard)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the keys and peers of a link, like `wg show wg0 dump`.
   *
   * @throws {@link ActionError} `ENODEV`, `EOPNOTSUPP`, `EPERM`.
   * @example
   * for (const { endpoint, lastHandshake } of (await set.network.wireguard.get('wg0')).peers) console.log(endpoint, lastHandshake)
   * @see wg(8)
   */
  async get(ref: LinkRef): Promise<WireGuard> {
    return this.#run(wireguardActions.get(ref))
  }

  /**
   * Sets keys and peers of a link, like `wg set wg0`. It accepts what `get` returns. The kernel processes one peer after the
   * other; if one fails, those before it remain. The kernel silently ignores a peer whose public key the link already has as
   * its own.
   *
   * @throws {@link ActionError} `EADDRINUSE` if the port is in use.
   * @throws `ERR_INVALID_ARG_VALUE` for a peer with the public key of the given `privateKey`, and for an allowed address that two
   * of the peers have, because the kernel assigns it to one peer only.
   * @example
   * const { privateKey } = wireguard.generateKeys()
   * await set.network.wireguard.set('wg0', { privateKey, peers: [{ publicKey, endpoint: '192.0.2.1:51820', allowedIps: ['0.0.0.0/0'] }] })
   * @see wg(8)
   */
  async set(ref: LinkRef, spec: WireGuardSpec): Promise<void> {
    return this.#run(wireguardActions.set(ref, spec))
  }
}

/** A key pair, each key in base64. */
export interface WireGuardKeys {
  privateKey: string
  publicKey: string
}

/**
 * Functions for WireGuard keys, without `wg`. Keys are strings in base64, as `wg` prints them.
 *
 * @example
 * const { privateKey, publicKey } = wireguard.generateKeys()
 * @see wg(8)
 */
export const wireguard = {
  /**
   * Returns a new private key and its public key, like `wg genkey` and `wg pubkey`.
   *
   * @example
   * const { privateKey, publicKey } = wireguard.generateKeys()
   * @see wg(8)
   */
  generateKeys(): WireGuardKeys {
    const [privateKey, publicKey] = binding().generateWireguardKeys() as [string, string]
    return { privateKey, publicKey }
  },

  /**
   * Returns a new preshared key, which both peers need, like `wg genpsk`.
   *
   * @example
   * const presharedKey = wireguard.generatePresharedKey()
   * @see wg(8)
   */
  generatePresharedKey(): string {
    return binding().generateWireguardPresharedKey()
  },

  /**
   * Returns the public key of a private key, like `wg pubkey`.
   *
   * @throws `ERR_INVALID_ARG_VALUE` if the argument is not a key; the message does not contain it.
   * @example
   * console.log(wireguard.publicKey(privateKey))
   * @see wg(8)
   */
  publicKey(privateKey: string): string {
    return binding().wireguardPublicKey(key(privateKey, 'privateKey'))
  },
}
