/** Sockets inside leak nothing outside, and leave nothing open: no packet, no descriptor, no thread. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type Capture, capture } from '../setup/oracles/packets/capture.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { certificateFor } from '../setup/sockets/certificates.ts'

/** Ports that no other program uses on this machine. */
const [PLAIN, SECURE, DEAD, MARK] = [9147, 9148, 9149, 9150]
const FILTER = `net 10.9.0.0/24 or net 10.66.0.0/16 or net fd09::/64 or portrange ${PLAIN}-${MARK}`

const twoAddresses = ((_: string, __: object, callback: (...args: unknown[]) => void) =>
  callback(null, [
    { address: 'fd66::1', family: 6 },
    { address: '10.9.0.2', family: 4 },
  ])) as net.LookupFunction

const CERTIFICATE = certificateFor('one.test')

/** What sockets could leave open; mounts belong to other tests. */
const held = () => ({ ...resources(), mounts: Number.POSITIVE_INFINITY })

/** Waits until a socket is closed, with or without an error. */
async function closed(socket: net.Socket): Promise<void> {
  socket.on('error', () => undefined).resume()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

/** Every way to connect, and to fail. */
async function traffic({ here, there }: JoinedSets): Promise<void> {
  const answer: http.RequestListener = (_, response) => response.end('hello')
  const options = { host: '::', port: PLAIN }
  const server = await there.network.listen(http.createServer({ keepAliveTimeout: 1 }, answer), options)
  const secure = await there.network.listen(https.createServer(CERTIFICATE, answer), { ...options, port: SECURE })
  const local = await here.network.listen(
    net.createServer((peer) => peer.end('hello')),
    options,
  )
  const places: net.TcpNetConnectOpts[] = [
    ...['127.0.0.1', '::1', '10.9.0.1', 'fd09::1'].map((host) => ({ host, port: PLAIN })),
    ...['127.0.0.1', '::1', '10.9.0.2', 'fd09::2', 'fe80::2%inner0', '10.66.0.1'].map((host) => ({ host, port: DEAD })),
    { host: '10.9.0.2', port: DEAD, localAddress: '10.9.0.1', localPort: DEAD },
    { host: 'two.test', port: DEAD, lookup: twoAddresses, autoSelectFamily: true },
  ]
  for (const place of places) {
    const socket = here.network.connect(place)
    await closed(socket)
    // Again, with the same socket.
    await closed(socket.connect(place))
  }
  for (const host of ['10.9.0.2', 'fd09::2']) {
    const [plainly] = await once(http.get({ host, port: PLAIN, agent: here.network.httpAgent() }), 'response')
    expect(await text(plainly)).toBe('hello')
    const agent = here.network.httpsAgent({ rejectUnauthorized: false })
    const [securely] = await once(https.get({ host, port: SECURE, agent }), 'response')
    expect(await text(securely)).toBe('hello')
  }
  for (const each of [server, secure, local]) {
    if ('closeAllConnections' in each) each.closeAllConnections()
    each.close()
    await once(each, 'close')
  }
}

for (const owner of OWNERS) {
  describe(`packets (${owner})`, () => {
    let sets: JoinedSets
    beforeAll(async () => {
      // tcpdump sets its groups, which requires more than the caller's id.
      sets = await joinedSets(owner, isRoot ? 'root' : 'auto')
    })
    afterAll(() => sets[Symbol.dispose]())

    test('all pass inside, over the veth, too', async () => {
      const inside = await capture(sets.here, FILTER)
      await traffic(sets)
      const mark = sets.here.network.createSocket('udp4')
      mark.send('mark', MARK, '127.0.0.1')
      const seen = await inside.until(`127.0.0.1.${MARK}: UDP`)
      mark.close()
      await inside.end()
      for (const to of [
        ...[`127.0.0.1.${PLAIN}`, `::1.${PLAIN}`, `10.9.0.1.${PLAIN}`, `fd09::1.${PLAIN}`],
        ...[`127.0.0.1.${DEAD}`, `::1.${DEAD}`, `10.9.0.2.${DEAD}`, `fd09::2.${DEAD}`],
        ...[`10.9.0.2.${PLAIN}`, `fd09::2.${PLAIN}`, `10.9.0.2.${SECURE}`, `fd09::2.${SECURE}`],
      ]) {
        const connecting = seen.filter((line) => line.includes(`> ${to}: Flags [S]`))
        expect(connecting.length, `to ${to}`).toBeGreaterThan(0)
      }
      expect(seen.filter((line) => line.includes('inner0') && line.includes(`> 10.9.0.2.${PLAIN}`))).not.toEqual([])
    })
    asRoot('none pass outside', 'to capture on the links of the host', async () => {
      const outside: Capture = await capture(undefined, FILTER)
      await traffic(sets)
      // The mark is sent outside and captured: the capture works, and has reached this point.
      const mark = dgram.createSocket('udp4')
      mark.send('mark', MARK, '127.0.0.1')
      const seen = await outside.until(`127.0.0.1.${MARK}: UDP`)
      mark.close()
      await outside.end()
      expect(seen.filter((line) => !line.includes(`127.0.0.1.${MARK}: UDP`) && !line.includes('icmp'))).toEqual([])
      expect(seen.filter((line) => line.includes('icmp') && !line.includes(`udp port ${MARK}`))).toEqual([])
    })
  })

  describe(`nothing is left open (${owner}) after`, () => {
    let sets: JoinedSets
    beforeAll(async () => {
      sets = await joinedSets(owner)
      // What is created once: the helper's descriptor, Node's pool.
      await traffic(sets)
    })
    afterAll(() => sets[Symbol.dispose]())

    const oneDead = ((_: string, __: object, callback: (...args: unknown[]) => void) =>
      callback(null, [
        { address: 'fd09::2', family: 6 },
        { address: '10.9.0.2', family: 4 },
      ])) as net.LookupFunction
    const never = (() => undefined) as net.LookupFunction
    const late = ((_: string, { all }: { all?: boolean }, callback: (...args: unknown[]) => void) =>
      setTimeout(
        () => (all ? callback(null, [{ address: '10.9.0.2', family: 4 }]) : callback(null, '10.9.0.2', 4)),
        5,
      )) as never

    const stages: [stage: string, options: net.TcpNetConnectOpts, until: (socket: net.Socket) => unknown][] = [
      ['before they connect', { host: '10.9.0.2', port: PLAIN }, () => undefined],
      ['in the next iteration of the event loop', { host: '10.9.0.2', port: PLAIN }, () => new Promise(setImmediate)],
      [
        'during a lookup that never ends',
        { host: 'x.test', port: PLAIN, lookup: never },
        () => new Promise(setImmediate),
      ],
      [
        'during a lookup that ends later',
        { host: 'x.test', port: PLAIN, lookup: late },
        () => new Promise(setImmediate),
      ],
      ['while they connect', { host: '10.9.0.77', port: PLAIN }, (socket) => once(socket, 'connectionAttempt')],
      [
        'between two families',
        // On a busy machine the first attempt could be over before it has failed, and then it never fails.
        {
          host: 'x.test',
          port: PLAIN,
          lookup: oneDead,
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: 20_000,
        },
        (socket) => once(socket, 'connectionAttemptFailed'),
      ],
      ['when they are connected', { host: '10.9.0.2', port: PLAIN }, (socket) => once(socket, 'connect')],
      ['during a transfer', { host: '10.9.0.2', port: PLAIN }, (socket) => once(socket.setEncoding('utf8'), 'data')],
    ]
    for (const [stage, options, until] of stages) {
      test(`200 connections destroyed ${stage}`, async () => {
        const server = await sets.there.network.listen(
          net.createServer((peer) => peer.on('error', () => undefined).write('hello')),
          { host: '10.9.0.2', port: PLAIN },
        )
        const peers = new Set<net.Socket>()
        server.on('connection', (peer) => peers.add(peer))
        const before = held()
        const sockets = Array.from({ length: 200 }, () => sets.here.network.connect(options))
        await Promise.all(
          sockets.map(async (socket) => {
            socket.on('error', () => undefined)
            await until(socket)
            const ended = closed(socket)
            socket.destroy()
            await ended
          }),
        )
        for (const peer of peers) peer.destroy()
        await new Promise((resolve) => setTimeout(resolve, 10))
        for (const peer of peers) peer.destroy()
        expect(await growthSince(before)).toEqual({})
        server.close()
        await once(server, 'close')
      })
    }

    test('200 connections without a response, or that cannot succeed', async () => {
      const before = held()
      const places = [
        { host: '10.9.0.2', port: DEAD },
        { host: '10.66.0.1', port: DEAD },
        { host: '10.9.0.2', port: DEAD, localAddress: '192.0.2.2' },
        { host: 'fe80::2%nothere', port: DEAD },
        { path: '\0nobody' },
      ]
      const sockets = Array.from({ length: 200 }, (_, index) =>
        sets.here.network.connect(places[index % places.length] as net.NetConnectOpts),
      )
      const errors = await Promise.all(sockets.map(async (socket) => (await once(socket, 'error'))[0].code))
      expect(new Set(errors)).toEqual(new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'ENODEV']))
      expect(await growthSince(before)).toEqual({})
    })
    test('servers that start, end, and fail', async () => {
      const { network } = sets.here
      const before = held()
      for (let count = 0; count < 50; count += 1) {
        const server = await network.listen(net.createServer(), { port: PLAIN, host: '10.9.0.1' })
        for (const place of [{ port: PLAIN }, { port: PLAIN, host: '192.0.2.2' }, { host: 'fe80::1%nothere' }]) {
          await failureOf(() => network.listen(net.createServer(), place))
        }
        await failureOf(() => network.listen(server, { port: DEAD }))
        server.close()
        await once(server, 'close')
      }
      expect(await growthSince(before)).toEqual({})
    })
  })

  describe(`closing a set (${owner})`, () => {
    test('leaves connections and servers to their owners', async () => {
      const before = held()
      const { here, there } = await joinedSets(owner)
      const server = await there.network.listen(
        net.createServer((peer) => peer.pipe(peer)),
        { host: '10.9.0.2', port: PLAIN },
      )
      const socket = here.network.connect({ host: '10.9.0.2', port: PLAIN })
      await once(socket, 'connect')
      here.close()
      there.close()
      socket.write('still there')
      expect(String(await once(socket, 'data'))).toBe('still there')
      socket.end()
      await closed(socket)
      server.close()
      await once(server, 'close')
      expect(await growthSince(before)).toEqual({})
    })
    test('ends the lookups of a server and of a connection', async () => {
      const before = held()
      const { here, there } = await joinedSets(owner)
      const { network } = here
      network.setServers(['10.9.0.77'])
      const server = net.createServer()
      const listening = failureOf(() => network.listen(server, { host: 'name.test', port: PLAIN }))
      const socket = network.connect({ host: 'name.test', port: PLAIN })
      const failing = once(socket, 'error')
      await new Promise((resolve) => setTimeout(resolve, 50))
      here.close()
      there.close()
      const began = performance.now()
      expect(await listening).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
      expect(await failing).toMatchObject([{ code: 'ERR_NSSET_CLOSED' }])
      expect(performance.now() - began).toBeLessThan(1000)
      expect(server.listening).toBe(false)
      await closed(socket)
      expect(await growthSince(before)).toEqual({})
    })
    test('at every step of listen and connect settles both', async () => {
      const before = held()
      for (let steps = 0; steps < 8; steps += 1) {
        const { here, there } = await joinedSets(owner)
        const server = net.createServer()
        const listening = here.network.listen(server, { port: PLAIN }).then(
          () => 'listening',
          (error) => error.code,
        )
        const socket = here.network.connect({ host: '10.9.0.2', port: DEAD })
        const failing = once(socket, 'error')
        for (let step = 0; step < steps; step += 1) await null
        here.close()
        there.close()
        expect(['listening', 'ERR_NSSET_CLOSED']).toContain(await listening)
        const [{ code }] = await failing
        expect(['ERR_NSSET_CLOSED', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']).toContain(code)
        if (server.listening) server.close()
      }
      expect(await growthSince(before)).toEqual({})
    })
  })
}
