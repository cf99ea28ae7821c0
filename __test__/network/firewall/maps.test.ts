/** Maps to values, and rules that change sets: `nft` reads them, and real packets meet them. */
import type { FirewallChain, FirewallTableSpec } from 'nsset'
import { expect, test } from 'vitest'
import { describeEntries, type Entry } from '../../setup/oracles/firewall/entries.ts'
import { ask, listen, natLab } from '../../setup/oracles/firewall/nat-lab.ts'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

const AT_PREROUTING: Entry[] = [
  [
    [
      {
        dnat: {
          to: {
            'tcp dport': {
              map: [
                [80, ['10.0.0.2', 8080]],
                [443, ['10.0.0.3', 8443]],
              ],
            },
          },
        },
      },
    ],
    'dnat ip to tcp dport map { 80 : 10.0.0.2 . 8080, 443 : 10.0.0.3 . 8443 }',
  ],
  [[{ dnat: { to: { 'tcp dport': { map: '@servers' } } } }], 'dnat ip to tcp dport map @servers'],
  [
    [{ dnat: { to: { 'udp dport': { map: '@servers6' } }, persistent: true } }],
    'dnat ip6 to udp dport map @servers6 persistent',
  ],
  [
    [
      {
        dnat: {
          to: {
            'ip saddr': {
              map: [
                ['10.0.0.0/8', '192.0.2.1'],
                ['172.16.0.1-172.16.0.9', '192.0.2.2'],
              ],
            },
          },
        },
      },
    ],
    'dnat ip to ip saddr map { 10.0.0.0/8 : 192.0.2.1, 172.16.0.1-172.16.0.9 : 192.0.2.2 }',
  ],
  [
    [
      {
        dnat: {
          to: {
            'ip saddr . tcp dport': {
              map: [
                [
                  ['10.0.0.1', 80],
                  ['10.0.0.2', 8080],
                ],
              ],
            },
          },
        },
      },
    ],
    'dnat ip to ip saddr . tcp dport map { 10.0.0.1 . 80 : 10.0.0.2 . 8080 }',
  ],
  [
    [{ dnat: { to: { 'ip6 daddr': { map: [['fd00::1', 'fd00::2']] } } } }],
    'dnat ip6 to ip6 daddr map { fd00::1 : fd00::2 }',
  ],
  [
    [
      {
        redirect: {
          port: {
            'tcp dport': {
              map: [
                ['80-89', 8080],
                [443, 8443],
              ],
            },
          },
        },
      },
    ],
    'meta l4proto tcp redirect to :tcp dport map { 80-89 : 8080, 443 : 8443 }',
  ],
]

const AT_POSTROUTING: Entry[] = [
  [
    [{ oifname: 'eth0' }, { snat: { to: { 'ip saddr': { map: '@addresses' } } } }],
    'oifname "eth0" snat ip to ip saddr map @addresses',
  ],
  [
    [{ 'udp dport': 53 }, { masquerade: { port: { 'udp sport': { map: [[53, 1053]] } }, random: true } }],
    'udp dport 53 masquerade to :udp sport map { 53 : 1053 } random',
  ],
]

const TO_RANGES: Entry[] = [
  [
    [
      {
        snat: {
          to: {
            'ip saddr': {
              map: [
                ['10.1.1.0/24', '192.0.2.1-192.0.2.9'],
                ['10.2.0.0/16', '192.0.3.0/24'],
              ],
            },
          },
        },
      },
    ],
    'snat ip to ip saddr map { 10.1.1.0/24 : 192.0.2.1-192.0.2.9, 10.2.0.0/16 : 192.0.3.0/24 }',
  ],
  [
    [
      { 'meta l4proto': 'tcp' },
      { snat: { to: { 'ip saddr': { map: [['10.0.0.4', ['192.0.2.2-192.0.2.4', '80-90']]] } } } },
    ],
    'meta l4proto tcp snat ip to ip saddr map { 10.0.0.4 : 192.0.2.2-192.0.2.4 . 80-90 }',
  ],
  [
    [{ snat: { to: { 'ip saddr': { map: [['10.0.1.0/24', '192.0.2.0/24']] } }, prefix: true } }],
    'snat ip prefix to ip saddr map { 10.0.1.0/24 : 192.0.2.0/24 }',
  ],
  [
    [{ snat: { to: { 'ip6 saddr': { map: [['fd00::/64', 'fd01::1-fd01::9']] } } } }],
    'snat ip6 to ip6 saddr map { fd00::/64 : fd01::1-fd01::9 }',
  ],
  [
    [{ snat: { to: { 'ip saddr': { map: '@ranges' } }, persistent: true } }],
    'snat ip to ip saddr map @ranges persistent',
  ],
]

const MARKS: Entry[] = [
  [
    [
      {
        set: {
          'meta mark': {
            'tcp dport': {
              map: [
                [80, 1],
                [443, 2],
              ],
            },
          },
        },
      },
    ],
    'meta mark set tcp dport map { 80 : 0x00000001, 443 : 0x00000002 }',
  ],
  [[{ set: { 'ct mark': { 'ip saddr': { map: '@marks' } } } }, 'accept'], 'ct mark set ip saddr map @marks accept'],
  [
    [{ set: { 'meta mark': { iifname: { map: [['eth0', 7]] } } } }],
    'meta mark set iifname map { "eth0" : 0x00000007 }',
  ],
]

const CHANGES_OF_SETS: Entry[] = [
  [[{ 'tcp dport': 81 }, { add: { set: '@clients', key: 'ip saddr' } }], 'tcp dport 81 add @clients { ip saddr }'],
  [[{ update: { set: '@clients', key: 'ip saddr', timeout: 60_000 } }], 'update @clients { ip saddr timeout 1m }'],
  [[{ delete: { set: '@clients', key: 'ip daddr' } }, 'drop'], 'delete @clients { ip daddr } drop'],
  [
    [{ add: { set: '@clients', key: 'ip saddr', with: [{ limit: { rate: 10, over: true } }] } }, 'drop'],
    'add @clients { ip saddr limit rate over 10/second } drop',
  ],
  [
    [{ update: { set: '@flows', key: 'ip saddr . tcp dport', with: ['counter'] } }],
    'update @flows { ip saddr . tcp dport counter }',
  ],
  [
    [{ update: { set: '@sticky', key: 'ip saddr', value: 'ip daddr', timeout: 3_600_000 } }],
    'update @sticky { ip saddr timeout 1h : ip daddr }',
  ],
]

const at = (hook: 'prerouting' | 'postrouting'): FirewallChain => ({ type: 'nat', hook })
describeEntries('maps at prerouting', 'inet', at('prerouting'), AT_PREROUTING)
describeEntries('maps at postrouting', 'inet', at('postrouting'), AT_POSTROUTING)
describeEntries('maps to ranges', 'inet', at('postrouting'), TO_RANGES)
describeEntries('maps to marks', 'inet', {}, MARKS)
describeEntries('statements that change sets', 'inet', { hook: 'input' }, CHANGES_OF_SETS)

test('maps to ranges come back as they were given, with ports and single addresses', async () => {
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  const pools = {
    type: 'ipv4_addr',
    data: { interval: ['ipv4_addr', 'inet_service'] },
    elements: [
      { key: '10.0.0.1', value: ['192.0.2.1-192.0.2.9', '1024-2047'] },
      { key: '10.0.0.2', value: ['192.0.2.10', 80] },
    ],
  } as const
  const rules = [[{ 'meta l4proto': 'tcp' }, { snat: { to: { 'ip saddr': { map: '@pools' } } } }]] as const
  const table = { sets: { pools }, chains: { out: { type: 'nat', hook: 'postrouting', rules } } } as const
  await firewall.replace('t', table)
  expect(await firewall.get('t')).toMatchObject(table)
  const text = await nft(set, 'list', 'table', 'inet', 't')
  expect(text).toContain('type ipv4_addr : interval ipv4_addr . inet_service')
  expect(text).toContain('10.0.0.1 : 192.0.2.1-192.0.2.9 . 1024-2047')
  await firewall.addElements('t', 'pools', [{ key: '10.0.0.3', value: ['192.0.2.16/28', '1-9'] }])
  expect((await firewall.get('t')).sets?.['pools']?.elements?.[2]).toEqual({
    key: '10.0.0.3',
    value: ['192.0.2.16/28', '1-9'],
  })
})

test('packets get an address of the range that a map has', async () => {
  using place = await natLab()
  await using _server = await listen(place.server, 80)
  const to = { 'ip saddr': { map: [['10.0.1.0/24', '10.0.2.1-10.0.2.1']] } } as const
  await place.router.network.firewall.replace('nat', {
    chains: { out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth2' }, { snat: { to } }]] } },
  })
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.2.1')
})

test('maps come back as they were given, and nft writes the same', async () => {
  using set = anyonesSet(['net'])
  using other = anyonesSet(['net'])
  const sets = {
    servers: {
      type: 'inet_service',
      data: ['ipv4_addr', 'inet_service'],
      elements: [
        { key: 80, value: ['10.0.0.2', 8080], comment: 'web' },
        { key: 443, value: ['10.0.0.3', 8443] },
      ],
    },
    marks: {
      type: 'ipv4_addr',
      data: 'mark',
      flags: ['interval'],
      elements: [
        { key: '10.0.0.0/8', value: 1 },
        { key: '192.0.2.1-192.0.2.9', value: 2 },
      ],
    },
    classes: {
      type: ['ipv4_addr', 'inet_service'],
      data: 'mark',
      flags: ['interval', 'timeout'],
      elements: [{ key: ['10.0.0.0/8', '1-1024'], value: 7 }],
    },
    types: { type: ['pkt_type', 'dscp'], elements: [['broadcast', 10]] },
  } as const satisfies FirewallTableSpec['sets']
  await set.network.firewall.replace('t', { sets })
  const table = await set.network.firewall.get('t')
  expect(table.sets).toEqual(sets)
  const text = await nft(set, '-s', 'list', 'ruleset')
  await set.network.firewall.replace('t', table)
  expect(await nft(set, '-s', 'list', 'ruleset')).toBe(text)
  await nftFile(other, text)
  expect(await other.network.firewall.get('t')).toEqual(table)
})

test('a new tenant is a new element of a map, and no new table', async () => {
  using place = await natLab()
  await using _one = await listen(place.server, 8001)
  await using _two = await listen(place.server, 8002)
  const { firewall } = place.router.network
  await firewall.replace('nat', {
    sets: { tenants: { type: 'inet_service', data: ['ipv4_addr', 'inet_service'] } },
    chains: {
      in: {
        type: 'nat',
        hook: 'prerouting',
        rules: [['counter', { dnat: { to: { 'tcp dport': { map: '@tenants' } } } }]],
      },
      out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth2' }, 'masquerade']] },
    },
  })
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 1001))).code).toBe('ECONNREFUSED')
  await firewall.addElements('nat', 'tenants', [
    { key: 1001, value: ['10.0.2.2', 8001] },
    { key: 1002, value: ['10.0.2.2', 8002] },
  ])
  expect(await ask(place.client, '10.0.1.1', 1001)).toBe('10.0.2.1')
  expect(await ask(place.client, '10.0.1.1', 1002)).toBe('10.0.2.1')
  await firewall.deleteElements('nat', 'tenants', [1001])
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 1001))).code).toBe('ECONNREFUSED')
  const { sets } = await firewall.get('nat')
  expect(sets?.['tenants']?.elements).toEqual([{ key: 1002, value: ['10.0.2.2', 8002] }])
})

test('replace changes the values that differ, and keeps the counters of rules', async () => {
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  const table = (value: number, other: number): FirewallTableSpec => ({
    sets: {
      marks: {
        type: 'inet_service',
        data: 'mark',
        elements: [
          { key: 1, value },
          { key: 2, value: other },
        ],
      },
    },
    chains: { c: { rules: [['counter', { set: { 'meta mark': { 'tcp dport': { map: '@marks' } } } }]] } },
  })
  await firewall.replace('t', table(1, 2))
  const before = await nft(set, '-a', 'list', 'chain', 'inet', 't', 'c')
  await firewall.replace('t', table(1, 3))
  expect(await nft(set, '-a', 'list', 'chain', 'inet', 't', 'c')).toBe(before)
  expect((await firewall.get('t')).sets?.['marks']?.elements).toEqual([
    { key: 1, value: 1 },
    { key: 2, value: 3 },
  ])
})

test('a rule adds clients to a set, which another rule drops', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  const { firewall } = place.router.network
  const table: FirewallTableSpec = {
    sets: { blocked: { type: 'ipv4_addr', flags: ['dynamic', 'timeout'], size: 100 } },
    chains: {
      input: {
        hook: 'input',
        rules: [
          [{ 'ip saddr': '@blocked' }, { reject: 'tcp reset' }],
          [
            { 'tcp dport': 23 },
            { add: { set: '@blocked', key: 'ip saddr', timeout: 60_000 } },
            { reject: 'tcp reset' },
          ],
        ],
      },
    },
  }
  await firewall.replace('filter', table)
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 23))).code).toBe('ECONNREFUSED')
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 80))).code).toBe('ECONNREFUSED')
  const { sets } = await firewall.get('filter')
  expect(sets?.['blocked']?.elements).toEqual([{ key: '10.0.1.2', timeout: 60_000, expires: expect.any(Number) }])
  await firewall.deleteElements('filter', 'blocked', ['10.0.1.2'])
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
})

test('each client has a limit of its own', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  const { firewall } = place.router.network
  const limit = { rate: 1, per: 'day', burst: 2, over: true } as const
  await firewall.replace('filter', {
    sets: { clients: { type: 'ipv4_addr', flags: ['dynamic'], size: 100 } },
    chains: {
      input: {
        hook: 'input',
        rules: [
          [
            { 'ct state': 'new' },
            { add: { set: '@clients', key: 'ip saddr', with: [{ limit }] } },
            { reject: 'tcp reset' },
          ],
        ],
      },
    },
  })
  const answers = async (set: typeof place.client, host: string) => {
    const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => ask(set, host, 80)))
    return all.filter(({ status }) => status === 'fulfilled').length
  }
  for (const [set, host] of [
    [place.client, '10.0.1.1'],
    [place.server, '10.0.2.1'],
  ] as const) {
    const few = await answers(set, host)
    expect(few).toBeGreaterThanOrEqual(2)
    expect(few).toBeLessThanOrEqual(3)
  }
})
