/** The statements of rules: `nft` reads what nsset writes, and nsset reads what `nft` writes. */
import type { FirewallChain, FirewallFamily, FirewallRule } from 'nsset'
import { describe, expect, test } from 'vitest'
import { nft, nftRules } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

/** A rule, and how `nft` writes it. */
type Entry = readonly [rule: FirewallRule, text: string]

const MATCHES: Entry[] = [
  [[{ iifname: 'lo' }], 'iifname "lo"'],
  [[{ iifname: 'eth*' }, { oifname: { '!=': 'eth0' } }], 'iifname "eth*" oifname != "eth0"'],
  [[{ iif: 1 }], 'iif "lo"'],
  [[{ 'ip saddr': '10.0.0.1' }], 'ip saddr 10.0.0.1'],
  [[{ 'ip saddr': '10.0.0.0/8' }], 'ip saddr 10.0.0.0/8'],
  [[{ 'ip saddr': '10.0.0.0/9' }, { 'ip daddr': '10.128.0.0/9' }], 'ip saddr 10.0.0.0/9 ip daddr 10.128.0.0/9'],
  [[{ 'ip saddr': { '!=': '10.0.0.1-10.0.0.9' } }], 'ip saddr != 10.0.0.1-10.0.0.9'],
  [[{ 'ip daddr': ['10.0.0.1', '10.0.0.7'] }], 'ip daddr { 10.0.0.1, 10.0.0.7 }'],
  [
    [{ 'ip daddr': { '!=': ['10.0.0.0/8', '192.168.0.1-192.168.0.7'] } }],
    'ip daddr != { 10.0.0.0/8, 192.168.0.1-192.168.0.7 }',
  ],
  [[{ 'ip6 saddr': 'fd00::1' }], 'ip6 saddr fd00::1'],
  [[{ 'ip6 saddr': 'fe80::/10' }], 'ip6 saddr fe80::/10'],
  [[{ 'ip6 daddr': ['fd00::1', 'fd01::/16'] }], 'ip6 daddr { fd00::1, fd01::/16 }'],
  [[{ 'ip protocol': 'icmp' }, { 'ip ttl': { '<': 5 } }], 'ip protocol icmp ip ttl < 5'],
  [[{ 'ip dscp': 10 }], 'ip dscp af11'],
  [[{ 'tcp dport': 22 }], 'tcp dport 22'],
  [[{ 'tcp dport': { '!=': 22 } }, { 'tcp sport': '1024-65535' }], 'tcp dport != 22 tcp sport 1024-65535'],
  [[{ 'tcp dport': [22, 80, '1000-2000'] }], 'tcp dport { 22, 80, 1000-2000 }'],
  [[{ 'tcp dport': { '>': 1023 } }, { 'tcp sport': { '<=': 99 } }], 'tcp dport > 1023 tcp sport <= 99'],
  [[{ 'udp dport': 53 }], 'udp dport 53'],
  [[{ 'meta l4proto': ['tcp', 'udp'] }, { 'th dport': 53 }], 'meta l4proto { tcp, udp } th dport 53'],
  [[{ 'tcp flags': 'syn' }], 'tcp flags syn'],
  [[{ 'tcp flags': ['fin', 'syn'] }], 'tcp flags fin,syn'],
  [[{ 'tcp flags': { '&': ['syn', 'ack'], '==': 'syn' } }], 'tcp flags syn / syn,ack'],
  [[{ 'tcp flags': { '!': 'syn' } }], 'tcp flags ! syn'],
  [[{ 'tcp flags': { '==': 'syn' } }, { 'tcp flags': { '!=': 'ack' } }], 'tcp flags == syn tcp flags != ack'],
  [[{ 'icmp type': 'echo-request' }], 'icmp type echo-request'],
  [[{ 'icmpv6 type': ['echo-request', 'nd-neighbor-solicit'] }], 'icmpv6 type { echo-request, nd-neighbor-solicit }'],
  [[{ 'ct state': ['established', 'related'] }], 'ct state established,related'],
  [[{ 'ct state': 'new' }], 'ct state new'],
  [[{ 'ct state': { in: ['invalid', 'new'] } }], 'ct state { invalid, new }'],
  [[{ 'ct state': { '!=': 'established' } }], 'ct state != established'],
  [[{ 'ct status': 'dnat' }], 'ct status dnat'],
  [[{ 'ct mark': 5 }, { 'ct zone': 1 }], 'ct mark 0x00000005 ct zone 1'],
  [[{ 'ct direction': 'original' }], 'ct direction original'],
  [[{ 'ct original ip saddr': '10.0.0.1' }], 'ct original ip saddr 10.0.0.1'],
  [[{ 'ct bytes': { '>': 100_000 } }], 'ct bytes > 100000'],
  [[{ 'meta mark': 1 }], 'meta mark 0x00000001'],
  [[{ 'meta mark': { '&': 255, '==': 1 } }], 'meta mark & 0x000000ff == 0x00000001'],
  [[{ 'meta mark': '1-5' }], 'meta mark 0x00000001-0x00000005'],
  [[{ 'meta mark': [1, '5-7'] }], 'meta mark { 0x00000001, 0x00000005-0x00000007 }'],
  [[{ 'meta skuid': 1000 }], 'meta skuid 1000'],
  [[{ 'meta length': { '>=': 1000 } }], 'meta length >= 1000'],
  [[{ 'meta nfproto': 'ipv6' }], 'meta nfproto ipv6'],
  [[{ 'meta pkttype': 'broadcast' }], 'meta pkttype broadcast'],
  [[{ 'meta hour': '08:00-17:00' }, { 'meta day': 'Monday' }], 'meta hour "08:00"-"17:00" meta day "Monday"'],
  [[{ 'fib daddr type': 'local' }], 'fib daddr type local'],
  [[{ 'fib saddr . iif oif': 'missing' }], 'fib saddr . iif oif missing'],
  [[{ 'ether saddr': '02:00:00:00:00:01' }], 'ether saddr 02:00:00:00:00:01'],
  [[{ '@nh,96,32': 1 }], '@nh,96,32 0x1'],
  [
    [
      {
        'ip saddr . tcp dport': [
          ['10.0.0.1', 22],
          ['10.0.0.2', 80],
        ],
      },
    ],
    'ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 }',
  ],
  [[{ 'meta l4proto': 'tcp' }, 'counter', { 'tcp dport': 22 }], 'meta l4proto tcp counter tcp dport 22'],
]

const ACTIONS: Entry[] = [
  [['accept'], 'accept'],
  [['drop'], 'drop'],
  [['return'], 'return'],
  [['continue'], 'continue'],
  [[{ jump: 'other' }], 'jump other'],
  [[{ goto: 'other' }], 'goto other'],
  [['counter', 'accept'], 'counter accept'],
  [['accept', { comment: 'everything' }], 'accept comment "everything"'],
  [[{ counter: 'web' }], 'counter name "web"'],
  [[{ quota: 'month' }, 'drop'], 'quota name "month" drop'],
  [[{ quota: { bytes: 100 << 20, over: true } }, 'drop'], 'quota over 100 mbytes drop'],
  [[{ limit: { rate: 10 } }, 'accept'], 'limit rate 10/second accept'],
  [
    [{ limit: { rate: 3, per: 'minute', burst: 7, over: true } }, 'drop'],
    'limit rate over 3/minute burst 7 packets drop',
  ],
  [[{ limit: { rate: 1 << 20, bytes: true } }], 'limit rate 1 mbytes/second'],
  [['log'], 'log'],
  [
    [{ log: { prefix: 'in: ', level: 'info', flags: ['skuid', 'ether'] } }],
    'log prefix "in: " level info flags skuid flags ether',
  ],
  [[{ log: { group: 2, snapLength: 64 } }], 'log group 2 snaplen 64'],
  [['reject'], 'reject'],
  [[{ 'tcp dport': 113 }, { reject: 'tcp reset' }], 'tcp dport 113 reject with tcp reset'],
  [[{ reject: 'icmpx admin-prohibited' }], 'reject with icmpx admin-prohibited'],
  [[{ set: { 'meta mark': 1 } }], 'meta mark set 0x00000001'],
  [[{ set: { 'ct mark': { from: 'meta mark' } } }], 'ct mark set meta mark'],
  [[{ set: { 'meta priority': 0x10002 } }], 'meta priority set 1:2'],
  [
    [
      {
        'tcp dport': {
          vmap: [
            [22, 'accept'],
            ['80-90', { jump: 'other' }],
          ],
        },
      },
    ],
    'tcp dport vmap { 22 : accept, 80-90 : jump other }',
  ],
]

const TRANSLATIONS: Record<string, Entry[]> = {
  postrouting: [
    [['masquerade'], 'masquerade'],
    [[{ masquerade: { random: true, persistent: true } }], 'masquerade random,persistent'],
    [
      [{ 'tcp dport': 80 }, { masquerade: { port: '1024-2048', fullyRandom: true } }],
      'tcp dport 80 masquerade to :1024-2048 fully-random',
    ],
    [[{ snat: { to: '192.0.2.1' } }], 'snat ip to 192.0.2.1'],
    [
      [{ 'udp dport': 53 }, { snat: { to: '192.0.2.1-192.0.2.9', port: '100-200' } }],
      'udp dport 53 snat ip to 192.0.2.1-192.0.2.9:100-200',
    ],
    [[{ snat: { to: 'fd00::1' } }], 'snat ip6 to fd00::1'],
  ],
  prerouting: [
    [[{ 'tcp dport': 80 }, { dnat: { to: '10.0.0.2', port: 8080 } }], 'tcp dport 80 dnat ip to 10.0.0.2:8080'],
    [[{ dnat: { to: 'fd00::2' } }], 'dnat ip6 to fd00::2'],
    [['redirect'], 'redirect'],
    [[{ 'tcp dport': 80 }, { redirect: { port: 8080 } }], 'tcp dport 80 redirect to :8080'],
  ],
}

/** The table in which the rules stand. */
function tableOf(chain: FirewallChain) {
  const counters = { web: {} }
  const quotas = { month: { bytes: 1e9 } }
  return { counters, quotas, chains: { other: { rules: [] }, rules: chain } }
}

function describeEntries(name: string, family: FirewallFamily, base: FirewallChain, entries: readonly Entry[]): void {
  describe(name, () => {
    test('nft reads what nsset writes, and nsset reads it back', async () => {
      using set = anyonesSet(['net'])
      const { firewall } = set.network
      const rules = entries.map(([rule]) => rule)
      await firewall.replace({ name: 't', family }, tableOf({ ...base, rules }))
      const texts = await nftRules(set, family, 't', 'rules')
      expect(texts).toEqual(entries.map(([, text]) => text))
      expect((await firewall.get({ name: 't', family })).chains['rules']?.rules).toEqual(rules)
    })

    test('nsset reads what nft writes', async () => {
      using set = anyonesSet(['net'])
      const { firewall } = set.network
      await firewall.replace({ name: 't', family }, tableOf(base))
      for (const [, text] of entries) await nft(set, `add rule ${family} t rules ${text}`)
      const { chains } = await firewall.get({ name: 't', family })
      expect(chains['rules']?.rules).toEqual(entries.map(([rule]) => rule))
    })
  })
}

describeEntries('matches', 'inet', {}, MATCHES)
describeEntries('actions', 'inet', {}, ACTIONS)
for (const [hook, entries] of Object.entries(TRANSLATIONS)) {
  const base = { type: 'nat', hook } as FirewallChain
  describeEntries(`translations at ${hook}`, 'inet', base, entries)
}
describeEntries('the family ip', 'ip', {}, [
  [[{ 'ip saddr': '10.0.0.1' }, { 'tcp dport': 22 }, 'reject'], 'ip saddr 10.0.0.1 tcp dport 22 reject'],
  [[{ reject: 'icmp host-prohibited' }], 'reject with icmp host-prohibited'],
  [[{ 'icmp type': 'echo-request' }], 'icmp type echo-request'],
  [[{ set: { 'ip dscp': 10 } }], 'ip dscp set af11'],
])
