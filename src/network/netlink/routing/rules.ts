import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import {
  describeRule,
  type ListRulesOptions,
  parseListRulesOptions,
  parseRule,
  type RoutingRule,
  type RoutingRuleSpec,
} from '../../../validate/network/routing/rule.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

function change(name: string, rule: RoutingRuleSpec): Action<void> {
  return operation(name, { rule: parseRule(rule, 'rule') }, ({ rule }) => describeRule(rule))
}

/** The actions of {@link NetworkRules}. */
export const ruleActions = {
  /** See {@link NetworkRules.list}. */
  list(options?: ListRulesOptions): Action<List<RoutingRule>> {
    return listing('rules.list', parseListRulesOptions(options), () => '')
  },

  /** See {@link NetworkRules.add}. */
  add(rule: RoutingRuleSpec): Action<void> {
    return change('rules.add', rule)
  },

  /** See {@link NetworkRules.delete}. */
  delete(rule: RoutingRuleSpec): Action<void> {
    return change('rules.delete', rule)
  },
}

/**
 * The rules of policy routing of a network: in which routing table the kernel looks for a packet. The kernel has no operation to
 * replace a rule: add the new one, and delete the old one.
 *
 * Failures reject with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN.
 *
 * @example
 * await set.network.routes.add({ destination: 'default', via: '10.1.0.1', table: 100 })
 * await set.network.rules.add({ from: '10.1.0.0/24', table: 100 })
 *
 * @see ip-rule(8)
 */
export class NetworkRules {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkRules)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the rules of both families, or of one, in the order in which the kernel tries them, like `ip rule show`.
   *
   * @example
   * const rules = await set.network.rules.list({ family: 'IPv4' })
   * console.log(rules.map(({ priority, table }) => `${priority}: lookup ${table}`))
   * @see ip-rule(8)
   */
  async list(options?: ListRulesOptions): Promise<List<RoutingRule>> {
    return this.#run(ruleActions.list(options))
  }

  /**
   * Adds a rule, like `ip rule add`. It accepts a {@link RoutingRule} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if the same rule exists; `EINVAL` for a combination of values that the kernel rejects.
   * @example
   * await set.network.rules.add({ priority: 100, fwmark: 7, table: 100 })
   * await set.network.rules.add({ priority: 200, ipProto: 'tcp', dport: { start: 8000, end: 8999 }, action: 'prohibit' })
   * @see ip-rule(8)
   */
  async add(rule: RoutingRuleSpec): Promise<void> {
    return this.#run(ruleActions.add(rule))
  }

  /**
   * Deletes the rule that has exactly these fields, or else the first that has them, like `ip rule del`. Fields that you omit
   * match any value.
   *
   * @throws {@link ActionError} `ENOENT` if no rule has these fields; `ERR_INVALID_ARG_VALUE` if the kernel, which does not compare
   * all fields, would delete another rule instead.
   * @example
   * for (const rule of await set.network.rules.list()) if (rule.table === 100) await set.network.rules.delete(rule)
   * @see ip-rule(8)
   */
  async delete(rule: RoutingRuleSpec): Promise<void> {
    return this.#run(ruleActions.delete(rule))
  }
}
