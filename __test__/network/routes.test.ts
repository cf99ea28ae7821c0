/** `set.network.routes`: what is added here `ip` reads, what `ip` adds is read here. */
import type { NamespaceSet, Route, RouteSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ask, type IpRoute, ip, ipRoutes } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, untyped, value } from '../setup/sets/failure.ts'

/** A network of both families, and one beside it. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const links = ['link add br0 up type bridge', 'link add br1 up type bridge']
  const addresses = ['address add 10.0.0.1/24 dev br0', 'address add fd00::1/64 dev br0 nodad']
  await ask(set, 'ip', '-batch -', `${[...links, ...addresses].join('\n')}\n`)
  return set
}

/** All but those that the kernel made. */
async function listed(set: NamespaceSet): Promise<Route[]> {
  return (await set.network.routes.list()).filter(({ protocol }) => protocol !== 2)
}

/** A route: as we are told of it, as `ip` is, what `ip` says, and what we read. */
type Entry = [spec: RouteSpec, told: string, says: Partial<IpRoute>, reads: Partial<Route>]

const ENTRIES: Entry[] = [
  [
    { destination: 'default', via: '10.0.0.254' },
    'default via 10.0.0.254',
    { type: 'unicast', dst: 'default', gateway: '10.0.0.254', dev: 'br0', protocol: 'boot', scope: 'global' },
    {
      destination: 'default',
      family: 'IPv4',
      type: 'unicast',
      via: '10.0.0.254',
      table: 254,
      scope: 'global',
      protocol: 3,
    },
  ],
  [
    { destination: 'default', via: 'fd00::fe' },
    'default via fd00::fe',
    { dst: 'default', gateway: 'fd00::fe', dev: 'br0' },
    { destination: 'default', family: 'IPv6', type: 'unicast', via: 'fd00::fe', table: 254 },
  ],
  [
    { destination: '192.0.2.0/24', dev: 'br0', metric: 77, source: '10.0.0.1' },
    '192.0.2.0/24 dev br0 metric 77 src 10.0.0.1',
    { dst: '192.0.2.0/24', dev: 'br0', metric: 77, prefsrc: '10.0.0.1', scope: 'link' },
    { destination: '192.0.2.0/24', metric: 77, source: '10.0.0.1', scope: 'link' },
  ],
  [
    { destination: '2001:db8::/32', dev: 'br0', metric: 77, source: 'fd00::1' },
    '2001:db8::/32 dev br0 metric 77 src fd00::1',
    { dst: '2001:db8::/32', dev: 'br0', metric: 77, prefsrc: 'fd00::1' },
    { destination: '2001:db8::/32', metric: 77, source: 'fd00::1', family: 'IPv6' },
  ],
  [
    { destination: '192.0.2.1', via: '10.0.0.9', dev: 'br0' },
    '192.0.2.1 via 10.0.0.9 dev br0',
    { dst: '192.0.2.1', gateway: '10.0.0.9' },
    { destination: '192.0.2.1/32', via: '10.0.0.9' },
  ],
  [
    { destination: '192.0.2.0/24', dev: 'br0', table: 100 },
    '192.0.2.0/24 dev br0 table 100',
    { dst: '192.0.2.0/24', table: '100' },
    { table: 100 },
  ],
  [
    { destination: '2001:db8::/32', dev: 'br0', table: 70_000 },
    '2001:db8::/32 dev br0 table 70000',
    { dst: '2001:db8::/32', table: '70000' },
    { table: 70_000 },
  ],
  [
    { destination: '172.16.0.0/12', via: '10.9.9.9', dev: 'br1', onLink: true },
    '172.16.0.0/12 via 10.9.9.9 dev br1 onlink',
    { gateway: '10.9.9.9', dev: 'br1', flags: expect.arrayContaining(['onlink']) },
    { via: '10.9.9.9' },
  ],
  [
    { destination: '10.8.0.0/16', via: 'fd00::fe', dev: 'br0' },
    '10.8.0.0/16 via inet6 fd00::fe dev br0',
    { dst: '10.8.0.0/16', via: { family: 'inet6', host: 'fd00::fe' } },
    { destination: '10.8.0.0/16', family: 'IPv4', via: 'fd00::fe' },
  ],
  [
    { destination: '10.7.0.0/16', dev: 'br0', scope: 'global' },
    '10.7.0.0/16 dev br0 scope global',
    { dst: '10.7.0.0/16', scope: 'global' },
    { scope: 'global' },
  ],
  [
    { destination: '10.7.0.0/16', dev: 'br0', scope: 150 },
    '10.7.0.0/16 dev br0 scope 150',
    { dst: '10.7.0.0/16', scope: '150' },
    { scope: 150 },
  ],
  [
    { destination: '10.7.0.1', dev: 'br0', type: 'local', scope: 'host' },
    'local 10.7.0.1 dev br0 table main',
    { type: 'local', dst: '10.7.0.1', scope: 'host' },
    { type: 'local', scope: 'host', table: 254 },
  ],
  [
    { destination: '239.0.0.0/8', dev: 'br0', type: 'multicast' },
    'multicast 239.0.0.0/8 dev br0',
    { type: 'multicast', dst: '239.0.0.0/8' },
    { type: 'multicast' },
  ],
  [
    { destination: '10.7.0.255', dev: 'br0', type: 'broadcast' },
    'broadcast 10.7.0.255 dev br0 table main',
    { type: 'broadcast', dst: '10.7.0.255', scope: 'link' },
    { type: 'broadcast', scope: 'link' },
  ],
  [
    { destination: '192.0.2.0/24', type: 6 },
    'blackhole 192.0.2.0/24',
    { type: 'blackhole', dst: '192.0.2.0/24' },
    { type: 'blackhole' },
  ],
]

for (const type of ['blackhole', 'unreachable', 'prohibit', 'throw'] as const) {
  for (const destination of ['203.0.113.0/24', '2001:db8:1::/48']) {
    ENTRIES.push([{ destination, type }, `${type} ${destination}`, { type, dst: destination }, { type, destination }])
  }
}

describe('a route', () => {
  for (const [spec, told, says, reads] of ENTRIES) {
    test(`${told}: both add it and both read it`, async () => {
      using set = await lab()
      const { routes } = set.network
      const isSix = (reads.destination ?? spec.destination).includes(':') || reads.family === 'IPv6'
      const family = isSix ? '-6' : '-4'

      await ip(set, `${family} route add ${told}`)
      const [said, read] = [await ipRoutes(set, family), await listed(set)]
      expect(read).toMatchObject([reads])
      const [dev] = (await set.network.links.list()).filter(({ index }) => index === read[0]?.dev?.index)
      expect(dev?.name).toBe(said[0]?.dev)
      await routes.delete(spec)
      expect(await ipRoutes(set, family)).toEqual([])

      await routes.add(spec)
      expect(await ipRoutes(set, family)).toMatchObject([says])
      expect(await ipRoutes(set, family)).toEqual(said)
      expect(await listed(set)).toEqual(read)
      expect(await failureOf(() => routes.add(spec))).toMatchObject({ name: 'ActionError', code: 'EEXIST' })
      await ip(set, `${family} route delete ${told}`)
      expect(await listed(set)).toEqual([])
    })
  }
})

describe('a list', () => {
  test('has what the kernel made, too, in all tables or in one', async () => {
    using set = await lab()
    const own = await set.network.routes.list({ table: 254 })
    expect(own).toContainEqual(
      expect.objectContaining({ destination: '10.0.0.0/24', source: '10.0.0.1', protocol: 2, scope: 'link' }),
    )
    expect(own.every(({ table }) => table === 254)).toBe(true)
    const local = await set.network.routes.list({ table: 255 })
    expect(local).toContainEqual(
      expect.objectContaining({ destination: '10.0.0.1/32', type: 'local', scope: 'host', table: 255 }),
    )
    expect(await set.network.routes.list({ table: 4711 })).toEqual([])
  })

  test('is that of ip', async () => {
    using set = await lab()
    await ip(set, 'route add 192.0.2.0/25 via 10.0.0.9 metric 5')
    const counts = ['-4', '-6'].map(async (family) => {
      const said: IpRoute[] = JSON.parse(await ip(set, `-j ${family} route show table all`))
      const read = await set.network.routes.list()
      const asIp = ({ destination }: Route) => destination.replace(/\/(32|128)$/, '')
      const name = family === '-4' ? 'IPv4' : 'IPv6'
      expect(read.filter((route) => route.family === name).map(asIp)).toEqual(said.map(({ dst }) => dst))
      return said.length
    })
    for (const count of await Promise.all(counts)) expect(count).toBeGreaterThan(2)
  })

  test('of many is complete', async () => {
    using set = await lab()
    const lines = Array.from(
      { length: 1000 },
      (_, count) => `route add 172.${16 + (count >> 8)}.${count & 0xff}.0/24 dev br0`,
    )
    await ask(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
    expect(await listed(set)).toHaveLength(lines.length)
  })
})

describe('replace', () => {
  test('puts a route in the place of one with the same destination and metric', async () => {
    using set = await lab()
    const { routes } = set.network
    for (const via of ['10.0.0.2', '10.0.0.3']) {
      await routes.replace({ destination: 'default', via })
      expect(await ipRoutes(set)).toMatchObject([{ dst: 'default', gateway: via }])
    }
    await routes.replace({ destination: 'default', via: '10.0.0.4', metric: 9 })
    expect(await ipRoutes(set)).toMatchObject([{ gateway: '10.0.0.3' }, { gateway: '10.0.0.4', metric: 9 }])
  })

  test('does so for IPv6, too', async () => {
    using set = await lab()
    for (const via of ['fd00::2', 'fd00::3']) {
      await set.network.routes.replace({ destination: 'default', via })
      expect(await ipRoutes(set, '-6')).toMatchObject([{ dst: 'default', gateway: via }])
    }
  })
})

describe('delete', () => {
  test('takes the one that is as it was said', async () => {
    using set = await lab()
    for (const metric of [1, 2, 3]) await ip(set, `route add 192.0.2.0/24 dev br0 metric ${metric}`)
    await set.network.routes.delete({ destination: '192.0.2.0/24', metric: 2 })
    expect(await ipRoutes(set)).toMatchObject([{ metric: 1 }, { metric: 3 }])
    await set.network.routes.delete({ destination: '192.0.2.0/24' })
    expect(await ipRoutes(set)).toMatchObject([{ metric: 3 }])
  })
})

describe('the kernel refuses', () => {
  const cases: [what: string, spec: RouteSpec, code: string, words: string][] = [
    [
      'a gateway that is on no network',
      { destination: 'default', via: '198.51.100.1' },
      'ENETUNREACH',
      'the gateway cannot be reached',
    ],
    ['a device that is not there', { destination: '192.0.2.0/24', dev: 'nobody' }, 'ENODEV', 'nobody'],
    ['a device that is down', { destination: '192.0.2.0/24', dev: 'lo' }, 'ENETDOWN', 'bring the device up first'],
    [
      'a source that is not its own',
      { destination: '192.0.2.0/24', dev: 'br0', source: '10.9.9.9' },
      'EINVAL',
      '192.0.2.0/24',
    ],
    ['a route with no way to go', { destination: '192.0.2.0/24' }, 'ENODEV', '192.0.2.0/24'],
  ]
  for (const [what, spec, code, words] of cases) {
    test(what, async () => {
      using set = await lab()
      const failure = await failureOf(() => set.network.routes.add(spec))
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
      expect(failure.message).toContain(words)
      expect(await ipRoutes(set)).toEqual([])
    })
  }

  test('to take away what is not there', async () => {
    using set = await lab()
    const failure = await failureOf(() => set.network.routes.delete({ destination: '192.0.2.0/24', metric: 7 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ESRCH', target: '192.0.2.0/24' })
    expect(failure.message).toContain('there is no such route')
  })
})

describe('what no kernel needs to see', () => {
  test('bits behind the prefix', async () => {
    using set = await lab()
    const failure = await failureOf(() => set.network.routes.add({ destination: '10.0.0.1/24', dev: 'br0' }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain('10.0.0.0/24')
  })

  const add = (route: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.routes.add(untyped<RouteSpec>(route))
  }
  const cases: Case[] = [
    ['a destination that is none', add({ destination: 'everywhere' }), value('route.destination')],
    ['a prefix that is too long', add({ destination: '10.0.0.0/33' }), value('route.destination')],
    ['a gateway with a prefix', add({ destination: 'default', via: '10.0.0.1/24' }), value('route.via')],
    ['a gateway with a zone', add({ destination: 'default', via: 'fe80::1%br0' }), value('route.via')],
    ['a type that has no name', add({ destination: 'default', type: 'hole' }), value('route.type')],
  ]
  refuses(cases)
})
