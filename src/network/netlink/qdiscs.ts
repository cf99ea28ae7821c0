import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../validate/network/link-ref.ts'
import {
  type DeleteQdiscOptions,
  parseQdisc,
  parseQdiscPlace,
  type Qdisc,
  type QdiscSpec,
} from '../../validate/network/qdisc.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ link }: Plain) => describeLink(link)

function make(name: string, ref: LinkRef, spec: QdiscSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), spec: parseQdisc(spec, 'spec') }, target)
}

/** The actions of {@link NetworkQdiscs}: see there. */
export const qdiscActions = {
  /** As {@link NetworkQdiscs.list}. */
  list(ref?: LinkRef): Action<Qdisc[]> {
    return operation('qdiscs.list', ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }, target)
  },

  /** As {@link NetworkQdiscs.add}. */
  add(ref: LinkRef, spec: QdiscSpec): Action<void> {
    return make('qdiscs.add', ref, spec)
  },

  /** As {@link NetworkQdiscs.replace}. */
  replace(ref: LinkRef, spec: QdiscSpec): Action<void> {
    return make('qdiscs.replace', ref, spec)
  },

  /** As {@link NetworkQdiscs.delete}. */
  delete(ref: LinkRef, options?: DeleteQdiscOptions): Action<void> {
    const place = parseQdiscPlace(options === undefined ? {} : options, 'options')
    return operation('qdiscs.delete', { link: parseLinkRef(ref, 'ref'), place }, target)
  },
}

/**
 * Queueing disciplines: what the links of a network do with the packets that wait to leave by them. A latency, a loss or a
 * rate holds for what leaves; for both directions it goes on both ends.
 *
 * What fails rejects with an {@link ActionError}: `ENODEV` where there is no such link, `EPERM` without CAP_NET_ADMIN,
 * `ENOENT` for a kind that the kernel does not have.
 *
 * @example
 * await set.network.qdiscs.add('eth0', { kind: 'netem', latency: 40, jitter: 5, loss: 0.1 })
 *
 * @see tc(8)
 */
export class NetworkQdiscs {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkQdiscs)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The queueing disciplines of a link, or of all: `tc qdisc show`.
   *
   * @throws {@link ActionError} `EAGAIN` when links and queueing disciplines change so fast that no list is right.
   * @example
   * for (const { kind, parent } of await set.network.qdiscs.list('eth0')) console.log(parent, kind)
   */
  async list(ref?: LinkRef): Promise<Qdisc[]> {
    return this.#run(qdiscActions.list(ref))
  }

  /**
   * Adds one where there is none but the kernel's own: `tc qdisc add`. A {@link Qdisc} of a list is one, too.
   *
   * @throws {@link ActionError} `EEXIST` when there is one of that kind in that place, or when the spec has a handle. One of another
   * kind is replaced by the kernel, as by `tc qdisc add`; but no `ingress` by a `clsact`, nor the other way round: `EEXIST`.
   * @example
   * await set.network.qdiscs.add('eth0', { kind: 'netem', latency: 40, jitter: 2, loss: 0.1 })
   * await set.network.qdiscs.add('eth1', { kind: 'tbf', rate: 10_000_000 })
   * @see tc-netem(8), tc-tbf(8)
   */
  async add(ref: LinkRef, spec: QdiscSpec): Promise<void> {
    return this.#run(qdiscActions.add(ref, spec))
  }

  /**
   * Puts one in the place of the one that is there, or changes that one where it is of the same kind
   * and the kernel can; htb, and the `flows` of fq_codel, it cannot.
   *
   * @throws {@link ActionError}
   * @example
   * await set.network.qdiscs.replace('eth0', { kind: 'netem', latency: 80 })
   */
  async replace(ref: LinkRef, spec: QdiscSpec): Promise<void> {
    return this.#run(qdiscActions.replace(ref, spec))
  }

  /**
   * Takes one away: the first that a packet gets to, or the one of a class: `tc qdisc del dev eth0 root`.
   *
   * @throws {@link ActionError} `ENOENT` or `EINVAL` when there is none but the kernel's own, or another than is said.
   * @example
   * await set.network.qdiscs.delete('eth0')
   * for (const qdisc of await set.network.qdiscs.list('eth1')) await set.network.qdiscs.delete('eth1', qdisc)
   */
  async delete(ref: LinkRef, options?: DeleteQdiscOptions): Promise<void> {
    return this.#run(qdiscActions.delete(ref, options))
  }
}
