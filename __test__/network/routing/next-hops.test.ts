/** `set.network.nextHops`: `ip nexthop` reads what nsset adds, nsset reads what `ip nexthop` adds, and routes use them. */
import type { NamespaceSet, NextHop, NextHopSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, untyped, value } from '../../setup/sets/failure.ts'

/** A link with networks of both families, and two next hops. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = [
    'link set lo up',
    'link add br0 up type bridge',
    'address add 10.0.0.1/24 dev br0',
    'address add fd00::1/64 dev br0 nodad',
    'nexthop add id 1 via 10.0.0.8 dev br0',
    'nexthop add id 2 via 10.0.0.9 dev br0',
  ]
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

async function nextHopsOfIp(set: NamespaceSet): Promise<string[]> {
  const lines = (await ip(set, '-d nexthop show')).trim().split('\n')
  // The time out of balance of a resilient group counts on.
  return lines.map((line) => line.replace(/unbalanced_time [\d.]+/, '').trim()).toSorted()
}

/** A next hop: spec, the arguments of `ip nexthop add`, and what nsset reads. */
type Entry = [spec: NextHopSpec, words: string, result: Partial<NextHop>]

const ENTRIES: Entry[] = [
  [
    { id: 7, via: '10.0.0.7', dev: 'br0' },
    'id 7 via 10.0.0.7 dev br0',
    { id: 7, family: 'IPv4', via: '10.0.0.7', dev: { index: expect.any(Number) } as never, protocol: 0 },
  ],
  [
    { id: 7, via: 'fd00::7', dev: 'br0', protocol: 4 },
    'id 7 via fd00::7 dev br0 proto static',
    { family: 'IPv6', via: 'fd00::7', protocol: 4 },
  ],
  [{ id: 7, via: '172.16.0.1', dev: 'br0', onLink: true }, 'id 7 via 172.16.0.1 dev br0 onlink', { onLink: true }],
  [{ id: 7, dev: 'br0' }, 'id 7 dev br0', { family: 'IPv4' }],
  [{ id: 7, blackhole: true }, 'id 7 blackhole', { blackhole: true, family: 'IPv4' }],
  [{ id: 7, family: 'IPv6', blackhole: true }, '-6 id 7 blackhole', { blackhole: true, family: 'IPv6' }],
  [{ id: 7, via: '10.0.0.7', fdb: true }, 'id 7 via 10.0.0.7 fdb', { fdb: true }],
  [
    { id: 7, group: [{ id: 1, weight: 3 }, { id: 2 }] },
    'id 7 group 1,3/2',
    {
      group: [
        { id: 1, weight: 3 },
        { id: 2, weight: 1 },
      ],
      groupType: 'multipath',
    },
  ],
  [
    {
      id: 7,
      group: [{ id: 1 }, { id: 2 }],
      groupType: 'resilient',
      resilience: { buckets: 8, idleTimer: 60_000, unbalancedTimer: 300_000 },
    },
    'id 7 group 1/2 type resilient buckets 8 idle_timer 60 unbalanced_timer 300',
    { groupType: 'resilient', resilience: { buckets: 8, idleTimer: 60_000, unbalancedTimer: 300_000 } },
  ],
]

describe('a next hop', () => {
  for (const [spec, words, result] of ENTRIES) {
    test(`${words}: nsset and ip add and read the same`, async () => {
      using set = await lab()
      const { nextHops } = set.network
      const [family, rest] = words.startsWith('-6 ') ? ['-6 ', words.slice(3)] : ['', words]

      await ip(set, `${family}nexthop add ${rest}`)
      const printed = await nextHopsOfIp(set)
      const listed = await nextHops.list()
      expect(listed).toHaveLength(3)
      const hop = listed.find(({ id }) => id === 7) as NextHop
      expect(hop).toMatchObject(result)
      await nextHops.delete(7)
      expect(await nextHops.list()).toHaveLength(2)

      await nextHops.add(spec)
      expect(await nextHopsOfIp(set)).toEqual(printed)
      expect(await nextHops.list()).toEqual(listed)
      expect(await failureOf(() => nextHops.add(spec))).toMatchObject({ code: 'EEXIST', target: 'next hop 7' })
      await nextHops.delete(hop)
      await nextHops.add(hop)
      await nextHops.replace(hop)
      expect(await nextHopsOfIp(set)).toEqual(printed)
    })
  }

  test('is shared by routes, which change and go with it', async () => {
    using set = await lab()
    const { nextHops, routes } = set.network
    await nextHops.add({ id: 10, group: [{ id: 1 }] })
    await routes.add({ destination: '192.0.2.0/24', nextHopId: 10 })
    await routes.add({ destination: '198.51.100.0/24', nextHopId: 1 })
    expect(await routes.lookup('192.0.2.1')).toMatchObject({ via: '10.0.0.8' })
    await nextHops.replace({ id: 10, group: [{ id: 2 }] })
    expect(await routes.lookup('192.0.2.1')).toMatchObject({ via: '10.0.0.9' })
    await nextHops.delete(1)
    const left = (await routes.list({ table: 254 })).map(({ destination }) => destination)
    expect(left).toContain('192.0.2.0/24')
    expect(left).not.toContain('198.51.100.0/24')
  })
})

test('delete() of a missing next hop fails', async () => {
  using set = await lab()
  const failure = await failureOf(() => set.network.nextHops.delete(4711))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT', target: 'next hop 4711' })
  expect(failure.message).toContain('no next hop has that id')
})

describe('invalid arguments throw', () => {
  const add = (hop: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.nextHops.add(untyped<NextHopSpec>(hop))
  }
  const cases: Case[] = [
    ['no id', add({ via: '10.0.0.1' }), value('hop.id', 'is required')],
    ['the id 0', add({ id: 0 }), range('hop.id')],
    ['a family that differs', add({ id: 1, via: '10.0.0.1', family: 'IPv6' }), value('hop.family')],
    ['a weight of 257', add({ id: 1, group: [{ id: 2, weight: 257 }] }), range('hop.group[0].weight')],
    ['a member without an id', add({ id: 1, group: [{ weight: 1 }] }), value('hop.group[0].id', 'is required')],
    ['timers of a group that has none', add({ id: 1, group: [{ id: 2 }], resilience: {} }), value('hop.resilience')],
  ]
  refuses(cases)
})
