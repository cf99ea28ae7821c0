/** The statements of rules: `nft` reads what nsset writes, and nsset reads what `nft` writes. */
import type { FirewallChain } from 'nsset'
import { expect, test } from 'vitest'
import { describeEntries, type Entry } from '../../setup/oracles/firewall/entries.ts'
import { nftRules } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

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

const ON_LO = { hook: 'ingress', devices: ['lo'] } as const

describeEntries('the family arp', 'arp', { hook: 'input' }, [
  [
    [{ 'arp operation': 'request' }, { 'arp saddr ip': '10.0.0.1' }, 'drop'],
    'arp operation request arp saddr ip 10.0.0.1 drop',
  ],
  [
    [{ 'arp daddr ether': '02:00:00:00:00:01' }, 'counter', 'accept'],
    'arp daddr ether 02:00:00:00:00:01 counter accept',
  ],
  [[{ iifname: 'eth0' }, { set: { 'meta mark': 1 } }], 'iifname "eth0" meta mark set 0x00000001'],
])
describeEntries('the family bridge', 'bridge', { hook: 'forward' }, [
  [[{ 'ether saddr': '02:00:00:00:00:01' }, 'drop'], 'ether saddr 02:00:00:00:00:01 drop'],
  [[{ 'meta protocol': 'arp' }, 'accept'], 'meta protocol arp accept'],
  [
    [{ 'ip saddr': '10.0.0.0/8' }, { 'tcp dport': [22, 80] }, 'counter'],
    'ip saddr 10.0.0.0/8 tcp dport { 22, 80 } counter',
  ],
  [[{ 'ip6 daddr': 'fd00::1' }, 'drop'], 'ip6 daddr fd00::1 drop'],
])
describeEntries('the family netdev', 'netdev', ON_LO, [
  [[{ 'ip saddr': '10.0.0.1' }, { 'udp dport': 53 }, 'drop'], 'ip saddr 10.0.0.1 udp dport 53 drop'],
  [[{ 'meta protocol': 'ip6' }, 'counter'], 'meta protocol ip6 counter'],
  [[{ dup: { device: 1 } }], 'dup to "lo"'],
  [[{ fwd: { device: 1 } }], 'fwd to "lo"'],
  [[{ fwd: { to: '10.0.0.9', device: 1 } }], 'fwd ip to 10.0.0.9 device "lo"'],
])
describeEntries('dup in the family ip', 'ip', { hook: 'prerouting' }, [
  [[{ dup: { to: '10.0.0.9' } }], 'dup to 10.0.0.9'],
  [[{ dup: { to: '10.0.0.9', device: 1 } }], 'dup to 10.0.0.9 device "lo"'],
])
describeEntries('dup in the family ip6', 'ip6', { hook: 'prerouting' }, [
  [[{ dup: { to: 'fd00::9', device: 1 } }], 'dup to fd00::9 device "lo"'],
])
describeEntries('tproxy', 'inet', { hook: 'prerouting', priority: 'mangle' }, [
  [[{ 'tcp dport': 80 }, { tproxy: { to: '127.0.0.1', port: 8080 } }], 'tcp dport 80 tproxy ip to 127.0.0.1:8080'],
  [[{ 'udp dport': 53 }, { tproxy: { to: '::1', port: 5353 } }], 'udp dport 53 tproxy ip6 to [::1]:5353'],
  [[{ 'tcp dport': 81 }, { tproxy: { port: 8080 } }], 'tcp dport 81 tproxy to :8080'],
  [[{ 'tcp dport': 82 }, { tproxy: { to: '127.0.0.1' } }], 'tcp dport 82 tproxy ip to 127.0.0.1'],
])
describeEntries('synproxy', 'inet', { hook: 'input' }, [
  [
    [{ 'tcp dport': 80 }, { synproxy: { mss: 1460, wscale: 7, timestamp: true, sackPerm: true } }],
    'tcp dport 80 synproxy mss 1460 wscale 7 timestamp sack-perm',
  ],
  [[{ 'tcp dport': 81 }, { synproxy: { mss: 1400, wscale: 9 } }], 'tcp dport 81 synproxy mss 1400 wscale 9'],
  [[{ 'tcp dport': 82 }, 'synproxy'], 'tcp dport 82 synproxy'],
])
describeEntries(
  'queue',
  'inet',
  { hook: 'input' },
  [
    [['queue'], 'queue to 0'],
    [[{ queue: { num: 3, bypass: true } }], 'queue flags bypass to 3'],
    [[{ queue: { num: '0-3', fanout: true } }], 'queue flags fanout to 0-3'],
  ],
  'queue num 1',
)

test('ranges of one value, and those of hours over midnight, are what nft makes of them', async () => {
  using set = anyonesSet(['net'])
  await set.network.firewall.replace('t', {
    sets: { one: { type: 'mark', elements: ['5-5'] } },
    chains: {
      c: {
        rules: [
          [{ 'meta skuid': ['5-5', 7] }, 'drop'],
          [{ 'meta mark': { vmap: [['5-5', 'drop']] } }],
          [{ 'meta mark': '@one' }, 'drop'],
          [{ 'meta hour': '22:00-06:00' }, 'drop'],
          [{ 'meta hour': { '!=': '22:00-06:00' } }, 'drop'],
        ],
      },
    },
  })
  expect(await nftRules(set, 'inet', 't', 'c')).toEqual([
    'meta skuid { 5, 7 } drop',
    'meta mark vmap { 0x00000005 : drop }',
    'meta mark @one drop',
    'meta hour != "06:00:01"-"21:59:59" drop',
    'meta hour "06:00:01"-"21:59:59" drop',
  ])
  const { sets } = await set.network.firewall.get('t')
  expect(sets?.['one']?.elements).toEqual([5])
})
