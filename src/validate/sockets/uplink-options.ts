import { invalidValue } from '../../errors.ts'
import { array, type FieldsOf, object, parseOptions } from '../fields.ts'
import { cidr, familyOf, linkName, milliseconds } from '../network/values.ts'
import { func, signal, whole } from '../values.ts'
import { parseServer } from './lookup-options.ts'
import { type ParsedRule, type Rule, rules } from './rule.ts'

/** A flow that no rule settles, for {@link UplinkOptions.decide}. */
export interface UplinkRequest {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly address: string
  /** `0` for a protocol without ports. */
  readonly port: number
  /** The names for which the uplink has answered with this address. */
  readonly names: readonly string[]
}

/** How an uplink resolves names. */
export interface UplinkDnsOptions {
  /** The name servers outside, with optional ports. Default: those of the process, `dns.getServers()`. */
  servers?: readonly string[] | undefined
}

/** Options of {@link Network.uplink}. */
export interface UplinkOptions {
  /** The name of the link inside. Default: `'uplink0'`. */
  name?: string | undefined
  /**
   * The addresses of the link, at most one of each family. The gateway is the second address of the range: `10.0.2.2`. Default:
   * `['10.0.2.100/24', 'fd00:6e73:7365:74::100/64']`.
   */
  addresses?: readonly string[] | undefined
  /** The largest packet of the link, 1280 to 65520 bytes. Default: `65520`. */
  mtu?: number | undefined
  /** How names are resolved. */
  dns?: UplinkDnsOptions | undefined
  /** What may be reached. Default: everything that is not closed, if there is no `decide`. */
  allow?: readonly Rule[] | undefined
  /** What may not be reached, although a rule of `allow` or `decide` allows it. */
  deny?: readonly Rule[] | undefined
  /**
   * Decides about a flow that no rule settles. Other flows do not wait for it. If it throws, the flow is refused. It is not asked
   * about closed addresses.
   */
  decide?: ((request: UplinkRequest) => boolean | Promise<boolean>) | undefined
  /** In milliseconds: how long `decide` may take before the flow is refused. Default: `5_000`. */
  decideTimeout?: number | undefined
  /** Aborts the start. It does not close an uplink that has started. */
  signal?: AbortSignal | undefined
}

/** @internal The address of a link, and the gateway in its range. */
export interface UplinkAddress {
  readonly cidr: string
  readonly gateway: string
}

/** @internal */
export interface ParsedUplink {
  readonly name: string
  readonly addresses: readonly UplinkAddress[]
  readonly mtu: number
  readonly servers: readonly string[] | undefined
  readonly allow: ParsedRule[] | undefined
  readonly deny: ParsedRule[]
  readonly decide: UplinkOptions['decide']
  readonly decideTimeout: number
  readonly signal: AbortSignal | undefined
}

const DEFAULT_ADDRESSES = ['10.0.2.100/24', 'fd00:6e73:7365:74::100/64']

/** @internal What it may reach, and how names are resolved. */
export const UPLINK_RULES = {
  dns: object({ servers: array(parseServer) } satisfies FieldsOf<UplinkDnsOptions>),
  allow: rules,
  deny: rules,
  decide: func<NonNullable<UplinkOptions['decide']>>(),
  decideTimeout: milliseconds,
} satisfies FieldsOf<Pick<UplinkOptions, 'dns' | 'allow' | 'deny' | 'decide' | 'decideTimeout'>>

const UPLINK = {
  ...UPLINK_RULES,
  name: linkName,
  addresses: array(cidr),
  mtu: whole(1280, 65_520),
  signal,
} satisfies FieldsOf<UplinkOptions>

/** @internal */
export function parseUplinkOptions(options: unknown): ParsedUplink {
  const {
    name = 'uplink0',
    mtu = 65_520,
    dns,
    deny = [],
    decideTimeout = 5_000,
    ...given
  } = parseOptions(options, UPLINK)
  const addresses = (given.addresses ?? DEFAULT_ADDRESSES).map((address, index) =>
    addressOf(address, `options.addresses[${index}]`),
  )
  const families = addresses.map(({ gateway }) => familyOf(gateway))
  if (families.length === 0 || new Set(families).size < families.length) {
    throw invalidValue('options.addresses', 'must have one address, or one of each family', given.addresses)
  }
  const { allow, decide, signal } = given
  return { name, addresses, mtu, servers: dns?.servers, allow, deny, decide, decideTimeout, signal }
}

const addressOf = (value: string, name: string): UplinkAddress => {
  const [address = '', bits = ''] = value.split('/')
  const isV4 = familyOf(address) === 4
  const length = isV4 ? 32 : 128
  const hosts = BigInt(length - Number(bits))
  const number = isV4 ? numberOfV4(address) : numberOfV6(address)
  const start = (number >> hosts) << hosts
  const gateway = start + (number === start + 2n ? 1n : 2n)
  if (hosts < 3n) throw invalidValue(name, 'must have a range with at least 8 addresses', value)
  return { cidr: value, gateway: isV4 ? textOfV4(gateway) : textOfV6(gateway) }
}

function numberOfV4(address: string): bigint {
  return address.split('.').reduce((number, part) => (number << 8n) | BigInt(part), 0n)
}

function textOfV4(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join('.')
}

function numberOfV6(address: string): bigint {
  // The URL parser writes an IPv4 address at the end as two groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const all = [...first, ...Array(8 - first.length - last.length).fill('0'), ...last]
  return all.reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n)
}

function textOfV6(number: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(16 * (7 - index))) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
