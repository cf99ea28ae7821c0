import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields, parseObject, parseOptions } from '../../fields.ts'
import { boolean, u8, u32, whole, word } from '../../values.ts'
import { cidr, type Family, family, familyOf, linkName } from '../values.ts'

/** A range that includes both ends. */
export interface NumberRange {
  start: number
  end: number
}

/** What a rule does with a packet that matches: ip-rule(8). A number is one of `FR_ACT_*` of linux/fib_rules.h. */
export type RoutingRuleAction = 'lookup' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit' | number

/** A protocol of IP. A number is one of /etc/protocols. */
export type IpProtocol = 'tcp' | 'udp' | 'icmp' | 'ipv6-icmp' | 'sctp' | number

/** A rule of policy routing, as in a list. */
export interface RoutingRule {
  family: 'IPv4' | 'IPv6'
  /** The kernel tries the rules from the lowest priority to the highest. */
  priority: number
  /** Only packets from this CIDR. */
  from?: string
  /** Only packets to this CIDR. */
  to?: string
  /** Only packets with this type of service. */
  tos?: number
  /** Only packets that arrive through the link with this name, which need not exist. `'lo'`: packets of this host. */
  iif?: string
  /** Only packets of sockets that are bound to the link with this name, which need not exist. */
  oif?: string
  /** Only packets with this mark in the bits of `fwmask`. */
  fwmark?: number
  fwmask?: number
  /** Only packets of sockets of these users, as ids of the `user` namespace of the Node.js process. */
  uidRange?: NumberRange
  /** Only packets of this protocol: the number of /etc/protocols. */
  ipProto?: number
  /** Only packets from these ports. */
  sport?: NumberRange
  /** Only packets to these ports. */
  dport?: NumberRange
  /** Only packets that a tunnel with this id has received. */
  tunnelId?: number
  /** Whether the rule is for the packets that do not match (`not`). */
  invert?: boolean
  action: RoutingRuleAction
  /** The routing table to look in; 254 is `main`, 255 is `local`, 253 is `default`. */
  table?: number
  /** Whether the table is that of the packet's VRF. */
  l3mdev?: boolean
  /** The priority of the rule at which the kernel continues. */
  goto?: number
  /** Routes whose prefix has at most this length do not count: 0 ignores default routes. */
  suppressPrefixLength?: number
  /** Routes through links of this group do not count. */
  suppressLinkGroup?: number
  /** IPv4: the realms for accounting: `from << 16 | to`. */
  realm?: number
  /** What added it, if that is said: 2 is the kernel, 4 an administrator (rtnetlink(7)). */
  protocol?: number
}

/**
 * A rule to add or delete. It can be a {@link RoutingRule} of a list, and means that rule then. To delete a rule, fields that you
 * omit match any value.
 */
export interface RoutingRuleSpec {
  /** Default: that of `from` and `to`, otherwise IPv4. */
  family?: 'IPv4' | 'IPv6' | undefined
  /** The kernel tries the rules from the lowest priority to the highest. Default: one less than the lowest above 0. */
  priority?: number | undefined
  /** Only packets from this CIDR. Default: any. */
  from?: string | undefined
  /** Only packets to this CIDR. Default: any. */
  to?: string | undefined
  /** Only packets with this type of service. */
  tos?: number | undefined
  /** Only packets that arrive through the link with this name, which need not exist. `'lo'`: packets of this host. */
  iif?: string | undefined
  /** Only packets of sockets that are bound to the link with this name, which need not exist. */
  oif?: string | undefined
  /** Only packets with this mark (`SO_MARK`, nftables). */
  fwmark?: number | undefined
  /** The bits of the mark that count. Default: all. */
  fwmask?: number | undefined
  /**
   * Only packets of sockets of these users: a user id of the `user` namespace of the Node.js process, or a range. The kernel refuses
   * it (`EPERM`) if another `user` namespace owns the network.
   */
  uidRange?: number | Readonly<NumberRange> | undefined
  /** Only packets of this protocol. */
  ipProto?: IpProtocol | undefined
  /** Only packets from these ports: a port, or a range. Requires `ipProto`. */
  sport?: number | Readonly<NumberRange> | undefined
  /** Only packets to these ports: a port, or a range. Requires `ipProto`. */
  dport?: number | Readonly<NumberRange> | undefined
  /** Only packets that a tunnel with this id has received. */
  tunnelId?: number | undefined
  /** Whether the rule is for the packets that do not match (`not`). Default: `false`. */
  invert?: boolean | undefined
  /** Default: `'goto'` with `goto`, otherwise `'lookup'`. */
  action?: RoutingRuleAction | undefined
  /** The routing table to look in. Default: `254`, which is `main`. */
  table?: number | undefined
  /** Whether the table is that of the packet's VRF. Default: `false`. */
  l3mdev?: boolean | undefined
  /** The priority of the rule at which the kernel continues, which must be higher than that of this rule. */
  goto?: number | undefined
  /** Routes whose prefix has at most this length do not count: 0 ignores default routes. */
  suppressPrefixLength?: number | undefined
  /** Routes through links of this group do not count. */
  suppressLinkGroup?: number | undefined
  /** IPv4: the realms for accounting: `from << 16 | to`. */
  realm?: number | undefined
  /** What adds it, 1 to 255. Default: nothing is said. */
  protocol?: number | undefined
}

/** Options of {@link NetworkRules.list}. */
export interface ListRulesOptions {
  /** Only the rules of this family. Default: both. */
  family?: 'IPv4' | 'IPv6' | undefined
}

const actionWord = word('lookup', 'goto', 'nop', 'blackhole', 'unreachable', 'prohibit')

const action: Parse<RoutingRuleAction> = (value, name) =>
  typeof value === 'number' ? u8(value, name) : actionWord(value, name)

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, sctp: 132 }

const protocolWord = word(...Object.keys(PROTOCOLS))

/** @internal A protocol of IP, as a number. */
export const ipProtocol: Parse<number> = (value, name) =>
  typeof value === 'number' ? whole(1, 0xff)(value, name) : (PROTOCOLS[protocolWord(value, name)] as number)

/** @internal A number, or a range, as a range. */
export function rangeOf(number: Parse<number>): Parse<NumberRange> {
  return (value, name) => {
    if (typeof value !== 'object') return { start: number(value, name), end: number(value, name) }
    const range = parseFields(value, name, { start: number, end: number }, ['start', 'end'])
    if (range.start <= range.end) return range
    throw invalidValue(`${name}.end`, `must not be less than its start, ${range.start}`, range.end)
  }
}

const port = rangeOf(whole(1, 0xffff))

const RULE = {
  family,
  priority: u32,
  from: cidr,
  to: cidr,
  tos: u8,
  iif: linkName,
  oif: linkName,
  fwmark: u32,
  fwmask: u32,
  uidRange: rangeOf(whole(0, 0xfffffffe)),
  ipProto: ipProtocol,
  sport: port,
  dport: port,
  tunnelId: whole(1, Number.MAX_SAFE_INTEGER),
  invert: boolean,
  action,
  table: u32,
  l3mdev: boolean,
  goto: whole(1, 0xffffffff),
  suppressPrefixLength: whole(0, 128),
  suppressLinkGroup: whole(0, 0x7fffffff),
  realm: u32,
  protocol: whole(1, 0xff),
} satisfies FieldsOf<RoutingRuleSpec | RoutingRule>

const LIST = { family } satisfies FieldsOf<ListRulesOptions>

/** @internal */
export function parseListRulesOptions(options: unknown) {
  return parseOptions(options, LIST)
}

/** @internal */
export function parseRule(rule: unknown, name: string): Plain {
  parseObject(rule, name)
  const parsed = parseFields(rule, name, RULE)
  const { from, to } = parsed
  const families = [parsed.family, from && familyName(from), to && familyName(to)].filter((each) => each !== undefined)
  if (new Set(families).size > 1) {
    const key = from === undefined || (parsed.family ?? familyName(from)) === familyName(from) ? 'to' : 'from'
    throw invalidValue(`${name}.${key}`, `must be of the same family, ${families[0]}`, parsed[key])
  }
  return { ...parsed, family: families[0] ?? 'IPv4' }
}

function familyName(net: string): Family {
  return familyOf(net.split('/')[0] ?? '') === 6 ? 'IPv6' : 'IPv4'
}

/** @internal Describes a rule in messages. */
export function describeRule(rule: unknown): string {
  const { priority, from, to, table } = rule as Plain
  const words = [priority === undefined ? '' : `${priority}:`, from && `from ${from}`, to && `to ${to}`]
  return [...words, table === undefined ? '' : `lookup ${table}`].filter(Boolean).join(' ')
}
