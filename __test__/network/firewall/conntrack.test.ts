/** `network.conntrack`: conntrack(8) lists the same connections, of real traffic through a router. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import {
  action,
  type ConnectionEnd,
  type ConnectionFilter,
  type FirewallTableSpec,
  type NamespaceSet,
  type TrackedConnection,
  type WatchEvent,
} from 'nsset'
import { describe, expect, test } from 'vitest'
import { conntrack, listedByConntrack } from '../../setup/oracles/firewall/conntrack.ts'
import { type NatLab, natLab } from '../../setup/oracles/firewall/nat-lab.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, type, untyped, value } from '../../setup/sets/failure.ts'

const NAT: FirewallTableSpec = {
  chains: {
    in: { type: 'nat', hook: 'prerouting', rules: [[{ 'tcp dport': 80 }, { dnat: { to: '10.0.2.2', port: 8080 } }]] },
    out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth2' }, 'masquerade']] },
    mark: { hook: 'forward', rules: [[{ 'tcp dport': 8080 }, { set: { 'ct mark': 7 } }]] },
  },
}

interface Traffic extends AsyncDisposable {
  client: Socket
  port: number
}

/** A connection of the client to port 80 of the router, which is port 8080 of the server. It stays open. */
async function connected({ client, server }: NatLab): Promise<Traffic> {
  const accepted: Socket[] = []
  const listener = createServer((socket) => {
    accepted.push(socket)
    socket.on('error', () => undefined).write('welcome')
  })
  await server.network.listen(listener, { port: 8080, host: '10.0.2.2' })
  const socket = client.network.connect({ host: '10.0.1.1', port: 80 }).on('error', () => undefined)
  await once(socket, 'data')
  const close = async () => {
    for (const end of [socket, ...accepted]) end.destroy()
    listener.close()
    await once(listener, 'close')
  }
  return { client: socket, port: socket.localPort ?? 0, [Symbol.asyncDispose]: close }
}

const text = ({ address, port }: ConnectionEnd) => `${address}:${port}`

/** The ends of a connection, as a line. */
const line = ({ protocol, original, reply }: TrackedConnection) =>
  [protocol, original.source, original.destination, reply.source, reply.destination]
    .map((part) => (typeof part === 'object' ? text(part) : part))
    .join(' ')

/** Sends a datagram of the client to the server. */
async function sendTo({ client }: NatLab, port: number): Promise<void> {
  const socket = client.network.createSocket('udp4')
  await new Promise((sent) => socket.send('hello', port, '10.0.2.2', sent))
  socket.close()
  await once(socket, 'close')
}

/** A router with NAT, traffic through it, and counters. */
async function translated(): Promise<NatLab> {
  const lab = await natLab()
  await lab.router.network.sysctls.set('net.netfilter.nf_conntrack_acct', true)
  await lab.router.network.firewall.replace('nat', NAT)
  return lab
}

describe('network.conntrack.list', () => {
  test('lists connections with their translation, state, mark and counters, as conntrack does', async () => {
    using lab = await translated()
    await using traffic = await connected(lab)
    const connections = await lab.router.network.conntrack.list({ protocol: 'tcp' })
    expect(connections.map(line)).toEqual([
      `tcp 10.0.1.2:${traffic.port} 10.0.1.1:80 10.0.2.2:8080 10.0.2.1:${connections[0]?.reply.destination.port}`,
    ])
    expect(connections[0]).toMatchObject({ family: 'IPv4', state: 'established', mark: 7, id: expect.any(Number) })
    expect(connections[0]?.status.toSorted()).toEqual(['assured', 'confirmed', 'dnat', 'seen-reply', 'snat'])
    expect(connections[0]?.original.packets).toBeGreaterThan(0)
    expect(connections[0]?.timeout).toBeGreaterThan(0)
    const listed = await listedByConntrack(lab.router)
    const [theirs] = listed.filter(({ protocol }) => protocol === 'tcp')
    expect(theirs).toEqual({
      ...{ protocol: 'tcp', state: 'ESTABLISHED', mark: 7, assured: true, id: connections[0]?.id },
      original: `10.0.1.2:${traffic.port} 10.0.1.1:80 ${connections[0]?.original.packets}`,
      reply: `10.0.2.2:8080 ${text(connections[0]?.reply.destination as ConnectionEnd)} ${connections[0]?.reply.packets}`,
    })
  })

  test('lists echo requests, zones and labels', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const rules = [[{ set: { 'ct zone': 5 } }]] as const
    await set.network.firewall.replace('t', {
      chains: {
        out: { hook: 'output', priority: 'raw', rules },
        track: { hook: 'input', rules: [[{ 'ct state': 'new' }, 'accept']] },
      },
    })
    await set.execFile('ping', ['-c1', '-W5', '127.0.0.1'])
    const [echo] = await set.network.conntrack.list({ protocol: 'icmp', zone: 5 })
    expect(echo).toMatchObject({
      zone: 5,
      original: { icmp: { type: 8, code: 0 } },
      reply: { icmp: { type: 0, code: 0 } },
    })
    expect(echo?.original.icmp?.id).toBe(echo?.reply.icmp?.id)
    expect(await set.network.conntrack.list({ zone: 6 })).toEqual([])
    expect(await conntrack(set, '-L', '--zone', '5')).toContain(`id=${echo?.original.icmp?.id}`)
  })

  test('lists connections of IPv6', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    await set.network.firewall.replace('t', {
      chains: { c: { hook: 'output', rules: [[{ 'ct state': 'new' }, 'accept']] } },
    })
    const socket = set.network.createSocket('udp6')
    await new Promise<void>((resolve) => socket.send('x', 9, '::1', () => resolve()))
    const [found] = await set.network.conntrack.list({ family: 'IPv6', protocol: 'udp' })
    expect(found).toMatchObject({ family: 'IPv6', original: { source: { address: '::1' }, destination: { port: 9 } } })
    expect(await set.network.conntrack.list({ family: 'IPv4' })).toEqual([])
    socket.close()
  })

  test('selects by every field', async () => {
    using lab = await translated()
    await using traffic = await connected(lab)
    const { conntrack } = lab.router.network
    const count = async (filter: ConnectionFilter) => (await conntrack.list({ protocol: 'tcp', ...filter })).length
    const matching: ConnectionFilter[] = [
      {},
      { protocol: ['udp', 'tcp'] },
      { protocol: 6 },
      { family: 'IPv4' },
      { state: ['time-wait', 'established'] },
      { status: ['snat', 'dnat'] },
      { mark: 7 },
      { mark: { value: 0xff, mask: 3 } },
      { zone: 0 },
      { sourceAddress: '10.0.1.0/24', sourcePort: traffic.port },
      { destinationAddress: '10.0.1.1', destinationPort: 80 },
      { replySourceAddress: '10.0.2.2', replySourcePort: 8080 },
      { replyDestinationAddress: '10.0.0.0/8' },
    ]
    for (const filter of matching) expect(await count(filter), JSON.stringify(filter)).toBe(1)
    const others: ConnectionFilter[] = [
      { protocol: 'sctp' },
      { family: 'IPv6' },
      { state: 'time-wait' },
      { status: 'offload' },
      { mark: 8 },
      { mark: { value: 8, mask: 8 } },
      { zone: 1 },
      { label: 3 },
      { sourceAddress: '10.0.2.0/24' },
      { sourcePort: 80 },
      { destinationAddress: '10.0.2.2' },
      { destinationPort: 8080 },
      { replySourceAddress: '10.0.1.1' },
      { replySourcePort: 80 },
      { replyDestinationAddress: '10.0.1.2' },
      { replyDestinationPort: 80 },
    ]
    for (const filter of others) expect(await count(filter), JSON.stringify(filter)).toBe(0)
  })

  test('works blocking, and as an action', async () => {
    using lab = await translated()
    await using _ = await connected(lab)
    const { network } = lab.router
    const withoutCounts = (list: TrackedConnection[]) => list.map(line)
    const list = withoutCounts(await network.conntrack.list({ mark: 7 }))
    expect(list).toHaveLength(1)
    expect(withoutCounts(network.sync.conntrack.list({ mark: 7 }))).toEqual(list)
    const [result] = await network.apply([action.conntrack.list({ mark: 7 })])
    expect(withoutCounts(result)).toEqual(list)
  })
})

describe('network.conntrack.delete and flush', () => {
  test('forget connections: those that match, one of the list, and all', async () => {
    using lab = await translated()
    const { conntrack } = lab.router.network
    const ports = async () =>
      (await conntrack.list({ protocol: 'udp' })).map(({ original }) => original.destination.port).toSorted()
    for (const port of [1001, 1002, 1003, 1004]) await sendTo(lab, port)
    expect(await ports()).toEqual([1001, 1002, 1003, 1004])
    const deleted = await conntrack.delete({ protocol: 'udp', destinationPort: 1001 })
    expect(deleted.map(({ original }) => original.destination.port)).toEqual([1001])
    expect(await conntrack.delete({ destinationPort: 1001 })).toEqual([])
    const [second] = (await conntrack.list({ destinationPort: 1002 })) as [TrackedConnection]
    expect(await conntrack.delete(second)).toEqual([second])
    expect(await failureOf(() => conntrack.delete(second))).toMatchObject({ code: 'ENOENT' })
    expect(await ports()).toEqual([1003, 1004])
    await conntrack.flush()
    expect(await conntrack.list({ protocol: 'udp' })).toEqual([])
    expect(await listedByConntrack(lab.router)).toEqual([])
  })

  test('delete a connection of the list only if it still has its id', async () => {
    using lab = await translated()
    await using _ = await connected(lab)
    const { conntrack } = lab.router.network
    const [found] = (await conntrack.list({ protocol: 'tcp' })) as [TrackedConnection]
    expect(await failureOf(() => conntrack.delete({ ...found, id: (found.id ^ 1) >>> 0 }))).toMatchObject({
      code: 'ENOENT',
    })
    expect(await conntrack.list({ protocol: 'tcp' })).toHaveLength(1)
    expect(lab.router.network.sync.conntrack.delete(found)).toEqual([found])
    expect(await conntrack.list({ protocol: 'tcp', mark: 7 })).toEqual([])
  })
})

test('network.conntrack.statistics counts connections, as conntrack -C does', async () => {
  using lab = await translated()
  await using _ = await connected(lab)
  const statistics = await lab.router.network.conntrack.statistics()
  const entries = Number(await conntrack(lab.router, '-C'))
  expect(statistics).toMatchObject({ entries, drop: 0, earlyDrop: 0, insertFailed: expect.any(Number) })
  expect(statistics.maxEntries).toBe(Number(await lab.router.network.sysctls.get('net.netfilter.nf_conntrack_max')))
})

describe("network.watch('conntrack')", () => {
  /** Acts when the first event has come: what exists has been read then, and every change has an event. */
  async function eventsUntil(
    set: NamespaceSet,
    act: () => unknown,
    isLast: (event: WatchEvent<'conntrack'>) => boolean,
  ) {
    using watcher = set.network.watch('conntrack', { existing: true, signal: AbortSignal.timeout(20_000) })
    const events: Extract<WatchEvent<'conntrack'>, { part: string }>[] = []
    let acting: unknown
    for await (const event of watcher) {
      acting ??= act() ?? true
      if (event.type !== 'resync' && event.value.protocol === 'tcp') events.push(event)
      if (isLast(event)) break
    }
    await acting
    return events
  }

  test('reports how connections begin, change and end', async () => {
    using lab = await translated()
    const { network } = lab.router
    await sendTo(lab, 1000)
    const act = async () => {
      const traffic = await connected(lab)
      await traffic[Symbol.asyncDispose]()
      await network.conntrack.delete({ protocol: 'tcp' })
    }
    const events = await eventsUntil(
      lab.router,
      act,
      (event) => event.type === 'remove' && event.value.protocol === 'tcp',
    )
    expect(events[0]).toMatchObject({
      type: 'add',
      part: 'conntrack',
      value: { original: { destination: { port: 80 } } },
    })
    const states = events.map(({ type, value }) => `${type} ${value.state}`)
    expect(states).toContain('add syn-sent')
    expect(states).toContain('change established')
    const [first, last] = [events[0]?.value, events.at(-1)?.value]
    expect(last?.id).toBe(first?.id)
    // The last event has the final counters, and what the kernel did not repeat.
    expect(last?.original.packets).toBeGreaterThan(2)
    expect(last).toMatchObject({ mark: 7, status: expect.arrayContaining(['snat', 'dnat']), state: expect.any(String) })
  })

  test('begins with the connections that exist', async () => {
    using lab = await translated()
    await using _ = await connected(lab)
    const events = await eventsUntil(
      lab.router,
      () => undefined,
      ({ type }) => type === 'existing',
    )
    expect(events.map(({ type, value }) => `${type} ${value.state}`)).toEqual(['existing established'])
    expect(line(events[0]?.value as TrackedConnection)).toBe(
      line((await lab.router.network.conntrack.list({ protocol: 'tcp' }))[0] as TrackedConnection),
    )
  })

  test('and links share a watcher', async () => {
    using lab = await translated()
    using watcher = lab.router.network.watch(['links', 'conntrack'], { signal: AbortSignal.timeout(20_000) })
    await lab.router.network.links.add({ kind: 'bridge', name: 'br0' })
    await using _ = await connected(lab)
    const wanted = new Set(['add links', 'add conntrack'])
    for await (const event of watcher) {
      if (event.type !== 'resync') wanted.delete(`${event.type} ${event.part}`)
      if (wanted.size === 0) break
    }
    expect(wanted.size).toBe(0)
  })
})

describe('bad input', () => {
  using set = anyonesSet(['net'])
  const { conntrack } = set.network
  const end = { address: '10.0.0.1', port: 1 }
  const entry = { family: 'IPv4', protocol: 'udp', original: { source: end, destination: end }, id: 1 } as const
  const portless = { source: { address: '10.0.0.1' }, destination: end }
  const remove = (changes: object) => () => conntrack.delete(untyped({ ...entry, ...changes }))
  const cases: Case[] = [
    ['an unknown field', () => conntrack.list(untyped({ sourceport: 1 })), value("did you mean 'sourcePort'")],
    ['an unknown protocol', () => conntrack.list({ protocol: untyped<'tcp'>('tpc') }), value('filter.protocol')],
    ['a protocol out of range', () => conntrack.list({ protocol: 256 }), range('filter.protocol')],
    ['an unknown state', () => conntrack.list({ state: [untyped<'close'>('CLOSE')] }), value('filter.state[0]')],
    ['an unknown status', () => conntrack.list({ status: untyped<'snat'>('nat') }), value('filter.status')],
    [
      'a mark without a mask',
      () => conntrack.list({ mark: untyped({ value: 1 }) }),
      value('filter.mark.mask', 'required'),
    ],
    [
      'a prefix that is too long',
      () => conntrack.list({ sourceAddress: '10.0.0.0/33' }),
      value('filter.sourceAddress'),
    ],
    ['a label out of range', () => conntrack.list({ label: 128 }), range('filter.label')],
    ['no filter for delete', () => conntrack.delete(untyped(undefined)), type('filter')],
    ['an empty list for delete', () => conntrack.delete({ status: [] }), value('filter.status', 'must not be empty')],
    ['an empty filter for delete', () => conntrack.delete({}), value('filter', 'flush()')],
    ['a connection without an id', remove({ id: undefined }), value('connection.id', 'required')],
    ['a connection with an unknown field', remove({ zones: 1 }), value("did you mean 'zone'")],
    ['a connection of another family', remove({ family: 'IPv6' }), value('original.source.address', 'IPv6')],
    [
      'a connection of UDP without a port',
      remove({ original: portless }),
      value('connection.original.source.port', 'identifies a connection of udp', 'filter'),
    ],
    ['a connection of ICMP without its message', remove({ protocol: 'icmp' }), value('connection.original.icmp')],
    [
      'a connection with half a direction',
      remove({ original: { source: end } }),
      value('original.destination', 'required'),
    ],
  ]
  refuses(cases)
  test('a closed set', async () => {
    const closed = anyonesSet(['net'])
    const { network } = closed
    closed.close()
    expect(await failureOf(() => network.conntrack.list())).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  })
})
