import { parseOptions } from '../options.ts'
import { type Action, operation, type Run } from './action.ts'
import type { Plain } from './fields.ts'
import { describeLink, type LinkRef, parseLinkRef } from './link-ref.ts'
import { handle, parseQdisc, type Qdisc, type QdiscSpec } from './qdisc.ts'

/** Options of {@link NetworkQdiscs.delete}. */
export interface DeleteQdiscOptions {
  /** Where it is: `'root'` unless told, or a class: `'1:10'`. */
  parent?: string | undefined
}

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
    const { parent } = parseOptions<DeleteQdiscOptions>(options)
    const place = parent === undefined ? 'root' : handle(parent, 'options.parent')
    return operation('qdiscs.delete', { link: parseLinkRef(ref, 'ref'), parent: place }, target)
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
  readonly #run: Run

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The queueing disciplines of a link, or of all.
   *
   * @example
   * for (const { kind, parent } of await set.network.qdiscs.list('eth0')) console.log(parent, kind)
   */
  async list(ref?: LinkRef): Promise<Qdisc[]> {
    return this.#run(qdiscActions.list(ref))
  }

  /**
   * Adds one where there is none but the kernel's own.
   *
   * @throws {@link ActionError} `EEXIST`.
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
   * Takes one away: the first that a packet gets to, or the one of a class.
   *
   * @throws {@link ActionError} `ENOENT` or `EINVAL` when there is none but the kernel's own.
   * @example
   * await set.network.qdiscs.delete('eth0')
   */
  async delete(ref: LinkRef, options?: DeleteQdiscOptions): Promise<void> {
    return this.#run(qdiscActions.delete(ref, options))
  }
}
