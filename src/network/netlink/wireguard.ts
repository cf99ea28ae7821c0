import { binding } from '../../native.ts'
import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { key, parseWireGuardSpec, type WireGuard, type WireGuardSpec } from '../../validate/network/wireguard.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ link }: Plain) => describeLink(link)

/** The actions of {@link NetworkWireGuard}: see there. */
export const wireguardActions = {
  /** As {@link NetworkWireGuard.get}. */
  get(ref: LinkRef): Action<WireGuard> {
    return operation('wireguard.get', { link: parseLinkRef(ref, 'ref') }, target)
  },

  /** As {@link NetworkWireGuard.set}. */
  set(ref: LinkRef, spec: WireGuardSpec): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), spec: parseWireGuardSpec(spec, 'spec') }
    return operation('wireguard.set', fields, target)
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
