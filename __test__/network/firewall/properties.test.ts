/** Random tables: what nsset writes comes back, and what `nft` makes of it is the same after nsset has read and written it. */
import fc from 'fast-check'
import type { FirewallRule, FirewallStatement } from 'nsset'
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
)

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
)

const verdict = fc.constantFrom<FirewallStatement>('accept', 'drop', 'return', { jump: 'other' })

const rule: fc.Arbitrary<FirewallRule> = packet.chain((about) => {
  const statement = fc.oneof(ANY, action, ADDRESSES[about.version], aboveIp(about))
  return fc.tuple(fc.array(statement, { maxLength: 5 }), verdict).map(([statements, last]) => [...statements, last])
})

test('a random table comes back, also by way of nft', async () => {
  using ours = anyonesSet(['net'])
  using theirs = anyonesSet(['net'])
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 12 }), async (rules) => {
      await ours.network.firewall.replace('t', { chains: { other: {}, c: { rules } } })
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
