import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../../validate/network/link-ref.ts'
import {
  type FilterRef,
  type ListFiltersOptions,
  parseFilter,
  parseFilterRef,
  parseListFiltersOptions,
  type TrafficFilter,
  type TrafficFilterSpec,
} from '../../../validate/network/queueing/filter.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

const target = ({ link, spec, place }: Plain) =>
  `${((spec ?? place ?? {}) as Plain)['parent'] ?? ''} of ${describeLink(link)}`

function make(name: string, ref: LinkRef, spec: TrafficFilterSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), spec: parseFilter(spec, 'spec') }, target)
}

/** The actions of {@link NetworkFilters}. */
export const filterActions = {
  /** See {@link NetworkFilters.list}. */
  list(ref: LinkRef, options?: ListFiltersOptions): Action<List<TrafficFilter>> {
    const fields = { link: parseLinkRef(ref, 'ref'), ...parseListFiltersOptions(options) }
    return listing('filters.list', fields, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkFilters.add}. */
  add(ref: LinkRef, spec: TrafficFilterSpec): Action<void> {
    return make('filters.add', ref, spec)
  },

  /** See {@link NetworkFilters.replace}. */
  replace(ref: LinkRef, spec: TrafficFilterSpec): Action<void> {
    return make('filters.replace', ref, spec)
  },

  /** See {@link NetworkFilters.delete}. */
  delete(ref: LinkRef, of: FilterRef): Action<void> {
    return operation('filters.delete', { link: parseLinkRef(ref, 'ref'), ...parseFilterRef(of, 'of') }, target)
  },
}

/**
 * The filters of a network's queueing disciplines and classes: which class a packet belongs to, and what is done with it. Those of
 * a qdisc of type `clsact` see all packets that arrive (`'ingress'`) or leave (`'egress'`).
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN, `ENOENT` if
 * the kernel does not have the kind of filter or action.
 *
 * @example
 * await set.network.qdiscs.add('eth0', { kind: 'clsact' })
 * const actions = [{ kind: 'mirred', mode: 'redirect', dev: 'ifb0' }] as const
 * await set.network.filters.add('eth0', { kind: 'matchall', parent: 'ingress', actions })
 *
 * @see tc(8), tc-flower(8), tc-u32(8), tc-actions(8)
 */
export class NetworkFilters {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkFilters)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the filters of a link, like `tc -s filter show dev eth0`, at all its qdiscs and classes or at one parent.
   *
   * @example
   * for (const { kind, priority, class: of } of await set.network.filters.list('eth0')) console.log(priority, kind, of)
   * @see tc(8)
   */
  async list(ref: LinkRef, options?: ListFiltersOptions): Promise<List<TrafficFilter>> {
    return this.#run(filterActions.list(ref, options))
  }

  /**
   * Adds a filter, like `tc filter add`. It accepts a {@link TrafficFilter} of a list, except one of kind `bpf`.
   *
   * @throws {@link ActionError} `EEXIST` if there is a filter with that priority and handle; `EINVAL` if the link has no such
   * parent.
   * @example
   * const http = { kind: 'flower', protocol: 'ip', ipProto: 'tcp', dport: 80 } as const
   * await set.network.filters.add('eth0', { ...http, parent: '1:', class: '1:10' })
   * @see tc(8)
   */
  async add(ref: LinkRef, spec: TrafficFilterSpec): Promise<void> {
    return this.#run(filterActions.add(ref, spec))
  }

  /**
   * Adds a filter, or replaces the one with the same priority and handle, like `tc filter replace`.
   *
   * @throws {@link ActionError} as {@link NetworkFilters.add}, except `EEXIST`.
   * @example
   * await set.network.filters.replace('eth0', { kind: 'fw', parent: '1:', priority: 5, handle: 7, class: '1:20' })
   * @see tc(8)
   */
  async replace(ref: LinkRef, spec: TrafficFilterSpec): Promise<void> {
    return this.#run(filterActions.replace(ref, spec))
  }

  /**
   * Deletes a filter, or without a `handle` all filters of a priority, like `tc filter del`.
   *
   * @throws {@link ActionError} `ENOENT` if there is none.
   * @example
   * for (const filter of await set.network.filters.list('eth0')) await set.network.filters.delete('eth0', filter)
   * @see tc(8)
   */
  async delete(ref: LinkRef, of: FilterRef): Promise<void> {
    return this.#run(filterActions.delete(ref, of))
  }
}
