import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../../validate/network/link-ref.ts'
import {
  type ForwardingEntry,
  type ForwardingEntrySpec,
  parseForwardingEntry,
} from '../../../validate/network/routing/forwarding-entry.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

const target = ({ link, entry }: Plain) => `${(entry as Plain)['mac']} of ${describeLink(link)}`

function change(name: string, ref: LinkRef, entry: ForwardingEntrySpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), entry: parseForwardingEntry(entry, 'entry') }, target)
}

/** The actions of {@link NetworkForwardingEntries}. */
export const forwardingEntryActions = {
  /** See {@link NetworkForwardingEntries.list}. */
  list(ref?: LinkRef): Action<List<ForwardingEntry>> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return listing('forwardingEntries.list', link, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkForwardingEntries.add}. */
  add(ref: LinkRef, entry: ForwardingEntrySpec): Action<void> {
    return change('forwardingEntries.add', ref, entry)
  },

  /** See {@link NetworkForwardingEntries.append}. */
  append(ref: LinkRef, entry: ForwardingEntrySpec): Action<void> {
    return change('forwardingEntries.append', ref, entry)
  },

  /** See {@link NetworkForwardingEntries.replace}. */
  replace(ref: LinkRef, entry: ForwardingEntrySpec): Action<void> {
    return change('forwardingEntries.replace', ref, entry)
  },

  /** See {@link NetworkForwardingEntries.delete}. */
  delete(ref: LinkRef, entry: ForwardingEntrySpec): Action<void> {
    return change('forwardingEntries.delete', ref, entry)
  },
}

/**
 * The forwarding entries (fdb) of a network: to which port a bridge sends the frames to a hardware address, and to which host a
 * VXLAN.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN, `EOPNOTSUPP` if
 * it has no such table.
 *
 * @example
 * await set.network.forwardingEntries.add('port0', { mac: '02:00:00:00:00:02', table: 'master', state: 'static' })
 *
 * @see bridge(8)
 */
export class NetworkForwardingEntries {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkForwardingEntries)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the entries of a link, in its own table and in that of its bridge, like `bridge fdb show dev port0`. Default:
   * those of all links.
   *
   * @example
   * const entries = await set.network.forwardingEntries.list('port0')
   * console.log(entries.filter(({ state }) => state === 'dynamic').map(({ mac }) => mac))
   * @see bridge(8)
   */
  async list(ref?: LinkRef): Promise<List<ForwardingEntry>> {
    return this.#run(forwardingEntryActions.list(ref))
  }

  /**
   * Adds an entry, like `bridge fdb add`. It accepts a {@link ForwardingEntry} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if there is an entry for that address; see {@link NetworkForwardingEntries.append}.
   * @example
   * await set.network.forwardingEntries.add('port0', { mac: '02:00:00:00:00:02', table: 'master', state: 'static' })
   * await set.network.forwardingEntries.add('vxlan0', { mac: '02:00:00:00:00:03', dst: '192.0.2.2' })
   * @see bridge(8)
   */
  async add(ref: LinkRef, entry: ForwardingEntrySpec): Promise<void> {
    return this.#run(forwardingEntryActions.add(ref, entry))
  }

  /**
   * Adds a destination to an entry of a VXLAN, or adds the entry, like `bridge fdb append`. Only the entries for
   * `'00:00:00:00:00:00'` and for multicast addresses can have several: each of them gets a copy of the frame.
   *
   * @throws {@link ActionError} `EOPNOTSUPP` for an address that can have one destination only.
   * @example
   * for (const dst of ['192.0.2.2', '192.0.2.3']) {
   *   await set.network.forwardingEntries.append('vxlan0', { mac: '00:00:00:00:00:00', dst })
   * }
   * @see bridge(8)
   */
  async append(ref: LinkRef, entry: ForwardingEntrySpec): Promise<void> {
    return this.#run(forwardingEntryActions.append(ref, entry))
  }

  /**
   * Adds an entry, or replaces the one for the same address, like `bridge fdb replace`.
   *
   * @throws {@link ActionError} as {@link NetworkForwardingEntries.add}, except `EEXIST`.
   * @example
   * await set.network.forwardingEntries.replace('vxlan0', { mac: '02:00:00:00:00:03', dst: '192.0.2.9' })
   * @see bridge(8)
   */
  async replace(ref: LinkRef, entry: ForwardingEntrySpec): Promise<void> {
    return this.#run(forwardingEntryActions.replace(ref, entry))
  }

  /**
   * Deletes an entry, like `bridge fdb del`. Of an entry with several destinations it deletes one, which `dst` names.
   *
   * @throws {@link ActionError} `ENOENT` if there is no such entry.
   * @example
   * await set.network.forwardingEntries.delete('port0', { mac: '02:00:00:00:00:02', table: 'master' })
   * @see bridge(8)
   */
  async delete(ref: LinkRef, entry: ForwardingEntrySpec): Promise<void> {
    return this.#run(forwardingEntryActions.delete(ref, entry))
  }
}
