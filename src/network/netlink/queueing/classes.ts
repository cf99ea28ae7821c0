import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../../validate/network/link-ref.ts'
import {
  type ClassRef,
  parseClass,
  parseClassRef,
  type TrafficClass,
  type TrafficClassSpec,
} from '../../../validate/network/queueing/class.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

const target = ({ link, spec, handle }: Plain) =>
  `${handle ?? (spec as Plain | undefined)?.['handle'] ?? ''} of ${describeLink(link)}`

function make(name: string, ref: LinkRef, spec: TrafficClassSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), spec: parseClass(spec, 'spec') }, target)
}

/** The actions of {@link NetworkClasses}. */
export const classActions = {
  /** See {@link NetworkClasses.list}. */
  list(ref?: LinkRef): Action<List<TrafficClass>> {
    const link = ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }
    return listing('classes.list', link, ({ link }) => describeLink(link))
  },

  /** See {@link NetworkClasses.add}. */
  add(ref: LinkRef, spec: TrafficClassSpec): Action<void> {
    return make('classes.add', ref, spec)
  },

  /** See {@link NetworkClasses.replace}. */
  replace(ref: LinkRef, spec: TrafficClassSpec): Action<void> {
    return make('classes.replace', ref, spec)
  },

  /** See {@link NetworkClasses.delete}. */
  delete(ref: LinkRef, of: ClassRef): Action<void> {
    return operation('classes.delete', { link: parseLinkRef(ref, 'ref'), handle: parseClassRef(of, 'of') }, target)
  },
}

/**
 * The classes of a network's queueing disciplines: each has a share of the rate of its link. Filters say which packets belong to
 * which class.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN, `ENOENT` if it
 * has no qdisc with classes.
 *
 * @example
 * await set.network.qdiscs.add('eth0', { kind: 'htb', handle: '1:', defaultClass: 0x20 })
 * await set.network.classes.add('eth0', { kind: 'htb', handle: '1:10', rate: 8_000_000, ceil: 10_000_000 })
 *
 * @see tc(8), tc-htb(8)
 */
export class NetworkClasses {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkClasses)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the classes of a link, like `tc -s class show dev eth0`. Default: the classes of all links.
   *
   * @example
   * for (const { handle, statistics } of await set.network.classes.list('eth0')) console.log(handle, statistics.bytes)
   * @see tc(8)
   */
  async list(ref?: LinkRef): Promise<List<TrafficClass>> {
    return this.#run(classActions.list(ref))
  }

  /**
   * Adds a class, like `tc class add`. It accepts a {@link TrafficClass} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if there is a class with that handle; `ENOENT` if there is no qdisc with classes.
   * @example
   * await set.network.classes.add('eth0', { kind: 'htb', handle: '1:1', rate: 10_000_000 })
   * await set.network.classes.add('eth0', { kind: 'htb', handle: '1:10', parent: '1:1', rate: 8_000_000 })
   * @see tc(8), tc-htb(8)
   */
  async add(ref: LinkRef, spec: TrafficClassSpec): Promise<void> {
    return this.#run(classActions.add(ref, spec))
  }

  /**
   * Adds a class, or changes the one with the same handle, like `tc class replace`.
   *
   * @throws {@link ActionError} as {@link NetworkClasses.add}, except `EEXIST`.
   * @example
   * await set.network.classes.replace('eth0', { kind: 'htb', handle: '1:10', parent: '1:1', rate: 9_000_000 })
   * @see tc(8)
   */
  async replace(ref: LinkRef, spec: TrafficClassSpec): Promise<void> {
    return this.#run(classActions.replace(ref, spec))
  }

  /**
   * Deletes a class, like `tc class del`.
   *
   * @throws {@link ActionError} `ENOENT` if there is none with that handle; `EBUSY` if there are classes below it, or filters that
   * lead to it.
   * @example
   * await set.network.classes.delete('eth0', '1:10')
   * @see tc(8)
   */
  async delete(ref: LinkRef, of: ClassRef): Promise<void> {
    return this.#run(classActions.delete(ref, of))
  }
}
