import { invalidValue } from '../../../errors.ts'
import { array, type FieldsOf, oneOrMore, type Parse, parseFields, parseOptions } from '../../fields.ts'
import { boolean, u16, word } from '../../values.ts'
import { cidr, ip, linkName } from '../values.ts'
import type { FirewallRule, FirewallStatement } from './statement.ts'
import type { FirewallTableSpec } from './table.ts'

/** Options of {@link firewall.masquerade}. */
export interface MasqueradeOptions {
  /** The name of the link to the outside, or its start and `*`. */
  out: string
  /** Only packets from these addresses: one, a prefix such as `'10.0.0.0/8'`, or a list of them. Default: all. */
  from?: string | readonly string[] | undefined
  /** Whether ports are chosen at random (`random`). Default: `false`. */
  random?: boolean | undefined
}

/** A port that {@link firewall.publish} publishes. */
export interface PublishedPort {
  port: number
  /** The address of this host that clients use. Default: any. */
  host?: string | undefined
  /** Default: `'tcp'`. */
  protocol?: 'tcp' | 'udp' | undefined
  /** The server. Default of `port`: the same port. */
  to: { host: string; port?: number | undefined }
  /** The name of the link through which clients come. Default: any. */
  in?: string | undefined
  /** The network of the server, such as `'10.0.2.0/24'`, whose hosts are clients too: the server sees the address of this host. */
  hairpin?: string | undefined
  /**
   * Whether programs of this host reach the server by `127.0.0.1`, too. Also set the sysctl `net.ipv4.conf.LINK.route_localnet` of the
   * link to the server: otherwise the kernel drops such packets. Only for IPv4. Default: `false`.
   */
  loopback?: boolean | undefined
}

/** Options of {@link firewall.policy}. */
export interface FirewallPolicyOptions {
  /** What happens to packets to this host. Default: `'drop'`. */
  input?: 'accept' | 'drop' | undefined
  /** What happens to packets through this host. Default: `'drop'`. */
  forward?: 'accept' | 'drop' | undefined
  /** What happens to packets from this host. Default: `'accept'`. */
  output?: 'accept' | 'drop' | undefined
  /** Ports of this host, such as `{ port: 22 }`, and rules of your own, which are for packets to this host. */
  allow?: readonly (AllowedPort | FirewallRule)[] | undefined
}

/** A port that {@link firewall.policy} allows. */
export interface AllowedPort {
  port: number
  /** Default: `'tcp'`. */
  protocol?: 'tcp' | 'udp' | undefined
}

/** Options of `network.firewall.delete`. */
export interface DeleteTableOptions {
  /** Whether the table can be missing, as with `nft destroy table`. Default: `false`. */
  force?: boolean | undefined
}

const MASQUERADE = { out: linkName, from: oneOrMore(cidr), random: boolean } satisfies FieldsOf<MasqueradeOptions>

const TO = { host: ip, port: u16 } satisfies FieldsOf<PublishedPort['to']>

const PUBLISHED = {
  port: u16,
  host: ip,
  protocol: word('tcp', 'udp'),
  to: (value, name) => parseFields(value, name, TO, ['host']),
  in: linkName,
  hairpin: cidr,
  loopback: boolean,
} satisfies FieldsOf<PublishedPort>

const ALLOWED = { port: u16, protocol: word('tcp', 'udp') } satisfies FieldsOf<AllowedPort>

const policyWord = word('accept', 'drop')

const allowed: Parse<FirewallRule> = (value, name) => {
  // A rule of its own is checked with its table.
  if (Array.isArray(value)) return value as FirewallRule
  const { port, protocol = 'tcp' } = parseFields(value, name, ALLOWED, ['port'])
  return [{ [`${protocol} dport`]: port } as FirewallStatement, 'accept']
}

const POLICY = {
  input: policyWord,
  forward: policyWord,
  output: policyWord,
  allow: array(allowed),
} satisfies FieldsOf<FirewallPolicyOptions>

/** @internal */
export function masqueradeTable(options: unknown): FirewallTableSpec {
  const { out, from, random } = parseFields(options, 'options', MASQUERADE, ['out'])
  const masquerade: FirewallStatement = random === true ? { masquerade: { random } } : 'masquerade'
  const rules = sourcesOf(from).map((sources): FirewallRule => [{ oifname: out }, ...sources, masquerade])
  return { chains: { postrouting: { type: 'nat', hook: 'postrouting', rules } } }
}

/** Matches of packets from these addresses, a list for each version of IP; of all packets if there are none. */
function sourcesOf(from: readonly string[] | undefined): FirewallStatement[][] {
  if (from === undefined) return [[]]
  return (['ip', 'ip6'] as const).flatMap((version) => {
    const addresses = from.filter((address) => versionOf(address) === version)
    const [one] = addresses
    if (one === undefined) return []
    return [[{ [`${version} saddr`]: addresses.length === 1 ? one : addresses } as FirewallStatement]]
  })
}

/** @internal */
export function publishTable(options: unknown): FirewallTableSpec {
  const parse: Parse = (value, name) => parseFields(value, name, PUBLISHED, ['port', 'to'])
  const list = Array.isArray(options) ? array(parse)(options, 'options') : [parse(options, 'options')]
  if (list.length === 0) throw invalidValue('options', 'must not be empty', options)
  const ports = list as PublishedPort[]
  const translations = ports.map((published): FirewallRule => {
    const { host, in: link, port, protocol = 'tcp', to } = published
    const at = (host === undefined ? [] : [{ [`${versionOf(host)} daddr`]: host }]) as FirewallStatement[]
    const from: FirewallStatement[] = link === undefined ? [] : [{ iifname: link }]
    const match = { [`${protocol} dport`]: port } as FirewallStatement
    return [{ 'fib daddr type': 'local' }, ...at, ...from, match, { dnat: { to: to.host, port: to.port ?? port } }]
  })
  // A server answers a client beside it directly, with an address that the client does not know: the hairpin hides the client.
  const hairpins = ports.flatMap(({ hairpin, loopback, port, protocol = 'tcp', to }, index): FirewallRule[] => {
    const version = versionOf(to.host)
    if (loopback === true && version === 'ip6') {
      const name = Array.isArray(options) ? `options[${index}].loopback` : 'options.loopback'
      throw invalidValue(name, 'is only for IPv4: the kernel never routes packets from ::1 to another host', loopback)
    }
    const sources = [...(hairpin === undefined ? [] : [hairpin]), ...(loopback === true ? ['127.0.0.0/8'] : [])]
    return sources.map((source) => {
      const addresses = [{ [`${version} saddr`]: source }, { [`${version} daddr`]: to.host }] as FirewallStatement[]
      return [...addresses, { [`${protocol} dport`]: to.port ?? port } as FirewallStatement, 'masquerade']
    })
  })
  return {
    chains: {
      prerouting: { type: 'nat', hook: 'prerouting', rules: translations },
      output: { type: 'nat', hook: 'output', rules: translations.filter((_, index) => ports[index]?.in === undefined) },
      postrouting: { type: 'nat', hook: 'postrouting', rules: hairpins },
    },
  }
}

function versionOf(address: string): 'ip' | 'ip6' {
  return address.includes(':') ? 'ip6' : 'ip'
}

const DELETE = { force: boolean } satisfies FieldsOf<DeleteTableOptions>

/** @internal */
export function parseDeleteTableOptions(options: unknown): { force: boolean } {
  const { force = false } = parseOptions(options, DELETE)
  return { force }
}

/** @internal */
export function policyTable(options: unknown): FirewallTableSpec {
  const { input = 'drop', forward = 'drop', output = 'accept', allow = [] } = parseFields(options, 'options', POLICY)
  const replies: FirewallRule[] = [
    [{ 'ct state': ['established', 'related'] }, 'accept'],
    [{ 'ct state': 'invalid' }, 'drop'],
  ]
  const discovery: FirewallRule = [
    { 'icmpv6 type': ['nd-router-advert', 'nd-neighbor-solicit', 'nd-neighbor-advert'] },
    'accept',
  ]
  return {
    chains: {
      input: { hook: 'input', policy: input, rules: [...replies, [{ iifname: 'lo' }, 'accept'], discovery, ...allow] },
      forward: { hook: 'forward', policy: forward, rules: replies },
      output: {
        hook: 'output',
        policy: output,
        rules: output === 'drop' ? [...replies, [{ oifname: 'lo' }, 'accept'], discovery] : [],
      },
    },
  }
}
