/** `set.network.routes`: `ip` reads what nsset adds, and nsset reads what `ip` adds. */
import type { NamespaceSet, Route, RouteSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { type IpRoute, ip, ipRoutes, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, untyped, value } from '../setup/sets/failure.ts'

/** A network with addresses of both families, and a link without. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const links = ['link add br0 up type bridge', 'link add br1 up type bridge']
  const addresses = ['address add 10.0.0.1/24 dev br0', 'address add fd00::1/64 dev br0 nodad']
  await outputOf(set, 'ip', '-batch -', `${[...links, ...addresses].join('\n')}\n`)
  return set
}

/** All but those of the kernel. */
async function listed(set: NamespaceSet): Promise<Route[]> {
  return (await set.network.routes.list()).filter(({ protocol }) => protocol !== 2)
}

/** A route: spec, `ip` command, `ip` JSON, and what nsset reads. */
type Entry = [spec: RouteSpec, command: string, json: Partial<IpRoute>, result: Partial<Route>]

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
  for (const [spec, command, json, result] of ENTRIES) {
    test(`${command}: nsset and ip add and read the same`, async () => {
      using set = await lab()
      const { routes } = set.network
      const isSix = (result.destination ?? spec.destination).includes(':') || result.family === 'IPv6'
      const family = isSix ? '-6' : '-4'

      await ip(set, `${family} route add ${command}`)
      const [printed, read] = [await ipRoutes(set, family), await listed(set)]
      expect(read).toMatchObject([result])
      const [dev] = (await set.network.links.list()).filter(({ index }) => index === read[0]?.dev?.index)
      expect(dev?.name).toBe(printed[0]?.dev)
      await routes.delete(spec)
      expect(await ipRoutes(set, family)).toEqual([])

      await routes.add(spec)
      expect(await ipRoutes(set, family)).toMatchObject([json])
      expect(await ipRoutes(set, family)).toEqual(printed)
      expect(await listed(set)).toEqual(read)
      expect(await failureOf(() => routes.add(spec))).toMatchObject({ name: 'ActionError', code: 'EEXIST' })
      await ip(set, `${family} route delete ${command}`)
      expect(await listed(set)).toEqual([])
    })
  }
})

describe('list()', () => {
  test('includes the routes of the kernel, in all tables or in one', async () => {
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

  test('equals that of ip', async () => {
    using set = await lab()
    await ip(set, 'route add 192.0.2.0/25 via 10.0.0.9 metric 5')
    const counts = ['-4', '-6'].map(async (family) => {
      const printed: IpRoute[] = JSON.parse(await ip(set, `-j ${family} route show table all`))
      const read = await set.network.routes.list()
      const asIp = ({ destination }: Route) => destination.replace(/\/(32|128)$/, '')
      const name = family === '-4' ? 'IPv4' : 'IPv6'
      expect(read.filter((route) => route.family === name).map(asIp)).toEqual(printed.map(({ dst }) => dst))
      return printed.length
    })
    for (const count of await Promise.all(counts)) expect(count).toBeGreaterThan(2)
  })

  test('returns all of many', async () => {
    using set = await lab()
    const lines = Array.from(
      { length: 1000 },
      (_, count) => `route add 172.${16 + (count >> 8)}.${count & 0xff}.0/24 dev br0`,
    )
    await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
    expect(await listed(set)).toHaveLength(lines.length)
  })
})

describe('append()', () => {
  test('adds a route behind the one with the same destination and metric', async () => {
    using set = await lab()
    const { routes } = set.network
    for (const via of ['10.0.0.2', '10.0.0.3']) await routes.append({ destination: 'default', via })
    expect(await ipRoutes(set)).toMatchObject([{ gateway: '10.0.0.2' }, { gateway: '10.0.0.3' }])
    const failure = await failureOf(() => routes.add({ destination: 'default', via: '10.0.0.4' }))
    expect(failure.code).toBe('EEXIST')
    await routes.delete({ destination: 'default' })
    expect(await ipRoutes(set)).toMatchObject([{ gateway: '10.0.0.3' }])
  })

  test('adds a next hop to a route of IPv6', async () => {
    using set = await lab()
    for (const via of ['fd00::2', 'fd00::3']) await set.network.routes.append({ destination: 'default', via })
    const [route] = (await listed(set)).filter(({ destination }) => destination === 'default')
    expect(route?.nextHops?.map(({ via }) => via)).toEqual(['fd00::2', 'fd00::3'])
    const failure = await failureOf(() => set.network.routes.append({ destination: 'default', via: 'fd00::3' }))
    expect(failure.code).toBe('EEXIST')
  })
})

describe('replace()', () => {
  test('replaces a route with the same destination and metric', async () => {
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

describe('delete()', () => {
  test('deletes the route that matches its argument', async () => {
    using set = await lab()
    for (const metric of [1, 2, 3]) await ip(set, `route add 192.0.2.0/24 dev br0 metric ${metric}`)
    await set.network.routes.delete({ destination: '192.0.2.0/24', metric: 2 })
    expect(await ipRoutes(set)).toMatchObject([{ metric: 1 }, { metric: 3 }])
    await set.network.routes.delete({ destination: '192.0.2.0/24' })
    expect(await ipRoutes(set)).toMatchObject([{ metric: 3 }])
  })
})

describe('the kernel rejects', () => {
  const cases: [what: string, spec: RouteSpec, code: string, words: string][] = [
    [
      'a gateway outside every network',
      { destination: 'default', via: '198.51.100.1' },
      'ENETUNREACH',
      'the gateway cannot be reached',
    ],
    ['a missing device', { destination: '192.0.2.0/24', dev: 'missing' }, 'ENODEV', 'missing'],
    ['a device that is down', { destination: '192.0.2.0/24', dev: 'lo' }, 'ENETDOWN', 'bring the device up first'],
    [
      'a source address of another host',
      { destination: '192.0.2.0/24', dev: 'br0', source: '10.9.9.9' },
      'EINVAL',
      '192.0.2.0/24',
    ],
    ['a route without a gateway or device', { destination: '192.0.2.0/24' }, 'ENODEV', '192.0.2.0/24'],
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

  test('the deletion of a missing route', async () => {
    using set = await lab()
    const failure = await failureOf(() => set.network.routes.delete({ destination: '192.0.2.0/24', metric: 7 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ESRCH', target: '192.0.2.0/24' })
    expect(failure.message).toContain('the route does not exist')
  })
})

describe('invalid arguments throw', () => {
  test('bits after the prefix', async () => {
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
    ['an invalid destination', add({ destination: 'everywhere' }), value('route.destination')],
    ['a prefix that is too long', add({ destination: '10.0.0.0/33' }), value('route.destination')],
    ['a gateway with a prefix', add({ destination: 'default', via: '10.0.0.1/24' }), value('route.via')],
    ['a gateway with a zone', add({ destination: 'default', via: 'fe80::1%br0' }), value('route.via')],
    ['an unknown type', add({ destination: 'default', type: 'hole' }), value('route.type')],
  ]
  refuses(cases)
})
