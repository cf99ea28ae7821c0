import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, type Plain, parseArray, parseFields } from '../../fields.ts'
import { meant } from '../../nearest.ts'
import { quoted, whole, word } from '../../values.ts'
import { linkName } from '../values.ts'
import { comment } from './matching/names.ts'
import { type FirewallRule, parseStatement } from './statement.ts'

/** Which packets a table gets: those of IPv4 and IPv6 (`inet`), of one of them, of ARP, of bridges, or of links (`netdev`). */
export type FirewallFamily = 'inet' | 'ip' | 'ip6' | 'arp' | 'bridge' | 'netdev'

/** Where a base chain gets packets. */
export type FirewallHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress'

/** The name of a priority, as in nft(8). */
export type FirewallPriority = 'raw' | 'mangle' | 'dstnat' | 'filter' | 'security' | 'srcnat' | 'out'

/** A chain of a table. With a `hook`, it is a base chain, which gets packets by itself; otherwise rules jump to it. */
export interface FirewallChain {
  /** Default, for a base chain: `'filter'`. */
  type?: 'filter' | 'nat' | 'route' | undefined
  hook?: FirewallHook | undefined
  /**
   * Chains of the same hook with lower priorities come first. Default, for a base chain: `'filter'`; for `nat`, `'dstnat'` or
   * `'srcnat'`, depending on the hook.
   */
  priority?: number | FirewallPriority | undefined
  /** What happens to packets for which no rule decides. Default, for a base chain: `'accept'`. */
  policy?: 'accept' | 'drop' | undefined
  /** The names of the links whose packets it gets, for the hooks `ingress` and `egress`. */
  devices?: readonly string[] | undefined
  comment?: string | undefined
  rules?: readonly FirewallRule[] | undefined
}

const IP_HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const

const HOOKS: { readonly [F in FirewallFamily]: readonly FirewallHook[] } = {
  inet: [...IP_HOOKS, 'ingress'],
  ip: IP_HOOKS,
  ip6: IP_HOOKS,
  arp: ['input', 'output'],
  bridge: IP_HOOKS,
  netdev: ['ingress', 'egress'],
}

const ROUTED = ['raw', 'mangle', 'dstnat', 'filter', 'security', 'srcnat'] as const
const PRIORITIES: { readonly [F in FirewallFamily]: readonly FirewallPriority[] } = {
  inet: ROUTED,
  ip: ROUTED,
  ip6: ROUTED,
  arp: ROUTED,
  bridge: ['dstnat', 'filter', 'out', 'srcnat'],
  netdev: ROUTED,
}

const integer = whole(-0x80000000, 0x7fffffff)

const rule: Parse<unknown[]> = (value, name) => {
  const statements = parseArray(value, name, parseStatement)
  const at = statements.findIndex((statement) => typeof statement === 'object' && 'comment' in (statement as Plain))
  if (at === -1 || at === statements.length - 1) return statements
  throw invalidValue(`${name}[${at}]`, 'must be the last statement of the rule', statements[at])
}

const CHAIN = {
  type: word('filter', 'nat', 'route'),
  hook: word('prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'),
  priority: (value) => value,
  policy: word('accept', 'drop'),
  devices: array(linkName),
  comment,
  rules: array(rule),
} satisfies FieldsOf<FirewallChain>

/** @internal */
export function chainOf(family: FirewallFamily): Parse<Plain> {
  return (value, name) => {
    const chain = parseFields(value, name, CHAIN)
    const { hook, type = 'filter', priority, policy, devices } = chain
    if (hook === undefined) return parseRegular(chain, name)
    if (!HOOKS[family].includes(hook)) {
      throw invalidValue(`${name}.hook`, `must be one of ${quoted(HOOKS[family])} in the family '${family}'`, hook)
    }
    const hasDevices = hook === 'ingress' || hook === 'egress'
    if (hasDevices !== (devices !== undefined && devices.length > 0)) {
      const reason = hasDevices ? `is required for the hook '${hook}'` : "is only for the hooks 'ingress' and 'egress'"
      throw invalidValue(`${name}.devices`, reason, devices)
    }
    const found = priorityOf(priority ?? defaultPriority(type, hook), `${name}.priority`, family)
    return { ...chain, type, priority: found, policy: policy ?? 'accept' }
  }
}

function parseRegular(chain: Plain, name: string): Plain {
  const wrong = ['type', 'priority', 'policy', 'devices'].find((key) => chain[key] !== undefined)
  if (wrong === undefined) return chain
  throw invalidValue(`${name}.${wrong}`, "is only for base chains, which have a 'hook'", chain[wrong])
}

/** @internal */
export function priorityOf(value: unknown, name: string, family: FirewallFamily): number | FirewallPriority {
  if (typeof value === 'number') return integer(value, name)
  if (PRIORITIES[family].includes(value as FirewallPriority)) return value as FirewallPriority
  const known = PRIORITIES[family]
  throw invalidValue(name, `must be a number, or one of ${quoted(known)}${meant(value, known)}`, value)
}

function defaultPriority(type: string, hook: FirewallHook): FirewallPriority {
  if (type === 'route') return 'mangle'
  if (type !== 'nat') return 'filter'
  return hook === 'prerouting' || hook === 'output' ? 'dstnat' : 'srcnat'
}
