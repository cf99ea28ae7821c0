/** Every operation of nsset settles within its time limit, and obeys its signal, whatever the peer does. */
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'

/** Milliseconds. */
const LIMIT = 300
const SOON = 5_000

/** The behavior of a server with each connection. */
const PEERS: Record<string, (peer: net.Socket) => unknown> = {
  'stays silent': () => undefined,
  'ends immediately': (peer) => peer.end(),
  'resets immediately': (peer) => peer.resetAndDestroy(),
  'ends its half, and continues to read': (peer) => peer.end('HTTP/1.1 200 OK\r\n'),
  'switches protocols': (peer) =>
    peer.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  'sends endless early hints': (peer) => drip(peer, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
  'drips the headers': (peer) => drip(peer, 'X: 1\r\n', 'HTTP/1.1 200 OK\r\n'),
  'drips the body': (peer) => drip(peer, '1\r\nx\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
  'never ends the body': (peer) => peer.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
  'sends nonsense': (peer) => peer.write('\x16\x03\x01 nonsense \r\n\r\n'),
  'speaks another protocol': (peer) => peer.write('220 mail.test ESMTP\r\n'),
}

function drip(peer: net.Socket, text: string, first = ''): void {
  peer.write(first)
  const timer = setInterval(() => peer.write(text), 5)
  peer.once('close', () => clearInterval(timer))
}

/** The duration, in milliseconds. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await call().catch(() => undefined)
  return performance.now() - began
}

describe.each(OWNERS)('in a network of %s', (owner) => {
  let sets: JoinedSets
  beforeAll(async () => {
    sets = await joinedSets(owner)
  })
  afterAll(() => sets[Symbol.dispose]())

  describe.each(Object.keys(PEERS))('with a server that %s', (what) => {
    let server: net.Server
    let port: number
    const peers = new Set<net.Socket>()
    beforeAll(async () => {
      server = net.createServer({ allowHalfOpen: true }, (peer) => {
        peers.add(peer.on('error', () => undefined))
        PEERS[what]?.(peer)
      })
      await sets.there.network.listen(server, { port: 0, host: '10.9.0.2' })
      port = (server.address() as AddressInfo).port
    })
    afterAll(async () => {
      for (const peer of peers) peer.destroy()
      server.close()
      await once(server, 'close')
    })

    test('fetch obeys its signal', async () => {
      const { fetch } = sets.here.network
      for (const protocol of ['http', 'https']) {
        const request = async () => {
          const signal = AbortSignal.timeout(LIMIT)
          const response = await fetch(`${protocol}://10.9.0.2:${port}/`, { signal })
          await response.text()
        }
        expect(await timed(request), protocol).toBeLessThan(SOON)
      }
    })

    test('a connector keeps to its time limit', async () => {
      const connect = sets.here.network.connector({ timeout: LIMIT, rejectUnauthorized: false })
      for (const protocol of ['http:', 'https:']) {
        let calls = 0
        const request = () =>
          new Promise<void>((resolve) => {
            connect({ hostname: '10.9.0.2', protocol, port: String(port) }, (_error, socket) => {
              calls += 1
              socket?.destroy()
              resolve()
            })
          })
        expect(await timed(request), protocol).toBeLessThan(SOON)
        await new Promise((resolve) => setTimeout(resolve, 20))
        expect(calls).toBe(1)
      }
    })
  })

  test('listen waits for a name until its signal is aborted', async () => {
    const { network } = sets.here
    network.setServers(['10.9.0.77'])
    const server = net.createServer()
    const began = performance.now()
    const signal = AbortSignal.timeout(LIMIT)
    const failure = await failureOf(() => network.listen(server, { host: 'x.test', port: 0, signal }))
    expect(failure).toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(server.listening).toBe(false)
  })

  test('a connection to a silent link-local address ends when it is destroyed', async () => {
    const before = { ...resources(), mounts: Number.POSITIVE_INFINITY }
    const sockets = Array.from({ length: 20 }, () => sets.here.network.connect({ host: 'fe80::77%inner0', port: 9 }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const socket of sockets) {
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    }
    expect(await growthSince(before)).toEqual({})
  })
})

test('a link-local connection delays neither the end of the process nor that of a Worker', async () => {
  const [inWorker, sockets] = await askPlainNode<[number, number]>(`
    import { readdirSync, readlinkSync } from 'node:fs'
    import { Worker } from 'node:worker_threads'
    import { NamespaceSet } from 'nsset'
    const body = \`
      import { parentPort } from 'node:worker_threads'
      import { NamespaceSet } from 'nsset'
      const veth = { kind: 'veth', name: 'mute0', up: true, addresses: [{ cidr: 'fe80::1/64', noDuplicateDetection: true }], peer: { name: 'mute1', up: true } }
      const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
      await set.network.links.add(veth)
      for (let count = 0; count < 10; count += 1) set.network.connect({ host: 'fe80::77%mute0', port: 9 })
      setTimeout(() => parentPort.postMessage('connecting'), 100)\`
    const open = () => readdirSync('/proc/self/fd').filter((fd) => {
      try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:') } catch { return false }
    }).length
    const veth = { kind: 'veth', name: 'mute0', up: true, addresses: [{ cidr: 'fe80::1/64', noDuplicateDetection: true }], peer: { name: 'mute1', up: true } }
    const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    await set.network.links.add(veth)
    const before = open()
    const worker = new Worker(body, { eval: true })
    await new Promise((resolve) => worker.once('message', resolve))
    const amid = open() - before
    await worker.terminate()
    const end = Date.now() + 5_000
    while (open() > before && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    const socket = set.network.connect({ host: 'fe80::77%mute0', port: 9 })
    setTimeout(() => socket.destroy(), 50)
    console.log(JSON.stringify([amid >= 10, open() - before]))`)
  expect([inWorker, sockets]).toEqual([true, 0])
})
