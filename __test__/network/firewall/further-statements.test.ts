/** Marks, options, numbers, hashes, objects by map, and what elements of sets have of their own: with `nft` in both directions. */
import { once } from 'node:events'
import type { FirewallTableSpec } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { describeEntries } from '../../setup/oracles/firewall/entries.ts'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, range, refuses, untyped, value } from '../../setup/sets/failure.ts'

describeEntries('marks', 'inet', {}, [
  [[{ set: { 'meta mark': { from: 'meta mark', '|': 16 } } }], 'meta mark set meta mark | 0x00000010'],
  [[{ set: { 'meta mark': { from: 'ct mark', '&': 0xff } } }], 'meta mark set ct mark & 0x000000ff'],
  [[{ set: { 'ct mark': { from: 'meta mark', '^': 1 } } }], 'ct mark set meta mark ^ 0x00000001'],
  [[{ set: { 'meta mark': { from: 'meta mark', '<<': 8 } } }], 'meta mark set meta mark << 8'],
  [[{ set: { 'meta mark': { from: 'numgen inc mod 4 offset 5' } } }], 'meta mark set numgen inc mod 4 offset 5'],
  [
    [
      {
        set: {
          'meta mark': {
            'ip dscp': {
              map: [
                [8, 1],
                [16, 2],
              ],
            },
          },
        },
      },
    ],
    'meta mark set ip dscp map { cs1 : 0x00000001, cs2 : 0x00000002 }',
  ],
])

describeEntries('bits of fields', 'inet', {}, [
  [[{ 'ip dscp': [8, 10] }], 'ip dscp { cs1, af11 }'],
  [[{ 'ip6 dscp': 8 }], 'ip6 dscp cs1'],
  [[{ 'vlan id': 5 }], 'vlan id 5'],
  [[{ 'ip6 flowlabel': 22 }], 'ip6 flowlabel 22'],
  [[{ set: { 'ip ttl': 64 } }], 'ip ttl set 64'],
  [[{ set: { 'ip ecn': 'ect0' } }], 'ip ecn set ect0'],
])

describeEntries('options, numbers and hashes', 'inet', {}, [
  [[{ 'tcp option sack-perm': 'missing' }], 'tcp option sack-perm missing'],
  [[{ set: { 'tcp option maxseg size': 1400 } }], 'tcp option maxseg size set 1400'],
  [[{ 'exthdr frag': 'exists' }], 'exthdr frag exists'],
  [[{ 'srh sid[1]': 'fd00::1' }], 'srh sid[1] fd00::1'],
  [[{ 'srh sid[2]': { '!=': 'fd00::/8' } }], 'srh sid[2] != fd00::/8'],
  [[{ 'symhash mod 2 offset 1': 1 }], 'symhash mod 2 offset 1 1'],
  [
    [
      {
        'jhash ip saddr . tcp dport mod 4 seed 5': {
          vmap: [
            [0, 'accept'],
            [1, 'drop'],
          ],
        },
      },
    ],
    'jhash ip saddr . tcp dport mod 4 seed 0x5 vmap { 0 : accept, 1 : drop }',
  ],
  [[{ 'meta time': { '>': '2025-01-01T00:00:00Z' } }], 'meta time > "2025-01-01 00:00:00"'],
  [[{ 'ct count': { connections: 10, over: true } }, 'drop'], 'ct count over 10 drop'],
  [
    [
      {
        'tcp dport': {
          vmap: [
            [22, 'accept'],
            ['*', 'drop'],
          ],
        },
      },
    ],
    'tcp dport vmap { 22 : accept, * : drop }',
  ],
  [[{ counter: { 'tcp dport': { map: [[80, 'web']] } } }], 'counter name tcp dport map { 80 : "web" }'],
])

describeEntries(
  'the largest segment from the route',
  'inet',
  { hook: 'forward' },
  [[[{ set: { 'tcp option maxseg size': { from: 'rt mtu' } } }], 'tcp option maxseg size set rt mtu']],
  'tcp option maxseg size set rt mtu',
)

describeEntries(
  'queues that depend on the packet',
  'inet',
  {},
  [
    [[{ queue: { num: { from: 'numgen inc mod 4' }, bypass: true } }], 'queue flags bypass to numgen inc mod 4'],
    [[{ queue: { num: { from: 'symhash mod 4 offset 1' } } }], 'queue to symhash mod 4 offset 1'],
    [[{ queue: { num: { oifname: { map: [['eth0', 1]] } } } }], 'queue to oifname map { "eth0" : 1 }'],
  ],
  'queue num 0',
)

describeEntries('packets sent by a map', 'netdev', { hook: 'ingress', devices: ['lo'] }, [
  [[{ fwd: { device: { 'meta mark': { map: [[1, 1]] } } } }], 'fwd to meta mark map { 0x00000001 : "lo" }'],
  [[{ dup: { device: { 'ip saddr': { map: [['10.0.0.1', 1]] } } } }], 'dup to ip saddr map { 10.0.0.1 : "lo" }'],
])

describeEntries('translations of prefixes', 'ip', { type: 'nat', hook: 'prerouting' }, [
  [
    [{ 'ip daddr': '10.0.0.0/24' }, { dnat: { to: '10.1.0.0/24', prefix: true } }],
    'ip daddr 10.0.0.0/24 dnat prefix to 10.1.0.0/24',
  ],
])

describe('elements with counters, limits and quotas of their own', () => {
  const table = {
    counters: { web: {} },
    limits: { slow: { rate: 10, comment: 'for all' } },
    sets: {
      clients: {
        type: 'ipv4_addr',
        flags: ['interval'],
        with: ['counter'],
        elements: ['10.0.0.0/8'],
      },
      ports: { type: 'inet_service', data: 'counter', elements: [{ key: 80, value: 'web' }] },
      verdicts: {
        type: 'inet_service',
        data: 'verdict',
        elements: [
          { key: 22, verdict: 'accept' },
          { key: '*', verdict: 'drop' },
        ],
      },
    },
    chains: {
      c: {
        rules: [[{ 'ip saddr': '@clients' }], [{ counter: { 'tcp dport': { map: '@ports' } } }], [{ limit: 'slow' }]],
      },
    },
  } satisfies FirewallTableSpec

  test('come back as they were given, and nft reads them', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await firewall.replace('t', table)
    const { limits, sets, chains } = await firewall.get('t')
    expect({ limits, chains }).toEqual({ limits: table.limits, chains: table.chains })
    expect(sets?.['ports']).toMatchObject(table.sets.ports)
    expect(sets?.['verdicts']).toMatchObject(table.sets.verdicts)
    expect(sets?.['clients']).toMatchObject(table.sets.clients)
    const text = await nft(set, '-s', 'list', 'table', 'inet', 't')
    for (const part of ['limit slow {', '80 : "web"', '10.0.0.0/8 counter', '* : drop', 'limit name "slow"']) {
      expect(text).toContain(part)
    }
  })

  test('nsset keeps them when it replaces what nft has written', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await nftFile(
      set,
      `table inet t {
        set s { type ipv4_addr; counter; elements = { 10.0.0.1, 10.0.0.2 } }
        set limited { type ipv4_addr; limit rate 5/second; elements = { 10.0.0.1 } }
        chain c { meter flood { ip saddr limit rate 10/second } accept; }
      }`,
    )
    const before = await firewall.get('t')
    expect(before.sets).toMatchObject({
      s: { with: ['counter'], elements: ['10.0.0.1', '10.0.0.2'] },
      limited: { with: [{ limit: { rate: 5 } }], elements: ['10.0.0.1'] },
      flood: { type: 'ipv4_addr' },
    })
    await firewall.replace('copy', { ...before, name: 'copy' })
    expect({ ...(await firewall.get('copy')), name: 't' }).toEqual(before)
  })

  test('are counted by `counters`', async () => {
    using set = anyonesSet(['net'])
    const { firewall, links } = set.network
    await links.set('lo', { up: true })
    await firewall.replace('t', {
      sets: { s: { type: 'ipv4_addr', with: ['counter'], elements: ['10.0.0.1', '127.0.0.1'] } },
      chains: { c: { hook: 'input', rules: [[{ 'udp dport': 9 }, { 'ip saddr': '@s' }]] } },
    })
    expect((await firewall.counters('t')).elements).toEqual([
      { set: 's', key: '10.0.0.1', packets: 0, bytes: 0 },
      { set: 's', key: '127.0.0.1', packets: 0, bytes: 0 },
    ])
    const socket = set.network.createSocket('udp4')
    socket.send('hello', 9, '127.0.0.1')
    const counted = async () => (await firewall.counters('t')).elements[1]
    await expect.poll(counted, { timeout: 10_000 }).toEqual({ set: 's', key: '127.0.0.1', packets: 1, bytes: 33 })
    await new Promise<void>((resolve) => socket.close(resolve))
  })

  test('only packets of new keys pass a limit on their prefix', async () => {
    using set = anyonesSet(['net'])
    const { firewall, links, addresses } = set.network
    await links.set('lo', { up: true })
    await addresses.add('lo', '10.9.0.1/24')
    await firewall.replace('t', {
      sets: { prefixes: { type: 'ipv4_addr', flags: ['dynamic'], size: 100 } },
      chains: {
        c: {
          hook: 'input',
          rules: [[{ 'udp dport': 9 }, { add: { set: '@prefixes', key: 'ip saddr & 255.255.255.0' } }]],
        },
      },
    })
    const socket = set.network.createSocket('udp4')
    socket.send('x', 9, '10.9.0.1')
    await once(socket, 'listening')
    const elements = async () => (await firewall.get('t')).sets?.['prefixes']?.elements
    await expect.poll(elements, { timeout: 10_000 }).toEqual(['10.9.0.0'])
    await new Promise<void>((resolve) => socket.close(resolve))
  })
})

const set = anyonesSet(['net'])
afterAll(() => set.close())
const given = (table: unknown) => () => set.network.firewall.replace('t', untyped<FirewallTableSpec>(table))
const rule = (...statements: unknown[]) => given({ chains: { c: { rules: [statements] } } })
const at = 'table.chains.c.rules[0]'

const CASES: Case[] = [
  ['a numgen without a modulus', rule({ 'numgen inc': 0 }), value(`${at}[0]`)],
  ['a modulus of zero', rule({ 'numgen inc mod 0': 0 }), value(`${at}[0]`)],
  ['a hash of too many selectors', rule({ [`jhash ${Array(5).fill('ip saddr').join(' . ')} mod 2`]: 0 }), value(at)],
  ['a hash of what is none', rule({ 'jhash ip sadr mod 2': 0 }), value(at)],
  ['a mask of the other version', rule({ add: { set: '@s', key: 'ip saddr & ffff::' } }), value('key')],
  ['a mask on the value that is copied', rule({ set: { 'meta mark': { from: 'meta mark & 1' } } }), value("as '&'")],
  ['bits that are none', rule({ set: { 'meta mark': { from: 'meta mark', '&': -1 } } }), range('&')],
  ['a shift by too much', rule({ set: { 'meta mark': { from: 'meta mark', '<<': 64 } } }), range('<<')],
  [
    'more bits than the value has',
    rule({ set: { 'ct zone': { from: 'ct zone', '|': 0x10000 } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', "65536 has more bits than 'ct zone'"],
  ],
  ['a prefix without saying so', rule({ dnat: { to: '10.1.0.0/24' } }), value("must be a prefix with 'prefix'")],
  ['an address as a prefix', rule({ dnat: { to: '10.1.0.1', prefix: true } }), value("must be a prefix with 'prefix'")],
  ['an option of TCP that is none', rule({ reset: 'tcp option mss' }), value(`${at}[0].reset`)],
  ['a field of an option that is removed', rule({ reset: 'tcp option maxseg size' }), value(`${at}[0].reset`)],
  ['a number of connections that is none', rule({ 'ct count': { connections: -1 } }), range('connections')],
  ['a limit that is not in the table', rule({ limit: 'slow' }), value('names a limit that is not in the table')],
  [
    'a map to counters that are not in the table',
    rule({ counter: { 'tcp dport': { map: [[80, 'web']] } } }),
    value('names a counter that is not in the table'),
  ],
  [
    'a named map to other objects',
    given({
      sets: { m: { type: 'inet_service', data: 'quota' } },
      chains: { c: { rules: [[{ counter: { 'tcp dport': { map: '@m' } } }]] } },
    }),
    value("needs a map to counter, but 'm' is a map to quota"),
  ],
  ['a date that is none', rule({ 'meta time': '2025-13-01T00:00:00Z' }), value('must be a time')],
  ['too few digits of bytes', rule({ '@ll,0,48': '0x0200' }), value('12 hexadecimal digits')],
  ['a VLAN that is none', rule({ 'vlan id': 4096 }), range('4095')],
]

describe('errors in these', () => {
  refuses(CASES)
})
