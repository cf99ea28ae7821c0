/** Random tables: what nsset writes comes back, and what `nft` makes of it is the same after nsset has read and written it. */
import fc from 'fast-check'
import type { FirewallRule, FirewallStatement, FirewallTableSpec } from 'nsset'
import { expect, test } from 'vitest'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

const port = fc.integer({ min: 1, max: 65534 })
const ports = fc
  .uniqueArray(port, { minLength: 2, maxLength: 6 })
  .map((list) => list.toSorted((one, other) => one - other))
const range = fc
  .tuple(port, port)
  .filter(([one, other]) => one < other)
  .map(([from, to]) => `${from}-${to}` as const)
const ipv4 = fc.ipV4().filter((address) => !address.startsWith('0.'))

const end = fc.constantFrom('sport', 'dport')

/** A packet that a rule is about: nft refuses rules that no packet can match. */
interface Packet {
  version: 4 | 6
  protocol: 'tcp' | 'udp' | 'icmp'
}

const packet: fc.Arbitrary<Packet> = fc.record({
  version: fc.constantFrom(4, 6),
  protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
})

const ANY = fc.constantFrom<FirewallStatement>(
  { 'ct state': ['established', 'related'] },
  { 'ct state': 'new' },
  { iifname: 'eth0' },
  { oifname: { '!=': 'veth*' } },
  { 'meta mark': { '&': 255, '==': 7 } },
  { 'fib daddr type': 'local' },
  { 'meta skuid': '1-9' },
  { 'meta skgid': [5, '7-9'] },
  { 'meta length': { '>=': 1000 } },
  { 'meta pkttype': ['broadcast', 'multicast'] },
  { 'meta day': 'Monday' },
  { 'meta hour': '08:00-17:00' },
  { 'ct mark': { '!=': 5 } },
  { 'ct zone': 7 },
  { 'ct status': ['assured', 'dnat'] },
  { 'ct direction': 'reply' },
  { 'ct state': { in: ['invalid', 'untracked'] } },
  { 'ct bytes': { '>': 100_000 } },
  { iifgroup: 5 },
  { 'fib saddr . iif oif': 'missing' },
)

const OF_VERSION = {
  4: fc.constantFrom<FirewallStatement>(
    { set: { 'meta mark': { 'ip saddr': { map: [['10.0.0.1', 1]] } } } },
    { set: { 'ct mark': { 'ip daddr': { map: '@marks' } } } },
    { add: { set: '@clients', key: 'ip saddr' } },
    { update: { set: '@clients', key: 'ip saddr', timeout: 60_000, with: [{ limit: { rate: 10, over: true } }] } },
    { delete: { set: '@clients', key: 'ip daddr' } },
    { 'ip ttl': { '<': 5 } },
    { 'ip saddr': '@clients' },
    { set: { 'ip ttl': 7 } },
  ),
  6: fc.constantFrom<FirewallStatement>(
    { set: { 'meta mark': { 'ip6 saddr': { map: [['fd00::/8', 1]] } } } },
    { 'ip6 hoplimit': '1-5' },
    { 'ip6 saddr': { '!=': ['fd00::1', 'fd01::/16'] } },
  ),
}

const ADDRESSES = {
  4: fc.oneof(
    ipv4.map((address) => ({ 'ip saddr': address })),
    fc.tuple(ipv4, fc.boolean()).map(([address, not]) => ({ 'ip daddr': not ? { '!=': address } : address })),
  ),
  6: fc.constantFrom<FirewallStatement>({ 'ip6 saddr': 'fd00::/8' }, { 'ip6 daddr': ['fd00::1', 'fd00::7'] }),
}

function aboveIp({ version, protocol }: Packet): fc.Arbitrary<FirewallStatement> {
  if (protocol === 'icmp') {
    return fc.constant(version === 4 ? { 'icmp type': 'echo-request' } : { 'icmpv6 type': 'packet-too-big' })
  }
  const value = fc.oneof(
    port,
    range,
    ports,
    port.map((not) => ({ '!=': not })),
    ports.map((not) => ({ '!=': not })),
  )
  const ofPorts = fc.tuple(end, value).map(([side, test]) => ({ [`${protocol} ${side}`]: test }) as FirewallStatement)
  if (protocol === 'udp') return ofPorts
  return fc.oneof(ofPorts, fc.constant<FirewallStatement>({ 'tcp flags': { '&': ['syn', 'ack'], '==': 'syn' } }))
}

const action: fc.Arbitrary<FirewallStatement> = fc.constantFrom<FirewallStatement>(
  'counter',
  'log',
  { log: { prefix: 'x', level: 'info' } },
  { limit: { rate: 7, per: 'hour' } },
  { quota: { bytes: 12_345 } },
  { set: { 'meta mark': 5 } },
  { set: { 'ct mark': { from: 'meta mark' } } },
  { limit: { rate: 2048, bytes: true, over: true } },
  { quota: { bytes: 1 << 20, over: true } },
  { log: { group: 2, snapLength: 64 } },
  { counter: 'web' },
  { quota: 'month' },
)

const verdict = fc.constantFrom<FirewallStatement>(
  ...(['accept', 'drop', 'return', 'continue', 'reject', { jump: 'other' }, { goto: 'other' }] as const),
  { reject: 'icmpx admin-prohibited' },
)

const OBJECTS: FirewallTableSpec = {
  counters: { web: {} },
  quotas: { month: { bytes: 1e9 } },
  sets: {
    clients: { type: 'ipv4_addr', flags: ['dynamic', 'timeout'] },
    marks: { type: 'ipv4_addr', data: 'mark' },
  },
}

const rule: fc.Arbitrary<FirewallRule> = packet.chain((about) => {
  const statement = fc.oneof(ANY, action, ADDRESSES[about.version], OF_VERSION[about.version], aboveIp(about))
  return fc.tuple(fc.array(statement, { maxLength: 5 }), verdict).map(([statements, last]) => [...statements, last])
})

test('a random table comes back, also by way of nft', async () => {
  using ours = anyonesSet(['net'])
  using theirs = anyonesSet(['net'])
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 12 }), async (rules) => {
      await ours.network.firewall.replace('t', { ...OBJECTS, chains: { other: {}, c: { rules } } })
      const { chains } = await ours.network.firewall.get('t')
      expect(chains['c']?.rules).toEqual(rules)
      // nft joins neighbouring fields of a header when it writes them.
      await nftFile(theirs, `flush ruleset\n${await nft(ours, '-s', 'list', 'ruleset')}`)
      const text = await nft(theirs, '-s', 'list', 'ruleset')
      await theirs.network.firewall.replace('t', await theirs.network.firewall.get('t'))
      expect(await nft(theirs, '-s', 'list', 'ruleset')).toBe(text)
    }),
    { numRuns: 40 },
  )
})

const server = fc.tuple(port, ipv4, port)

const translation: fc.Arbitrary<FirewallRule> = fc.oneof(
  fc.uniqueArray(server, { minLength: 1, maxLength: 6, selector: ([key]) => key }).map((servers): FirewallRule => {
    const map = servers
      .toSorted(([one], [other]) => one - other)
      .map(([key, address, to]) => [key, [address, to]] as const)
    return [{ dnat: { to: { 'tcp dport': { map } } } }]
  }),
  fc.tuple(port, ipv4).map(([key, to]): FirewallRule => [{ 'udp dport': key }, { dnat: { to, port: 53 } }]),
  fc.tuple(ipv4, ipv4).map(([from, to]): FirewallRule => [{ dnat: { to: { 'ip saddr': { map: [[from, to]] } } } }]),
  fc
    .tuple(port, port)
    .map(([key, to]): FirewallRule => [{ redirect: { port: { 'udp dport': { map: [[key, to]] } } } }]),
  fc.constantFrom<FirewallRule>(
    ['redirect'],
    [{ dnat: { to: '192.0.2.1-192.0.2.9', persistent: true } }],
    [{ dnat: { to: { 'tcp dport': { map: '@servers' } }, random: true } }],
  ),
)

test('random translations come back, also by way of nft', async () => {
  using ours = anyonesSet(['net'])
  using theirs = anyonesSet(['net'])
  const sets = { servers: { type: 'inet_service', data: ['ipv4_addr', 'inet_service'] } } as const
  await fc.assert(
    fc.asyncProperty(fc.array(translation, { minLength: 1, maxLength: 8 }), async (rules) => {
      await ours.network.firewall.replace('t', { sets, chains: { c: { type: 'nat', hook: 'prerouting', rules } } })
      const table = await ours.network.firewall.get('t')
      expect(table.chains['c']?.rules).toEqual(rules)
      await nftFile(theirs, `flush ruleset\n${await nft(ours, '-s', 'list', 'ruleset')}`)
      expect(await theirs.network.firewall.get('t')).toEqual(table)
    }),
    { numRuns: 20 },
  )
})
