/** `network.watch` and `network.until`: `ip` changes a network, and the events report it. */
import type { NamespaceSet, NetworkWatcher, WatchEvent } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../../setup/guards/growth.ts'
import { resources } from '../../setup/guards/resources.ts'
import { ipRoutes, outputOf } from '../../setup/oracles/iproute.ts'
import { askPlainNode } from '../../setup/programs/plain-node.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, expectFailure, failureOf, refuses, type, untyped, value } from '../../setup/sets/failure.ts'
import { isRoot } from '../../setup/sets/privilege.ts'

const batch = (set: NamespaceSet, ...lines: string[]) => outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)

/** Reads events until one is about an object with this text. */
async function eventsUntil(watcher: NetworkWatcher, isLast: (event: WatchEvent) => boolean): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  for (;;) {
    const { value: event } = await watcher.next()
    if (event === undefined) throw new Error(`the watcher has ended after ${JSON.stringify(events)}`)
    events.push(event)
    if (isLast(event)) return events
  }
}

/** A line for each event: `add links br0`. */
const lines = (events: WatchEvent[]) =>
  events.map((event) => {
    if (event.type === 'resync') return 'resync'
    const { type, part, value } = event
    const keys = ['name', 'cidr', 'destination', 'address', 'priority'] as const
    const name = keys
      .map((key) => (value as unknown as Record<string, unknown>)[key])
      .find((text) => text !== undefined)
    return `${type} ${part} ${name}`
  })

const isAbout =
  (type: string, name: string) =>
  (event: WatchEvent): boolean =>
    lines([event])[0]?.startsWith(type) === true && lines([event])[0]?.endsWith(name) === true

describe('network.watch', () => {
  test('reports what programs do to links, addresses and routes', async () => {
    using set = anyonesSet(['net'])
    using watcher = set.network.watch(['links', 'addresses', 'routes'])
    await batch(
      set,
      'link add br0 type bridge',
      'link set br0 up',
      'address add 10.0.0.1/24 dev br0',
      'route add 192.0.2.0/24 via 10.0.0.2',
      'route replace 192.0.2.0/24 via 10.0.0.3',
      'route del 192.0.2.0/24',
      'address del 10.0.0.1/24 dev br0',
      'link set br0 alias switch',
      'link del br0',
    )
    const events = await eventsUntil(watcher, isAbout('remove links', 'br0'))
    const ofIpv4 = events.filter(
      (event) => !('value' in event && 'family' in event.value && event.value.family === 'IPv6'),
    )
    const kernels = ['10.0.0.1/32', '10.0.0.255/32', '10.0.0.0/24', '10.0.0.0/32']
    const told = lines(ofIpv4).filter((line) => !kernels.some((net) => line.endsWith(` routes ${net}`)))
    const once = told.filter((line, index) => line !== told[index - 1])
    expect(once).toEqual([
      'add links br0',
      'change links br0',
      'add addresses 10.0.0.1/24',
      'add routes 192.0.2.0/24',
      'change routes 192.0.2.0/24',
      'remove routes 192.0.2.0/24',
      'remove addresses 10.0.0.1/24',
      'change links br0',
      'remove links br0',
    ])
  })

  test('an event has the object as a list returns it', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { network } = set
    using watcher = network.watch(['links', 'addresses', 'routes'])
    await network.links.add({ kind: 'bridge', name: 'br0', mtu: 1400, stp: true })
    await network.addresses.add('lo', '10.0.0.1/24')
    await network.routes.add({ destination: '192.0.2.0/24', dev: 'lo', metric: 7 })
    const events = await eventsUntil(watcher, isAbout('add', ' 192.0.2.0/24'))
    const objectOf = (event?: WatchEvent) => (event !== undefined && 'value' in event ? event.value : undefined)
    const link = objectOf(
      events.findLast(({ type, ...event }) => 'part' in event && event.part === 'links' && type !== 'resync'),
    )
    const { statistics: _, ...expected } = await network.links.get('br0')
    expect(link).toMatchObject(expected)
    expect(link).toHaveProperty('statistics.sentBytes', expect.any(Number))
    const [address] = (await network.addresses.list('lo')).filter(({ cidr }) => cidr === '10.0.0.1/24')
    expect(objectOf(events.find(isAbout('add addresses', '10.0.0.1/24')))).toEqual(address)
    const route = (await network.routes.list()).find(({ metric }) => metric === 7)
    expect(objectOf(events.at(-1))).toEqual(route)
  })

  test('reports neighbours and rules', async () => {
    using set = anyonesSet(['net'])
    await batch(set, 'link add br0 up type bridge', 'address add 10.0.0.1/24 dev br0')
    using watcher = set.network.watch(['neighbours', 'rules'])
    await batch(
      set,
      'neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 dev br0',
      'neighbour change 10.0.0.2 lladdr 02:00:00:00:00:03 dev br0',
      'neighbour del 10.0.0.2 dev br0',
      'rule add from 10.0.0.0/24 table 100 priority 7',
      'rule del priority 7',
    )
    const events = await eventsUntil(watcher, isAbout('remove rules', ' 7'))
    const told = lines(events).filter((line) => line.endsWith(' 10.0.0.2') || line.endsWith(' 7'))
    expect(told.filter((line, index) => line !== told[index - 1])).toEqual([
      'add neighbours 10.0.0.2',
      'change neighbours 10.0.0.2',
      'remove neighbours 10.0.0.2',
      'add rules 7',
      'remove rules 7',
    ])
  })

  test('begins with what exists, without a gap', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    await batch(set, 'link add br0 type bridge', 'link set br0 up')
    using watcher = set.network.watch('links', { existing: true })
    await batch(set, 'link add br1 type bridge')
    // A link that was added after the call may be in the list already, and is told once in either case.
    const events = await eventsUntil(
      watcher,
      (event) => isAbout('add', 'br1')(event) || isAbout('existing', 'br1')(event),
    )
    await batch(set, 'link add br2 type bridge')
    events.push(...(await eventsUntil(watcher, isAbout('add', 'br2'))))
    expect(lines(events).filter((line) => /^existing links (br0|lo)$/.test(line))).toHaveLength(2)
    expect(lines(events).filter((line) => /^(add|existing) .*br1$/.test(line))).toHaveLength(1)
  })

  test('any number of watchers share one socket, and each gets all events', async () => {
    using set = anyonesSet(['net'])
    await set.network.links.list()
    const before = resources()
    const watchers = Array.from({ length: 50 }, () => set.network.watch('links', { existing: true }))
    expect(resources().descriptors - before.descriptors).toBe(1)
    for (const watcher of watchers) await eventsUntil(watcher, isAbout('existing', 'lo'))
    await batch(set, 'link add br0 type bridge')
    for (const watcher of watchers) {
      expect(lines(await eventsUntil(watcher, isAbout('add', 'br0')))).toEqual(['add links br0'])
    }
    for (const watcher of watchers) watcher.close()
    expect(await growthSince(before)).toEqual({})
    using later = set.network.watch('links')
    await batch(set, 'link del br0')
    expect(lines(await eventsUntil(later, isAbout('remove', 'br0')))).toContain('remove links br0')
  })

  test('reports the IPv4 routes that the kernel deletes without a notification', async () => {
    using set = anyonesSet(['net'])
    await batch(
      set,
      'link add br0 up type bridge',
      'address add 10.0.0.1/24 dev br0',
      'route add 192.0.2.0/24 via 10.0.0.2',
      'route add 198.51.100.0/24 dev br0',
    )
    using watcher = set.network.watch('routes', { existing: true })
    await eventsUntil(watcher, isAbout('existing', '192.0.2.0/24'))
    await batch(set, 'link set br0 down')
    const seen: string[] = []
    for (const gone of ['192.0.2.0/24', '198.51.100.0/24']) {
      const line = `remove routes ${gone}`
      if (!seen.includes(line)) seen.push(...lines(await eventsUntil(watcher, isAbout('remove', gone))))
      expect(seen).toContain(line)
    }
    expect((await ipRoutes(set)).filter(({ dst }) => dst === '192.0.2.0/24')).toEqual([])
  })

  test('tells IPv6 routes with several next hops apart', async () => {
    using set = anyonesSet(['net'])
    await batch(set, 'link add br0 up type bridge', 'address add fd00::1/64 dev br0 nodad')
    using watcher = set.network.watch('routes', { existing: true })
    // What is reported from now on has changed since the list of what exists.
    await eventsUntil(watcher, isAbout('existing', 'fd00::/64'))
    const route = '2001:db8::/32 metric 5'
    await batch(
      set,
      `route add ${route} nexthop via fd00::2 nexthop via fd00::3`,
      `route append ${route} via fd00::4`,
      `route del ${route} via fd00::2 dev br0`,
    )
    const listed = () => set.network.routes.list().then((routes) => routes.find(({ metric }) => metric === 5))
    await eventsUntil(watcher, (event) => {
      const hops = 'value' in event && 'nextHops' in event.value ? (event.value.nextHops ?? []) : []
      return (
        hops
          .map(({ via }) => via)
          .toSorted()
          .join() === 'fd00::3,fd00::4'
      )
    })
    expect((await listed())?.nextHops).toHaveLength(2)
    await batch(set, `route del ${route}`)
    await eventsUntil(watcher, isAbout('remove', '2001:db8::/32'))
    expect(await listed()).toBeUndefined()
  })

  test('a watcher that is not read gets a resync and then the differences', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    using idle = set.network.watch('addresses', { existing: true })
    using reader = set.network.watch('addresses')
    const known = new Set<string>()
    const apply = (event: WatchEvent) => {
      if (event.type === 'resync' || !('cidr' in event.value)) return
      if (event.type === 'remove') known.delete(event.value.cidr)
      else known.add(event.value.cidr)
    }
    const addresses = Array.from({ length: 5000 }, (_, index) => `10.1.${index >> 8}.${index & 0xff}/32`)
    await batch(set, ...addresses.map((cidr) => `address add ${cidr} dev lo`))
    await batch(
      set,
      ...addresses.slice(1).map((cidr) => `address del ${cidr} dev lo`),
      'address add 10.2.0.1/32 dev lo',
    )
    await eventsUntil(reader, isAbout('add', '10.2.0.1/32'))
    const events = await eventsUntil(idle, isAbout('add', '10.2.0.1/32'))
    for (const event of events) apply(event)
    // The differences have no order.
    while (known.size !== 4) {
      const { value: event } = await idle.next()
      events.push(event as WatchEvent)
      apply(event as WatchEvent)
    }
    expect(lines(events).filter((line) => line === 'resync')).toHaveLength(1)
    expect(known).toEqual(new Set((await set.network.addresses.list()).map(({ cidr }) => cidr)))
    // 8192 events waited, and of the other 1,800 changes what is left.
    expect(events.length).toBeLessThan(10_100)
  }, 60_000)

  test('reports thousands of changes, and none twice', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    using watcher = set.network.watch('addresses', { existing: true })
    const addresses = Array.from({ length: 3000 }, (_, index) => `10.1.${index >> 8}.${index & 0xff}/32`)
    await batch(set, ...addresses.map((cidr) => `address add ${cidr} dev lo`))
    // The first of them may be part of the list of what exists, which is read after the call.
    const told: string[] = []
    while (told.length < addresses.length) {
      const { value: event } = await watcher.next()
      const [line = ''] = event === undefined ? [] : lines([event])
      if (/^(add|existing) addresses 10\.1\./.test(line)) told.push(line.replace('existing', 'add'))
    }
    expect(told.toSorted()).toEqual(addresses.map((cidr) => `add addresses ${cidr}`).toSorted())
  }, 60_000)

  test('ends with its set, with return, and with the signal', async () => {
    const set = anyonesSet(['net'])
    const closed = set.network.watch('links')
    const waiting = closed.next()
    set.close()
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(await closed.next()).toEqual({ value: undefined, done: true })

    using other = anyonesSet(['net'])
    await other.network.links.list()
    const before = resources()
    const returned = other.network.watch('links')
    const last = returned.next()
    expect(await returned.return()).toEqual({ value: undefined, done: true })
    expect(await last).toEqual({ value: undefined, done: true })

    const controller = new AbortController()
    const aborted = other.network.watch('links', { existing: true, signal: controller.signal })
    await aborted.next()
    const rejected = failureOf(() => aborted.next())
    controller.abort(new Error('enough'))
    expect(await rejected).toMatchObject({ message: 'enough' })
    expect(await aborted.next()).toEqual({ value: undefined, done: true })
    expect(await failureOf(() => other.network.watch('links', { signal: controller.signal }))).toBe(
      controller.signal.reason,
    )
    expect(await growthSince(before)).toEqual({})
  })

  test('only a read that waits keeps Node.js running', async () => {
    const program = (reads: string) => `
      import { NamespaceSet } from 'nsset'
      const set = NamespaceSet.unshareSync(${isRoot ? "'net'" : "['user', 'net'], { mapUser: 'root' }"})
      const watcher = set.network.watch('links')
      process.on('exit', () => console.log(JSON.stringify('ended')))
      ${reads}`
    expect(await askPlainNode(program(''))).toBe('ended')
    expect(await askPlainNode(program('watcher.unref(); watcher.next()'))).toBe('ended')
    expect(await askPlainNode(program('watcher.next(); setTimeout(() => watcher.close(), 100)'))).toBe('ended')
  })
})

describe('network.until', () => {
  test('asks again after each change', async () => {
    using set = anyonesSet(['net'])
    let asked = 0
    let begin = () => {}
    const hasBegun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const isThere = set.network.until(
      async ({ links }) => {
        asked += 1
        const found = (await links.list()).find(({ name }) => name === 'br1')
        begin()
        return found
      },
      { parts: 'links' },
    )
    await hasBegun
    await batch(set, 'link add br0 type bridge', 'link add br1 type bridge')
    expect(await isThere).toMatchObject({ name: 'br1', kind: 'bridge' })
    expect(asked).toBeGreaterThan(1)
    expect(asked).toBeLessThan(20)
  })

  test('rejects with the error of the function, the reason of the signal, or that the set is closed', async () => {
    const set = anyonesSet(['net'])
    const failed = await failureOf(() => set.network.until(({ links }) => links.get('nowhere')))
    expectFailure(failed, ['ActionError', 'ENODEV'])
    const reason = await failureOf(() => set.network.until(() => false, { signal: AbortSignal.timeout(20) }))
    expect(reason.name).toBe('TimeoutError')
    const closed = failureOf(() => set.network.until(() => false))
    await new Promise(setImmediate)
    set.close()
    expectFailure(await closed, ['TypeError', 'ERR_NSSET_CLOSED', 'closed'])
  })
})

describe('bad input', () => {
  using set = anyonesSet(['net'])
  const { network } = set
  const cases: Case[] = [
    ['no parts', () => network.watch([]), value('parts')],
    ['an unknown part', () => network.watch(untyped<'links'>('link')), value('parts', "'links'")],
    ['an unknown part among others', () => network.watch(['links', untyped<'links'>('peers')]), value('parts[1]')],
    ['parts of another type', () => network.watch(untyped<'links'>(7)), type('parts')],
    ['an unknown option', () => network.watch('links', untyped({ exsting: true })), value("did you mean 'existing'")],
    ['an option of another type', () => network.watch('links', { existing: untyped(1) }), type('options.existing')],
    ['a predicate that is no function', () => network.until(untyped('up')), type('predicate')],
    ['a signal that is none', () => network.until(() => true, { signal: untyped({}) }), type('options.signal')],
  ]
  refuses(cases)
  test('a closed set', async () => {
    const closed = anyonesSet(['net'])
    const { network } = closed
    closed.close()
    expectFailure(await failureOf(() => network.watch('links')), ['TypeError', 'ERR_NSSET_CLOSED'])
  })
})
