import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { objectName } from '../../validate/network/firewall/matching/names.ts'
import { type FirewallElement, type FirewallKey, parseLooseElements } from '../../validate/network/firewall/set.ts'
import {
  type DeleteTableOptions,
  type FirewallPolicyOptions,
  type MasqueradeOptions,
  masqueradeTable,
  type PublishedPort,
  parseDeleteTableOptions,
  policyTable,
  publishTable,
} from '../../validate/network/firewall/short-forms.ts'
import {
  describeTable,
  type FirewallCounts,
  type FirewallTable,
  type FirewallTableRef,
  type FirewallTableSpec,
  parseTable,
  parseTableRef,
} from '../../validate/network/firewall/table.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

type Elements = readonly (FirewallKey | FirewallElement)[]

function changeOf(ref: FirewallTableRef, set: string, elements: Elements): Plain {
  const table = parseTableRef(ref, 'ref')
  return { table, set: objectName(set, 'set'), elements: parseLooseElements(elements, 'elements') }
}

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

  /** See {@link NetworkFirewall.counters}. */
  counters(ref: FirewallTableRef): Action<FirewallCounts> {
    return operation('firewall.counters', { table: parseTableRef(ref, 'ref') }, describeTable)
  },

  /** See {@link NetworkFirewall.addElements}. */
  addElements(ref: FirewallTableRef, set: string, elements: Elements): Action<void> {
    return operation('firewall.addElements', changeOf(ref, set, elements), describeTable)
  },

  /** See {@link NetworkFirewall.deleteElements}. */
  deleteElements(ref: FirewallTableRef, set: string, elements: Elements): Action<void> {
    return operation('firewall.deleteElements', changeOf(ref, set, elements), describeTable)
  },

  /** See {@link NetworkFirewall.delete}. */
  delete(ref: FirewallTableRef, options?: DeleteTableOptions): Action<void> {
    const fields = { table: parseTableRef(ref, 'ref'), ...parseDeleteTableOptions(options) }
    return operation('firewall.delete', fields, describeTable)
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
   * What is equal in both tables stays as it is: rules with their counters, named counters and quotas, and elements of sets. Sets with
   * the flag `'dynamic'` keep what packets have added.
   *
   * @throws {@link ActionError} the kernel's error, with the rule in the message; `EAGAIN` if tables change too fast; `EMSGSIZE` if the table does not fit into one
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
   * Resolves with what the counters and quotas of a table have counted, by name, and the `'counter'` statements of its rules, like
   * `nft list counters`.
   *
   * @throws {@link ActionError} `ENOENT` if the table does not exist.
   * @example
   * const { counters, rules } = await set.network.firewall.counters('filter')
   * console.log(counters.web?.packets, rules[0]?.bytes)
   * @see nft(8)
   */
  async counters(ref: FirewallTableRef): Promise<FirewallCounts> {
    return this.#run(firewallActions.counters(ref))
  }

  /**
   * Adds elements to a set or a map of a table, all of them or none, like `nft add element`. An element that the set has stays as it
   * is.
   *
   * @throws {@link ActionError} `ENOENT` if the table or the set does not exist; `EEXIST` for intervals that overlap, and for a key for
   * which the map has another value.
   * @throws `ERR_INVALID_ARG_VALUE` for elements of another type.
   * @example
   * await set.network.firewall.addElements('filter', 'blocked', ['192.0.2.7', { key: '198.51.100.0/24', timeout: 60_000 }])
   * @see nft(8)
   */
  async addElements(ref: FirewallTableRef, set: string, elements: Elements): Promise<void> {
    return this.#run(firewallActions.addElements(ref, set, elements))
  }

  /**
   * Deletes elements of a set or a map of a table, all of them or none, like `nft delete element`.
   *
   * @throws {@link ActionError} `ENOENT` if the table, the set or one of the elements does not exist.
   * @example
   * await set.network.firewall.deleteElements('filter', 'blocked', ['192.0.2.7'])
   * @see nft(8)
   */
  async deleteElements(ref: FirewallTableRef, set: string, elements: Elements): Promise<void> {
    return this.#run(firewallActions.deleteElements(ref, set, elements))
  }

  /**
   * Deletes a table and all that is in it, like `nft delete table inet filter`; with `force`, like `nft destroy table`. It deletes the
   * table of this name also if another program has made it.
   *
   * @throws {@link ActionError} `ENOENT` if the table does not exist and `force` is not true; `EPERM` if a program owns the table (`nft`
   * with `flags owner`).
   * @example
   * await set.network.firewall.delete('filter', { force: true })
   * @see nft(8)
   */
  async delete(ref: FirewallTableRef, options?: DeleteTableOptions): Promise<void> {
    return this.#run(firewallActions.delete(ref, options))
  }
}

/**
 * Functions that return tables for three common jobs, for {@link NetworkFirewall.replace}. The tables are plain data, which you can
 * change.
 *
 * @example
 * await set.network.firewall.replace('nat', firewall.masquerade({ out: 'eth0' }))
 * @see nft(8)
 */
export const firewall = {
  /**
   * Returns a table in which packets that leave through a link, with `from` only those from some addresses, get the address of that link.
   *
   * @throws `ERR_INVALID_ARG_VALUE`, `ERR_INVALID_ARG_TYPE` for invalid options.
   * @example
   * await router.network.firewall.replace('nat', firewall.masquerade({ out: 'eth0' }))
   * @see nft(8), and `nft add rule inet nat postrouting oifname eth0 ip saddr 10.0.0.0/8 masquerade`
   */
  masquerade(options: MasqueradeOptions): FirewallTableSpec {
    return masqueradeTable(options)
  },

  /**
   * Returns a table that makes ports of this host lead to servers behind it (dnat), also for programs of this host. With
   * `hairpin`, hosts beside a server reach it too, and with `loopback` programs of this host by `127.0.0.1`.
   *
   * @throws `ERR_INVALID_ARG_VALUE`, `ERR_INVALID_ARG_TYPE` for invalid options.
   * @example
   * await router.network.firewall.replace('publish', firewall.publish({ port: 80, to: { host: '10.0.2.2', port: 8080 } }))
   * @see nft(8), and `nft add rule inet nat prerouting fib daddr type local tcp dport 80 dnat ip to 10.0.2.2:8080`
   */
  publish(options: PublishedPort | readonly PublishedPort[]): FirewallTableSpec {
    return publishTable(options)
  },

  /**
   * Returns a table that drops what is not allowed: packets to this host and through it, except replies, those of `lo`, neighbour
   * discovery of IPv6, and what `allow` says.
   *
   * @throws `ERR_INVALID_ARG_VALUE`, `ERR_INVALID_ARG_TYPE` for invalid options.
   * @example
   * await set.network.firewall.replace('filter', firewall.policy({ allow: [{ port: 22 }] }))
   * @see nft(8)
   */
  policy(options: FirewallPolicyOptions = {}): FirewallTableSpec {
    return policyTable(options)
  },
}
