import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { netnsId, parseSetRefs } from '../../validate/network/netns-id.ts'
import { parseSetRef, type SetRef } from '../../validate/network/set-ref.ts'
import { type Action, operation, type Run } from '../actions/action.ts'
import { type List, listing } from '../actions/list.ts'

const targetOfId = ({ id }: Plain) => String(id ?? '')

/** The actions of {@link NetworkIds}. */
export const idActions = {
  /** See {@link NetworkIds.list}. */
  list(): Action<List<number>> {
    return listing('ids.list', {}, () => '', readIds)
  },

  /** See {@link NetworkIds.get}. */
  get(set: SetRef): Action<number | undefined> {
    return operation('ids.get', { network: parseSetRef(set, 'set') }, () => '')
  },

  /** See {@link NetworkIds.set}. */
  set(set: SetRef, id?: number): Action<number> {
    const fields = id === undefined ? {} : { id: netnsId(id, 'id') }
    return operation('ids.set', { network: parseSetRef(set, 'set'), ...fields }, targetOfId)
  },

  /** See {@link NetworkIds.find}. */
  find<const S extends SetRef>(id: number, sets: readonly S[]): Action<S | undefined> {
    const fields = { id: netnsId(id, 'id'), networks: parseSetRefs(sets, 'sets') }
    const among = [...sets]
    return operation('ids.find', fields, targetOfId, (at?: number) => (at === undefined ? undefined : among[at]))
  },
}

/** The native side has lists of objects only. */
function readIds(ids: number[]): void {
  for (const [index, each] of ids.entries()) ids[index] = (each as unknown as { id: number }).id
}

/**
 * The ids that other networks have in a network. The kernel gives a network such an id when a link between the two needs it: it is
 * the `netnsId` of the other end of a veth, or of the device of a link, in another network. An id is unique in its network, and ends
 * with the other network.
 *
 * Failures reject with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN in the user namespaces of both networks.
 *
 * @example
 * const { peer } = await set.network.links.get('eth0')
 * if (peer?.netnsId !== undefined) console.log(await set.network.ids.find(peer.netnsId, [host, router]))
 *
 * @see ip-netns(8)
 */
export class NetworkIds {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkIds)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the ids of other networks, like `ip netns list-id`.
   *
   * @throws {@link ActionError} as {@link NetworkIds}.
   * @example
   * console.log(await set.network.ids.list())
   * @see ip-netns(8)
   */
  async list(): Promise<List<number>> {
    return this.#run(idActions.list())
  }

  /**
   * Resolves with the id of a set's network, or with undefined if it has none, like `ip netns list-id` for a name.
   *
   * @throws {@link ActionError} as {@link NetworkIds}.
   * @example
   * const id = await set.network.ids.get({ name: 'blue' })
   * @see ip-netns(8)
   */
  async get(set: SetRef): Promise<number | undefined> {
    return this.#run(idActions.get(set))
  }

  /**
   * Gives a set's network an id, like `ip netns set blue 7`, and resolves with it. Default: an id that the kernel chooses, or the one
   * that the network has.
   *
   * @throws {@link ActionError} `EEXIST` if the network has an id, which cannot be changed; `ENOSPC` if another network has the id.
   * @example
   * await set.network.ids.set({ name: 'blue' }, 7)
   * const id = await set.network.ids.set(other)
   * @see ip-netns(8)
   */
  async set(set: SetRef, id?: number): Promise<number> {
    return this.#run(idActions.set(set, id))
  }

  /**
   * Resolves with the set among those given whose network has an id, or with undefined if none has it.
   *
   * @throws {@link ActionError} as {@link NetworkIds}.
   * @example
   * const set = await host.network.ids.find(0, [base, other])
   * @see ip-netns(8)
   */
  async find<const S extends SetRef>(id: number, sets: readonly S[]): Promise<S | undefined> {
    return this.#run(idActions.find(id, sets))
  }
}
