import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkInOtherNetwork, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import type { LinkKind } from '../../validate/network/links/link-kinds.ts'
import {
  type LinkChanges,
  type LinkSpecOf,
  parseLinkChanges,
  parseLinkSpec,
} from '../../validate/network/links/link-spec.ts'
import { parseSetRefs } from '../../validate/network/netns-id.ts'
import {
  type DeleteLinkOptions,
  type MoveLinkOptions,
  parseDeleteLinkOptions,
  parseMoveLinkOptions,
} from '../../validate/network/options.ts'
import { parseSetRef, type SetRef } from '../../validate/network/set-ref.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { type List, listing } from '../actions/list.ts'
import type { Link, LinkOf } from './link.ts'
import { type LinkAnswer, readLink, readLinks } from './link-answer.ts'

const target = ({ link }: Plain) => describeLink(link)
const targetOfSpec = ({ spec }: Plain) => describeLink(spec)

/** The actions of {@link NetworkLinks}. */
export const linkActions = {
  /** See {@link NetworkLinks.list}. */
  list(): Action<List<Link>> {
    return listing('links.list', {}, () => '', readLinks)
  },

  /** See {@link NetworkLinks.get}. */
  get(ref: LinkRef): Action<Link> {
    return operation('links.get', { link: parseLinkRef(ref, 'ref') }, target, readLink<Link>)
  },

  /** See {@link NetworkLinks.peer}. */
  peer<const S extends SetRef = SetRef>(ref: LinkRef, sets: readonly S[] = []): Action<LinkPeer<S> | undefined> {
    const fields = { link: parseLinkRef(ref, 'ref'), networks: parseSetRefs(sets, 'sets') }
    const among = [...sets]
    const read = (answer?: PeerAnswer) => (answer === undefined ? undefined : readPeer(answer, among))
    return operation('links.peer', fields, target, read)
  },

  /** See {@link NetworkLinks.add}. */
  add<K extends LinkKind>(spec: LinkSpecOf<K>): Action<LinkOf<K>> {
    return operation('links.add', { spec: parseLinkSpec(spec, 'spec') }, targetOfSpec, readLink<LinkOf<K>>)
  },

  /** See {@link NetworkLinks.ensure}. */
  ensure<K extends LinkKind>(spec: LinkSpecOf<K>): Action<LinkOf<K>> {
    return operation('links.ensure', { spec: parseLinkSpec(spec, 'spec') }, targetOfSpec, readLink<LinkOf<K>>)
  },

  /** See {@link NetworkLinks.set}. */
  set(ref: LinkRef, changes: LinkChanges): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), changes: parseLinkChanges(changes, 'changes') }
    return operation('links.set', fields, target)
  },

  /** See {@link NetworkLinks.delete}. */
  delete(ref: LinkRef, options?: DeleteLinkOptions): Action<void> {
    const { force = false } = parseDeleteLinkOptions(options)
    return operation('links.delete', { link: parseLinkRef(ref, 'ref'), force }, target)
  },

  /** See {@link NetworkLinks.move}. */
  move(ref: LinkRef, set: SetRef, options?: MoveLinkOptions): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), network: parseSetRef(set, 'set') }
    return operation('links.move', { ...fields, ...parseMoveLinkOptions(options) }, target)
  },
}

/** The other end of a link: its peer, or the device that it was created on. */
export interface LinkPeer<S = SetRef> extends LinkInOtherNetwork {
  /** The set in whose network it is, if that is another network and the set is among those given. */
  set?: S
  /** The other end itself, if it is in the same network or in a set among those given. */
  link?: Link
}

/** As the native side returns it: the set by its position, and the link without the names of its counters. */
type PeerAnswer = LinkInOtherNetwork & { network?: number; link?: LinkAnswer }

function readPeer<S>({ network, link, ...end }: PeerAnswer, sets: readonly S[]): LinkPeer<S> {
  const set = network === undefined ? undefined : sets[network]
  return {
    ...end,
    ...(set === undefined ? {} : { set }),
    ...(link === undefined ? {} : { link: readLink<Link>(link) }),
  }
}

/**
 * The links (network interfaces) of a network.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN in the
 * user namespace that owns the network, `EOPNOTSUPP` if the kernel does not have the kind of link, `ERR_NSSET_AMBIGUOUS` if
 * several links have the alias. The message contains the kernel's own explanation, if there is one.
 *
 * @example
 * await set.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
 *
 * @see ip-link(8), rtnetlink(7)
 */
export class NetworkLinks {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkLinks)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with all links, like `ip link show`.
   *
   * @example
   * for (const { name, kind } of await set.network.links.list()) console.log(name, kind)
   */
  async list(): Promise<List<Link>> {
    return this.#run(linkActions.list())
  }

  /**
   * Resolves with one link, like `ip link show dev eth0`.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist, `ERR_NSSET_AMBIGUOUS` if several links have the alias.
   * @example
   * const { mtu, mac } = await set.network.links.get('eth0')
   */
  async get(ref: LinkRef): Promise<Link> {
    return this.#run(linkActions.get(ref))
  }

  /**
   * Resolves with the other end of a link: the peer of a veth or a netkit, or the device that another link was created on, and with
   * the set among those given in which it is. Resolves with undefined if the link has no other end.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist.
   * @example
   * const peer = await host.network.links.peer('veth7', [set])
   * console.log(peer?.set, peer?.link?.name)
   * @see ip-link(8), ip-netns(8)
   */
  async peer<const S extends SetRef = SetRef>(ref: LinkRef, sets: readonly S[] = []): Promise<LinkPeer<S> | undefined> {
    return this.#run(linkActions.peer(ref, sets))
  }

  /**
   * Creates a link, like `ip link add`, and resolves with it. The peer of a veth is created with it, in another set if
   * `peer.set` is given. With `set`, a link is created in another network, on a device of this one. If any part fails, no link is
   * created.
   *
   * @throws {@link ActionError} `EEXIST` if the name exists, `EOPNOTSUPP` if the kernel does not have the kind.
   * @example
   * await base.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
   * await base.network.links.add({ kind: 'macvlan', dev: 'eth0', name: 'eth0', set: host })
   * await base.network.links.add({ kind: 'veth', name: 'to-host', master: 'br0', up: true, peer: { name: 'eth0', set: host, up: true } })
   * @see ip-link(8), veth(4)
   */
  async add<K extends LinkKind>(spec: LinkSpecOf<K>): Promise<LinkOf<K>> {
    return this.#run(linkActions.add(spec))
  }

  /**
   * Creates a link, or updates an existing one of the same name and kind: its state, master and addresses and, for a veth, those
   * of its `peer`. Resolves with the link. If any part fails, nothing changes.
   *
   * @throws {@link ActionError} `EEXIST` if the existing link has another kind, device or data, or a peer with another name or
   * in another network; also for an address that the link has in a way that the kernel cannot change, such as IPv6 with another
   * prefix length.
   * @example
   * await set.network.links.ensure({ kind: 'bridge', name: 'br0', up: true })
   * @see ip-link(8)
   */
  async ensure<K extends LinkKind>(spec: LinkSpecOf<K>): Promise<LinkOf<K>> {
    return this.#run(linkActions.ensure(spec))
  }

  /**
   * Changes a link, like `ip link set` and `bridge link set`. Properties that you omit stay the same. If any part fails, nothing
   * changes.
   *
   * With `up: false`, the kernel removes the link's IPv6 addresses and routes. If it then rejects a change that requires the link
   * to be down, nsset adds them again, and the kernel repeats duplicate address detection for these addresses.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist; `EBUSY` for a change that requires the link to be down;
   * `EEXIST` if another link has the name, or for an address that this link has in another way; `EPERM` if a link that is up
   * becomes a port of a bond; `ERANGE` or `EINVAL` for invalid values.
   * @example
   * await set.network.links.set('lo', { up: true })
   * await set.network.links.set('eth0', { name: 'wan', mtu: 1400, master: null, altNames: ['wide-area-network'] })
   * await set.network.links.set('br0', { kind: 'bridge', vlanFiltering: true })
   * await set.network.links.set('tap0', { master: 'br0', bridgePort: { isolated: true, learning: false } })
   * @see ip-link(8)
   */
  async set(ref: LinkRef, changes: LinkChanges): Promise<void> {
    return this.#run(linkActions.set(ref, changes))
  }

  /**
   * Deletes a link, like `ip link delete`. Deleting one end of a veth deletes the other end.
   *
   * @throws {@link ActionError} `ENODEV` if the link does not exist and `force` is not true; `EOPNOTSUPP` for a hardware link.
   * @example
   * await set.network.links.delete('br0', { force: true })
   * @see ip-link(8)
   */
  async delete(ref: LinkRef, options?: DeleteLinkOptions): Promise<void> {
    return this.#run(linkActions.delete(ref, options))
  }

  /**
   * Moves a link into the network of another set, like `ip link set eth1 netns blue name eth0`. It arrives down and without
   * addresses. With a `name`, it gets that name there. If this fails, it stays.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN in the user namespaces that own the two networks; `EEXIST` if its
   * name, or an alternative name, exists there; `EINVAL` if the link cannot leave its network.
   * @example
   * await base.network.links.move('eth1', { name: 'blue' }, { name: 'eth0' })
   * @see ip-link(8)
   */
  async move(ref: LinkRef, set: SetRef, options?: MoveLinkOptions): Promise<void> {
    return this.#run(linkActions.move(ref, set, options))
  }
}
