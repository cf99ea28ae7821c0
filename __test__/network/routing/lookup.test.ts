/** `set.network.routes.lookup`: the same answer as `ip route get`, for packets of many kinds. */
import type { NamespaceSet, RouteLookupOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, outputOf, resultOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, expectFailure, failureOf, refuses, untyped, value } from '../../setup/sets/failure.ts'

/** Two links, and routes that rules choose. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = [
    'link set lo up',
    'link add br0 up type bridge',
    'link add br1 up type bridge',
    'address add 10.0.0.1/24 dev br0',
    'address add 10.0.1.1/24 dev br1',
    'address add fd00::1/64 dev br0 nodad',
    'route add default via 10.0.0.254',
    'route add default via 10.0.1.254 table 100',
    'route add default via fd00::fe',
    'route add 198.51.100.0/24 mtu 1300 via 10.0.0.9',
    'rule add priority 100 fwmark 7 table 100',
    'rule add priority 101 ipproto tcp dport 443 table 100',
    'rule add priority 102 uidrange 0-0 to 203.0.113.0/24 table 100',
    'route add unreachable 192.0.2.0/28',
    'route add prohibit 192.0.2.16/28',
    'route add blackhole 192.0.2.32/28',
  ]
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

/** A lookup: the address and options, and the arguments of `ip route get`. */
const LOOKUPS: [address: string, options: RouteLookupOptions | undefined, words: string][] = [
  ['192.0.2.200', undefined, '192.0.2.200'],
  ['192.0.2.200', { fwmark: 7 }, '192.0.2.200 mark 7'],
  ['192.0.2.200', { ipProto: 'tcp', dport: 443 }, '192.0.2.200 ipproto tcp dport 443'],
  // The user of this process is root inside: the kernel reads user ids as those of the process that asks.
  ['203.0.113.1', { uid: process.getuid?.() ?? 0 }, '203.0.113.1 uid 0'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.1.7', { from: '10.0.0.1' }, '10.0.1.7 from 10.0.0.1'],
  ['192.0.2.200', { oif: 'br1' }, '192.0.2.200 oif br1'],
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', { fibMatch: true }, 'fibmatch 198.51.100.1'],
  ['2001:db8::1', undefined, '2001:db8::1'],
  ['2001:db8::1', { fibMatch: true }, 'fibmatch 2001:db8::1'],
]

describe('lookup()', () => {
  for (const [address, options, words] of LOOKUPS) {
    test(`finds the same route as ip route get ${words}`, async () => {
      using set = await lab()
      const route = await set.network.routes.lookup(address, options)
      const [printed] = JSON.parse(await ip(set, `-j -d route get ${words}`))
      const [dev] = (await set.network.links.list()).filter(({ index }) => index === route.dev?.index)
      const destination = route.destination.replace(/\/(32|128)$/, '')
      expect({ destination, via: route.via, source: route.source, dev: dev?.name, type: route.type }).toEqual({
        destination: printed.dst,
        via: printed.gateway,
        source: printed.prefsrc,
        dev: printed.dev,
        type: printed.type,
      })
      expect(route.metrics?.mtu).toBe(printed.metrics?.[0]?.mtu)
      const numbers: Record<string, number> = { main: 254, local: 255 }
      if (printed.table !== undefined) expect(route.table).toBe(numbers[printed.table] ?? Number(printed.table))
    })
  }

  const REFUSED = [
    ['192.0.2.1', 'EHOSTUNREACH', "'unreachable'"],
    ['192.0.2.17', 'EACCES', "'prohibit'"],
    ['192.0.2.33', 'EINVAL', "'blackhole'"],
  ] as const
  for (const [address, code, hint] of REFUSED) {
    test(`fails with ${code} for a route of type ${hint}, as ip does`, async () => {
      using set = await lab()
      const failure = await failureOf(() => set.network.routes.lookup(address))
      expectFailure(failure, ['ActionError', code, hint, address])
      expect((await resultOf(set, 'ip', `route get ${address}`)).exitCode).toBe(2)
    })
  }

  test('fails with ENETUNREACH without a route', async () => {
    using set = anyonesSet(['net'])
    const failure = await failureOf(() => set.network.routes.lookup('192.0.2.1'))
    expectFailure(failure, ['ActionError', 'ENETUNREACH', 'no route leads to that address'])
  })
})

test('the segments of a route with segment routing are read', async ({ skip }) => {
  using set = await lab()
  const words = '-6 route add 2001:db8:7::/48 encap seg6 mode encap segs fd00::a,fd00::b dev br0'
  const { exitCode, stderr } = await resultOf(set, 'ip', words)
  if (exitCode !== 0) skip(`this kernel has no segment routing for this user: ${stderr}`)
  const { routes } = set.network
  const before = await ip(set, '-6 route show 2001:db8:7::/48')
  const route = (await routes.list()).find(({ destination }) => destination === '2001:db8:7::/48')
  expect(route?.encap).toMatchObject({ type: 'seg6', mode: 'encap', segments: ['fd00::a', 'fd00::b'] })
  if (route === undefined) return
  await routes.delete(route)
  await routes.add(route)
  expect(await ip(set, '-6 route show 2001:db8:7::/48')).toBe(before)
})

describe('invalid arguments throw', () => {
  const lookup = (address: unknown, options?: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.routes.lookup(untyped<string>(address), untyped<RouteLookupOptions>(options))
  }
  const cases: Case[] = [
    ['a host name', lookup('example.org'), value('address')],
    ['an address with a prefix', lookup('10.0.0.1/24'), value('address')],
    ['a source of the other family', lookup('10.0.0.1', { from: 'fd00::1' }), value('options.from')],
    ['a misspelt option', lookup('10.0.0.1', { mark: 7 }), value("'mark'")],
  ]
  refuses(cases)
})
