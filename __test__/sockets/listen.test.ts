/** `network.listen` is `server.listen` inside: the same addresses, the same errors; nothing is bound outside. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import type { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { outputOf } from '../setup/oracles/iproute.ts'
import { startSocat } from '../setup/oracles/peers.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { expectFailure, failureOf, untyped } from '../setup/sets/failure.ts'
import { joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { socketTwins } from '../setup/sockets/twins.ts'

/** What sockets could leave open; mounts belong to other tests. */
const held = () => ({ ...resources(), mounts: Number.POSITIVE_INFINITY })

describe('a server has the same address as Node’s own', () => {
  for (const options of [
    { port: 8001 },
    { port: '8001' },
    { port: 8001, host: '127.0.0.1' },
    { port: 8001, host: '0.0.0.0' },
    { port: 8001, host: '::' },
    { port: 8001, host: '::', ipv6Only: true },
    { port: 8001, host: '::1' },
    { port: 8001, host: '10.9.0.1', backlog: 1 },
    { port: 8001, host: 'fd09::1', exclusive: true },
    { port: 8001, host: 'localhost' },
    { port: 8001, host: '' },
    { port: 8001, path: '/nonexistent/beside/a/port' },
    { port: 8001, path: '\0beside-a-port' },
    { path: '\0nsset-listen' },
    { path: '\0' },
  ]) {
    socketTwins(
      JSON.stringify(options),
      async ({ net, listen, end, placeOf }, options) => {
        const server = net.createServer()
        const events: string[] = []
        for (const event of ['listening', 'close', 'error']) server.on(event, () => events.push(event))
        const isItself = (await listen(server, options as object)) === server
        return [isItself, placeOf(server), await end(server), placeOf(server).slice(0, 1), events]
      },
      options,
    )
  }
  socketTwins('with a port chosen by the kernel', async ({ net, connect, listen, end, once, watch }) => {
    const seen: unknown[] = []
    for (const host of [undefined, '127.0.0.1', '::1']) {
      const server = net.createServer((peer) => peer.end('hello'))
      await listen(server, { port: 0, host })
      const { port, ...rest } = server.address() as net.AddressInfo
      const socket = connect({ port, host: host ?? '127.0.0.1' })
      await once(socket, 'connect')
      seen.push(rest, port > 1023, (await watch(socket)).length > 0, await end(server))
    }
    return seen
  })
  socketTwins('again, on another port, after close()', async ({ net, listen, end, placeOf }) => {
    const server = net.createServer()
    const places = []
    for (const port of [8002, 8003]) {
      places.push(placeOf(await listen(server, port)))
      await end(server)
    }
    return places
  })
  socketTwins(
    'on the port of one that has just closed with connections',
    async ({ connect, echo, end, once, watch }) => {
      const seen: unknown[] = []
      for (let count = 0; count < 3; count += 1) {
        const server = await echo({ port: 8004, host: '127.0.0.1' })
        const socket = connect({ port: 8004, host: '127.0.0.1' })
        await once(socket, 'connect')
        socket.end('hello')
        seen.push(await watch(socket), await end(server))
      }
      return seen
    },
  )
})

describe('a server respects its options', () => {
  socketTwins('ipv6Only: IPv4 is refused, and its port stays free', async ({ connect, echo, end, watch, placeOf }) => {
    const six = await echo({ port: 8010, host: '::', ipv6Only: true })
    const refused = await watch(connect({ port: 8010, host: '127.0.0.1' }))
    const four = await echo({ port: 8010, host: '0.0.0.0' })
    return [refused, placeOf(six), placeOf(four), await end(six), await end(four)]
  })
  socketTwins('its own allowHalfOpen and pauseOnConnect', async ({ net, connect, listen, end, watch }) => {
    const seen: unknown[] = []
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true })
    server.on('connection', (peer) => {
      seen.push(peer.isPaused(), peer.allowHalfOpen)
      peer.resume().on('end', () => peer.end('late'))
    })
    await listen(server, { port: 8011, host: '127.0.0.1' })
    const socket = connect({ port: 8011, host: '127.0.0.1' })
    socket.end('early')
    return [await watch(socket), seen, await end(server)]
  })
  socketTwins(
    'maxConnections: an additional connection is dropped',
    async ({ net, connect, listen, end, once, watch }) => {
      const server = net.createServer((peer) => peer.resume())
      server.maxConnections = 1
      const dropped: unknown[] = []
      server.on('drop', (data) => dropped.push(Object.keys(data ?? {}).sort()))
      await listen(server, { port: 8012, host: '127.0.0.1' })
      const first = connect({ port: 8012, host: '127.0.0.1' })
      await once(first, 'connect')
      const second = await watch(connect({ port: 8012, host: '127.0.0.1' }))
      const count = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
      first.destroy()
      return [second.length > 0, dropped, count, await end(server)]
    },
  )
  socketTwins('an abort signal closes it', async ({ net, listen, once, connect, watch }) => {
    const control = new AbortController()
    const server = net.createServer()
    await listen(server, { port: 8013, host: '127.0.0.1', signal: control.signal })
    const closed = once(server, 'close')
    control.abort()
    return [await closed, server.listening, await watch(connect({ port: 8013, host: '127.0.0.1' }))]
  })
  socketTwins(
    'close() refuses new connections, and waits for existing ones',
    async ({ connect, echo, once, pass, watch }) => {
      const server = await echo({ port: 8014, host: '127.0.0.1' })
      const socket = connect({ port: 8014, host: '127.0.0.1' })
      await once(socket, 'connect')
      await pass(20)
      const order: string[] = []
      server.close((error) => order.push(`closed ${error}`))
      const late = await watch(connect({ port: 8014, host: '127.0.0.1' }))
      order.push('still there')
      socket.end('hello')
      const seen = await watch(socket)
      const again = await new Promise((resolve) => server.close((error) => resolve((error as { code?: string }).code)))
      return [late, seen, order, again]
    },
  )
})

describe('the error equals Node’s own', () => {
  socketTwins('for a port in use', async ({ net, listen, echo, end, failure, placeOf }) => {
    const server = await echo({ port: 8020, host: '127.0.0.1' })
    const other = net.createServer()
    const seen = [
      await failure(() => listen(other, { port: 8020, host: '127.0.0.1' })),
      await failure(() => listen(other, { port: 8020, host: '0.0.0.0' })),
      await failure(() => listen(other, 8020)),
      placeOf(other),
    ]
    await end(server)
    // It stays usable.
    await listen(other, { port: 8020, host: '127.0.0.1' })
    return [seen, placeOf(other), await end(other)]
  })
  socketTwins('for an abstract name in use', async ({ net, listen, echo, end, failure }) => {
    const server = await echo({ path: '\0nsset-taken' })
    return [await failure(() => listen(net.createServer(), { path: '\0nsset-taken' })), await end(server)]
  })
  socketTwins('for an address that is not inside', async ({ net, listen, failure }) => {
    const seen: unknown[] = []
    for (const host of ['192.0.2.2', '10.9.0.2', 'fd00::2', 'fe80::77%inner0']) {
      seen.push(await failure(() => listen(net.createServer(), { port: 8021, host })))
    }
    return seen
  })
  socketTwins('for a server that is listening', async ({ net, listen, end, failure, placeOf }) => {
    const server = net.createServer()
    await listen(server, { port: 8022, host: '127.0.0.1' })
    const { code, name, message } = (await failure(() => listen(server, 8023))) as Record<string, string>
    return [code, name, message, placeOf(server), await end(server)]
  })
  socketTwins('for a missing directory', async ({ net, listen, failure }) =>
    failure(() => listen(net.createServer(), { path: '/nonexistent/nsset.sock' })),
  )
  socketTwins('for an invalid port', async ({ net, listen, failure }) => {
    const seen: unknown[] = []
    for (const port of [-1, 65_536, 1.5, 'http', '']) {
      seen.push(await failure(() => listen(net.createServer(), { port } as object)))
    }
    return seen
  })
  test('for an invalid server, invalid options, a closed set, an aborted signal', async () => {
    const set = anyonesSet(['net'], { loopback: true })
    const { network } = set
    const server = net.createServer()
    for (const wrong of [undefined, {}, new net.Socket()]) {
      expectFailure(await failureOf(() => network.listen(untyped<net.Server>(wrong))), [
        'TypeError',
        'ERR_INVALID_ARG_TYPE',
        'server',
      ])
    }
    for (const wrong of [null, '80', []]) {
      const failure = await failureOf(() => network.listen(server, untyped(wrong)))
      expectFailure(failure, ['TypeError', 'ERR_INVALID_ARG_TYPE', 'options'])
    }
    const signal = AbortSignal.abort()
    expect(await failureOf(() => network.listen(server, { port: 80, signal }))).toBe(signal.reason)
    set.close()
    for (const options of [80, { path: '\0name' }]) {
      expectFailure(await failureOf(() => network.listen(server, options)), ['TypeError', 'ERR_NSSET_CLOSED', 'closed'])
    }
    expect(server.listening).toBe(false)
  })
})

describe('two simultaneous calls', () => {
  test('for one port: one listens, the other gets an error with the reason', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const before = held()
    const servers = [net.createServer(), net.createServer()]
    for (const place of [{ port: 8025, host: '127.0.0.1' }, { path: '\0nsset-race' }]) {
      const calls = servers.map((server) => set.network.listen(server, place))
      const [first, second] = await Promise.allSettled(calls)
      expect(first).toMatchObject({ status: 'fulfilled', value: servers[0] })
      const where = 'path' in place ? place.path : `${place.host}:${place.port}`
      expect(second).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'EADDRINUSE',
          syscall: 'listen',
          message: `listen EADDRINUSE: address already in use ${where}`,
        },
      })
      expect([servers[0]?.listening, servers[1]?.listening]).toEqual([true, false])
      servers[0]?.close()
      await once(servers[0] as net.Server, 'close')
    }
    expect(await growthSince(before)).toEqual({})
  })
  test('for one server: the later one reports that it is listening', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const before = held()
    const server = net.createServer()
    const outcomes = await Promise.allSettled([8026, 8027].map((port) => set.network.listen(server, port)))
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'ERR_SERVER_ALREADY_LISTEN' } }])
    expect(server.address()).toMatchObject({ port: 8026 })
    server.close()
    await once(server, 'close')
    expect(server.eventNames()).toEqual([])
    expect(await growthSince(before)).toEqual({})
  })
  test('listen and close, and an abort, at every step: the promise settles', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const before = held()
    for (let steps = 0; steps < 12; steps += 1) {
      for (const way of ['close', 'abort'] as const) {
        const server = net.createServer()
        const control = new AbortController()
        const settled = set.network.listen(server, { port: 8028, signal: control.signal }).then(
          () => 'listening',
          (error) => error.code ?? error.name,
        )
        for (let step = 0; step < steps; step += 1) await null
        if (way === 'abort') control.abort()
        else server.close()
        const outcome = await settled
        expect(['listening', way === 'close' ? 'ERR_SERVER_NOT_RUNNING' : control.signal.reason.code]).toContain(
          outcome,
        )
        if (!server.listening) continue
        server.close()
        await once(server, 'close')
      }
    }
    expect(await growthSince(before)).toEqual({})
  })
})

for (const owner of OWNERS) {
  describe(`ports inside are independent of those outside (${owner})`, () => {
    let sets: Awaited<ReturnType<typeof joinedSets>>
    let here: NamespaceSet
    beforeAll(async () => {
      sets = await joinedSets(owner)
      here = sets.here
    })
    afterAll(() => sets[Symbol.dispose]())

    test('a port in use outside is free inside', async () => {
      const outside = net.createServer().listen(0)
      await once(outside, 'listening')
      const { port } = outside.address() as net.AddressInfo
      const inside = await here.network.listen(net.createServer(), port)
      expect(inside.address()).toMatchObject({ port })
      inside.close()
      outside.close()
    })
    test('a port in use inside is free outside, and not connected to the inside', async () => {
      const inside = await here.network.listen(net.createServer(), 0)
      const { port } = inside.address() as net.AddressInfo
      const [error] = await once(net.connect({ port, host: '127.0.0.1' }), 'error')
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      const outside = net.createServer().listen(port)
      await once(outside, 'listening')
      outside.close()
      expect(await failureOf(() => here.network.listen(net.createServer(), port))).toMatchObject({ code: 'EADDRINUSE' })
      inside.close()
    })
    test('a privileged port is available to the owner of the network', async () => {
      const server = await here.network.listen(net.createServer(), { port: 80, host: '10.9.0.1' })
      expect(await outputOf(here, 'ss', '-Hltn sport = :80')).toContain('10.9.0.1:80')
      server.close()
      await once(server, 'close')
    })
    test('ss(8) shows the backlog, both families, and the link of a bound socket', async () => {
      const listed = async (port: number) =>
        (await outputOf(here, 'ss', `-Hltne sport = :${port}`)).replace(/\s+/g, ' ')
      const server = await here.network.listen(net.createServer(), { port: 8030, backlog: 7 })
      expect(await listed(8030)).toMatch(/^LISTEN 0 7 \*:8030 .* v6only:0/)
      const scoped = await here.network.listen(net.createServer(), { port: 8031, host: 'fe80::1%inner0' })
      expect(await listed(8031)).toContain('[fe80::1]%inner0:8031')
      for (const each of [server, scoped]) each.close()
      await once(scoped, 'close')
      expect([await listed(8030), await listed(8031)]).toEqual(['', ''])
    })
    test('socat on the other host reaches each server', async () => {
      for (const [host, target] of [
        ['10.9.0.1', 'TCP4:10.9.0.1:8032'],
        ['fd09::1', 'TCP6:[fd09::1]:8032'],
        ['fe80::1%inner0', 'TCP6:[fe80::1%outer0]:8032'],
        [undefined, 'TCP4:10.9.0.1:8032'],
        [undefined, 'TCP6:[fe80::1%outer0]:8032'],
      ] as const) {
        const server = await here.network.listen(
          net.createServer((peer) => peer.end(`hello at ${host}`)),
          { port: 8032, host },
        )
        const socat = startSocat(sets.there, ['-u', target, 'STDOUT'])
        expect(await text(socat.stdout as NodeJS.ReadableStream), target).toBe(`hello at ${host}`)
        server.close()
        await once(server, 'close')
      }
    })
    test('reusePort shares a port between servers, if all of them set it', async () => {
      const taken = new Set<number>()
      const make = (index: number) =>
        here.network.listen(
          net.createServer((peer) => {
            taken.add(index)
            peer.end()
          }),
          { port: 8033, host: '127.0.0.1', reusePort: true },
        )
      const servers = [await make(0), await make(1), await make(2)]
      const refused = await failureOf(() => here.network.listen(net.createServer(), { port: 8033, host: '127.0.0.1' }))
      expect(refused).toMatchObject({ code: 'EADDRINUSE', port: 8033, address: '127.0.0.1', syscall: 'listen' })
      for (let count = 0; count < 60; count += 1) {
        const socket = here.network.connect({ port: 8033, host: '127.0.0.1' })
        await once(socket.resume(), 'close')
      }
      expect([...taken].sort()).toEqual([0, 1, 2])
      for (const server of servers) server.close()
    })
    test('a path is in the file system, inside and outside', async () => {
      using directory = temporaryDirectory()
      const path = directory.file('server.sock')
      const server = await here.network.listen(
        net.createServer((peer) => peer.end('hello')),
        { path },
      )
      expect(server.address()).toBe(path)
      expect(await text(net.connect({ path }))).toBe('hello')
      expect(await text(here.network.connect({ path }))).toBe('hello')
      expect(await text(sets.there.network.connect({ path }))).toBe('hello')
      server.close()
    })
  })
}

const PACKAGE = new URL('../../dist/index.js', import.meta.url).href

/** A primary that starts two workers, each with its own set, and prints their messages. */
const CLUSTER = `
  import cluster from 'node:cluster'
  import net from 'node:net'
  import { once } from 'node:events'
  import { text } from 'node:stream/consumers'
  if (cluster.isPrimary) {
    const messages = []
    const ends = []
    for (const name of ['one', 'two']) {
      const worker = cluster.fork({ NAME: name })
      worker.on('message', (message) => messages.push(message))
      ends.push(once(worker, 'exit'))
    }
    const codes = await Promise.all(ends)
    console.log(JSON.stringify({ messages: messages.sort(), codes: codes.map(([code]) => code) }))
  } else {
    const { NamespaceSet } = await import(${JSON.stringify(PACKAGE)})
    const set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root', loopback: true })
    const server = net.createServer((peer) => peer.end('from ' + process.env.NAME))
    await set.network.listen(server, { port: 8040, host: '127.0.0.1' })
    const abstract = await set.network.listen(net.createServer(), { path: '\\0nsset-cluster', signal: new AbortController().signal })
    abstract.close()
    const answer = await text(set.network.connect({ port: 8040, host: '127.0.0.1' }))
    const [refused] = await once(net.connect(8040, '127.0.0.1'), 'error')
    server.close()
    await once(server, 'close')
    set.close()
    process.send([answer, server.listening, refused.code].join(' '), () => process.disconnect())
  }`

test('workers of node:cluster listen in their own networks, and not in the primary’s', async () => {
  using directory = temporaryDirectory()
  const file = directory.file('cluster.mjs')
  writeFileSync(file, CLUSTER)
  const program = `
    const { execFileSync } = await import('node:child_process')
    process.stdout.write(execFileSync(process.execPath, [${JSON.stringify(file)}], { timeout: 20_000 }))`
  expect(await askPlainNode(program)).toEqual({
    messages: ['from one false ECONNREFUSED', 'from two false ECONNREFUSED'],
    codes: [0, 0],
  })
})
