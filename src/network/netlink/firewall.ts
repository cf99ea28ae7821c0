import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import {
  describeTable,
  type FirewallTable,
  type FirewallTableRef,
  type FirewallTableSpec,
  parseTable,
  parseTableRef,
} from '../../validate/network/firewall/table.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

/** The actions of {@link NetworkFirewall}. */
export const firewallActions = {
  /** See {@link NetworkFirewall.list}. */
  list(): Action<FirewallTable[]> {
    return operation('firewall.list', {}, () => '')
  },

  /** See {@link NetworkFirewall.get}. */
  get(ref: FirewallTableRef): Action<FirewallTable> {
    return operation('firewall.get', { table: parseTableRef(ref, 'ref') }, describeTable)
  },

  /** See {@link NetworkFirewall.replace}. */
  replace(ref: FirewallTableRef, table: FirewallTableSpec): Action<void> {
    return operation('firewall.replace', { table: parseTable(ref, table) }, describeTable)
  },

  /** See {@link NetworkFirewall.delete}. */
  delete(ref: FirewallTableRef): Action<void> {
    return operation('firewall.delete', { table: parseTableRef(ref, 'ref') }, describeTable)
  },
}

/**
 * The packet filter of a network: tables of nf_tables as plain data, over netlink and without `nft`. Tables of other programs stay
 * as they are.
 *
 * Failures reject with an {@link ActionError}: `ENOENT` if the table does not exist, or if the kernel lacks something that a rule
 * needs; `EPERM` without CAP_NET_ADMIN, and for a table that another program owns.
 *
 * @example
 * await set.network.firewall.replace('filter', {
 *   chains: { input: { hook: 'input', policy: 'drop', rules: [[{ 'ct state': ['established', 'related'] }, 'accept'], [{ 'tcp dport': 22 }, 'accept']] } },
 * })
 *
 * @see nft(8)
 */
export class NetworkFirewall {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkFirewall)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with all tables and what is in them, like `nft -s list ruleset`. You can pass each of them to `replace`.
   *
   * @throws {@link ActionError} `EAGAIN` if tables change so fast that the kernel never returns a consistent list.
   * @example
   * for (const { family, name } of await set.network.firewall.list()) console.log(family, name)
   * @see nft(8)
   */
  async list(): Promise<FirewallTable[]> {
    return this.#run(firewallActions.list())
  }

  /**
   * Resolves with a table and what is in it, like `nft -s list table inet filter`. A rule that nsset cannot express is
   * `[{ raw }]`.
   *
   * @throws {@link ActionError} `ENOENT` if the table does not exist; `EAGAIN` as {@link NetworkFirewall.list}.
   * @example
   * const { chains } = await set.network.firewall.get('filter')
   * console.log(chains.input?.rules)
   * @see nft(8)
   */
  async get(ref: FirewallTableRef): Promise<FirewallTable> {
    return this.#run(firewallActions.get(ref))
  }

  /**
   * Adds a table, or replaces the one with this name, in one batch, like `nft -f`: packets meet either all of the old table or all
   * of the new one, and if the call fails, the old one stays. It accepts what `get` returns.
   *
   * @throws {@link ActionError} the kernel's error, with the rule in the message; `EMSGSIZE` if the table does not fit into one
   * message, which without CAP_NET_ADMIN outside has at most twice `net.core.wmem_max` bytes.
   * @throws `ERR_INVALID_ARG_VALUE` for what is wrong in the data, for chains and sets that the table does not have, and for jumps
   * in a circle.
   * @example
   * await set.network.firewall.replace('nat', {
   *   chains: { postrouting: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth0' }, 'masquerade']] } },
   * })
   * @see nft(8)
   */
  async replace(ref: FirewallTableRef, table: FirewallTableSpec): Promise<void> {
    return this.#run(firewallActions.replace(ref, table))
  }

  /**
   * Deletes a table and all that is in it, like `nft delete table inet filter`.
   *
   * @throws {@link ActionError} `ENOENT` if the table does not exist.
   * @example
   * await set.network.firewall.delete('filter')
   * @see nft(8)
   */
  async delete(ref: FirewallTableRef): Promise<void> {
    return this.#run(firewallActions.delete(ref))
  }
}
