import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import type { LinkKind } from '../../validate/network/link-kinds.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import { type LinkChanges, type LinkSpecOf, parseLinkChanges, parseLinkSpec } from '../../validate/network/link-spec.ts'
import { type DeleteLinkOptions, parseDeleteLinkOptions } from '../../validate/network/options.ts'
import { parseSetRef, type SetRef } from '../../validate/network/set-ref.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import type { Link, LinkOf } from './link.ts'
import { readLink, readLinks } from './link-answer.ts'

const target = ({ link }: Plain) => describeLink(link)
const targetOfSpec = ({ spec }: Plain) => describeLink(spec)

/** The actions of {@link NetworkLinks}: see there. */
export const linkActions = {
  /** As {@link NetworkLinks.list}. */
  list(): Action<Link[]> {
    return operation('links.list', {}, () => '', readLinks)
  },

  /** As {@link NetworkLinks.get}. */
  get(ref: LinkRef): Action<Link> {
    return operation('links.get', { link: parseLinkRef(ref, 'ref') }, target, readLink<Link>)
  },

  /** As {@link NetworkLinks.add}. */
  add<K extends LinkKind>(spec: LinkSpecOf<K>): Action<LinkOf<K>> {
    return operation('links.add', { spec: parseLinkSpec(spec, 'spec') }, targetOfSpec, readLink<LinkOf<K>>)
  },

  /** As {@link NetworkLinks.ensure}. */
  ensure<K extends LinkKind>(spec: LinkSpecOf<K>): Action<LinkOf<K>> {
    return operation('links.ensure', { spec: parseLinkSpec(spec, 'spec') }, targetOfSpec, readLink<LinkOf<K>>)
  },

  /** As {@link NetworkLinks.set}. */
  set(ref: LinkRef, changes: LinkChanges): Action<void> {
    const fields = { link: parseLinkRef(ref, 'ref'), changes: parseLinkChanges(changes, 'changes') }
    return operation('links.set', fields, target)
  },

  /** As {@link NetworkLinks.delete}. */
  delete(ref: LinkRef, options?: DeleteLinkOptions): Action<void> {
    const { force = false } = parseDeleteLinkOptions(options)
    return operation('links.delete', { link: parseLinkRef(ref, 'ref'), force }, target)
  },

  /** As {@link NetworkLinks.move}. */
  move(ref: LinkRef, set: SetRef): Action<void> {
    return operation('links.move', { link: parseLinkRef(ref, 'ref'), network: parseSetRef(set, 'set') }, target)
  },
}

/**
 * The links of a network: bridges, cables, tunnels and whatever else packets leave and arrive by.
 *
 * What fails rejects with an {@link ActionError}: `ENODEV` where there is no such link, `EPERM` without CAP_NET_ADMIN in the
 * user namespace that owns the network, `EOPNOTSUPP` for a kind that the kernel does not have, `ERR_NSSET_AMBIGUOUS` for
 * an alias that several links have. The kernel's own words are part of the message.
 *
 * @example
 * await set.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
 *
 * @see ip-link(8), rtnetlink(7)
 */
export class NetworkLinks {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkLinks)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * All links: `ip link show`.
   *
   * @throws {@link ActionError} `EAGAIN` when links come and go so fast that no list is right.
   * @example
   * for (const { name, kind } of await set.network.links.list()) console.log(name, kind)
   */
  async list(): Promise<Link[]> {
    return this.#run(linkActions.list())
  }

  /**
   * One link.
   *
   * @throws {@link ActionError} `ENODEV`, `ERR_NSSET_AMBIGUOUS`.
   * @example
   * const { mtu, mac } = await set.network.links.get('eth0')
   */
  async get(ref: LinkRef): Promise<Link> {
    return this.#run(linkActions.get(ref))
  }

  /**
   * Makes a link, as `ip link add`, with all that is said of it, and gives it as it has become. A veth's peer is made with it, in another set
   * where one is given; both ends are cut from one cable. When something fails, there is no link.
   *
   * @throws {@link ActionError} `EEXIST` when the name is taken, `EOPNOTSUPP` when the kernel has no such kind.
   * @example
   * await base.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
   * await base.network.links.add({ kind: 'veth', name: 'to-host', master: 'br0', up: true, peer: { name: 'eth0', set: host, up: true } })
   * @see ip-link(8), veth(4)
   */
  async add<K extends LinkKind>(spec: LinkSpecOf<K>): Promise<LinkOf<K>> {
    return this.#run(linkActions.add(spec))
  }

  /**
   * Makes a link, unless there is one of that name that could have been made so; that one becomes as `spec` says, with its
   * master and addresses, and of a veth so does its `peer`. When something fails, all of it stays as it was.
   *
   * @throws {@link ActionError} `EEXIST` for a link of that name and of another kind, on another device, with other data of its
   * kind, or with a peer that is in another network or has another name; and for an address that the link has in a way that
   * the kernel cannot change, as IPv6 with another prefix.
   * @example
   * await set.network.links.ensure({ kind: 'bridge', name: 'br0', up: true })
   */
  async ensure<K extends LinkKind>(spec: LinkSpecOf<K>): Promise<LinkOf<K>> {
    return this.#run(linkActions.ensure(spec))
  }

  /**
   * Changes a link: `ip link set`. What is left out stays as it is; when something fails, all of it does. What the kernel
   * refuses only of a link that is down, when `up` is false, has it lose IPv6 addresses and routes for a moment: they are
   * added again, and such addresses are checked for duplicates again.
   *
   * @throws {@link ActionError} `ENODEV`; `EBUSY` for what cannot be changed while the link is up; `EEXIST` for a name that
   * another link has, or an address that this one has in another way; `EPERM` for a link that is up and comes to a bond;
   * `ERANGE`, `EINVAL`.
   * @example
   * await set.network.links.set('lo', { up: true })
   * await set.network.links.set('eth0', { name: 'wan', mtu: 1400, master: null })
   */
  async set(ref: LinkRef, changes: LinkChanges): Promise<void> {
    return this.#run(linkActions.set(ref, changes))
  }

  /**
   * Takes a link away: `ip link delete`. A veth goes with its other end.
   *
   * @throws {@link ActionError} `ENODEV` unless `force` is true; `EOPNOTSUPP` for one that software did not make.
   * @example
   * await set.network.links.delete('br0', { force: true })
   */
  async delete(ref: LinkRef, options?: DeleteLinkOptions): Promise<void> {
    return this.#run(linkActions.delete(ref, options))
  }

  /**
   * Moves a link into the network of another set (`ip link set eth1 netns blue`), where it arrives down and without addresses.
   *
   * @throws {@link ActionError} `EPERM` without CAP_NET_ADMIN in the user namespaces that own both networks; `EEXIST` when
   * its name is taken there; `EINVAL` for a link that cannot leave.
   * @example
   * await base.network.links.move('eth1', { name: 'blue' })
   */
  async move(ref: LinkRef, set: SetRef): Promise<void> {
    return this.#run(linkActions.move(ref, set))
  }
}
