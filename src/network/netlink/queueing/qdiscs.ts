import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import type { Plain } from '../../../validate/fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from '../../../validate/network/link-ref.ts'
import {
  type DeleteQdiscOptions,
  parseQdisc,
  parseQdiscPlace,
  type Qdisc,
  type QdiscSpec,
} from '../../../validate/network/queueing/qdisc.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

/** @internal A qdisc as the native side returns it: with the digits of a seed. */
export function readQdisc(answer: Qdisc): void {
  if (answer.kind === 'netem' && answer.seed !== undefined) answer.seed = numberOf(answer.seed)
}

function numberOf(digits: unknown): number | bigint {
  const seed = BigInt(digits as string)
  return seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : seed
}

const target = ({ link }: Plain) => describeLink(link)

function make(name: string, ref: LinkRef, spec: QdiscSpec): Action<void> {
  return operation(name, { link: parseLinkRef(ref, 'ref'), spec: parseQdisc(spec, 'spec') }, target)
}

/** The actions of {@link NetworkQdiscs}. */
export const qdiscActions = {
  /** See {@link NetworkQdiscs.list}. */
  list(ref?: LinkRef): Action<List<Qdisc>> {
    return listing('qdiscs.list', ref === undefined ? {} : { link: parseLinkRef(ref, 'ref') }, target, (answer) => {
      for (const qdisc of answer) readQdisc(qdisc)
    })
  },

  /** See {@link NetworkQdiscs.add}. */
  add(ref: LinkRef, spec: QdiscSpec): Action<void> {
    return make('qdiscs.add', ref, spec)
  },

  /** See {@link NetworkQdiscs.replace}. */
  replace(ref: LinkRef, spec: QdiscSpec): Action<void> {
    return make('qdiscs.replace', ref, spec)
  },

  /** See {@link NetworkQdiscs.delete}. */
  delete(ref: LinkRef, options?: DeleteQdiscOptions): Action<void> {
    const place = parseQdiscPlace(options === undefined ? {} : options, 'options')
    return operation('qdiscs.delete', { link: parseLinkRef(ref, 'ref'), place }, target)
  },
}

/**
 * The queueing disciplines (qdiscs) of a network's links, which delay, limit or drop the packets that leave through a link. To
 * affect both directions of a veth, add a qdisc to both ends.
 *
 * Failures reject with an {@link ActionError}: `ENODEV` if the link does not exist, `EPERM` without CAP_NET_ADMIN, `ENOENT` if
 * the kernel does not have the kind of qdisc.
 *
 * @example
 * await set.network.qdiscs.add('eth0', { kind: 'netem', latency: 40, jitter: 5, loss: 0.1 })
 *
 * @see tc(8)
 */
export class NetworkQdiscs {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkQdiscs)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the qdiscs of a link, like `tc qdisc show dev eth0`. Default: the qdiscs of all links.
   *
   * @example
   * for (const { kind, parent } of await set.network.qdiscs.list('eth0')) console.log(parent, kind)
   * @see tc(8)
   */
  async list(ref?: LinkRef): Promise<List<Qdisc>> {
    return this.#run(qdiscActions.list(ref))
  }

  /**
   * Adds a qdisc in place of the kernel's default one, like `tc qdisc add`. It accepts a {@link Qdisc} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if there is a qdisc of the same kind with the same parent, or one of another kind and the
   * spec has a `handle`. Without a `handle`, the kernel replaces a qdisc of another kind, as with `tc qdisc add`; except
   * `ingress` by `clsact` and the reverse, which is `EEXIST`.
   * @example
   * await set.network.qdiscs.add('eth0', { kind: 'netem', latency: 40, jitter: 2, loss: 0.1 })
   * await set.network.qdiscs.add('eth1', { kind: 'tbf', rate: 10_000_000 })
   * @see tc(8), tc-netem(8), tc-tbf(8)
   */
  async add(ref: LinkRef, spec: QdiscSpec): Promise<void> {
    return this.#run(qdiscActions.add(ref, spec))
  }

  /**
   * Replaces the qdisc with the same parent, like `tc qdisc replace`. If that has the same kind, the kernel changes its options.
   * It cannot change those of htb and sfq, nor the `flows` of fq_codel: `EINVAL`.
   *
   * @throws {@link ActionError} as {@link NetworkQdiscs}; `EINVAL` if the kernel rejects or cannot change the options.
   * @example
   * await set.network.qdiscs.replace('eth0', { kind: 'netem', latency: 80 })
   * @see tc(8)
   */
  async replace(ref: LinkRef, spec: QdiscSpec): Promise<void> {
    return this.#run(qdiscActions.replace(ref, spec))
  }

  /**
   * Deletes the root qdisc of a link, or that of another parent, like `tc qdisc del dev eth0 root`.
   *
   * @throws {@link ActionError} `ENOENT` or `EINVAL` if there is only the kernel's default qdisc, or if the qdisc has another
   * handle or kind than `options`.
   * @example
   * await set.network.qdiscs.delete('eth0')
   * for (const qdisc of await set.network.qdiscs.list('eth1')) await set.network.qdiscs.delete('eth1', qdisc)
   * @see tc(8)
   */
  async delete(ref: LinkRef, options?: DeleteQdiscOptions): Promise<void> {
    return this.#run(qdiscActions.delete(ref, options))
  }
}
