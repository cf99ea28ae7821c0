/** Zones (`fe80::1%eth0`): the links of addresses are those inside, with their names there. */
import type * as dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { ip } from '../setup/oracles/iproute.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { socketTwins } from '../setup/sockets/twins.ts'

describe('the same as in a program inside:', () => {
  socketTwins('datagrams use the link, and report it', async ({ createSocket, once, pass, tellError }) => {
    const seen: unknown[] = []
    const server = createSocket('udp6')
    server.on('message', (message, from) => seen.push([String(message), from]))
    server.bind(7600, '::')
    await once(server, 'listening')
    const client = createSocket('udp6')
    client.bind(7601, 'fe80::1%inner0')
    await once(client, 'listening')
    seen.push(client.address(), server.address())
    for (const to of [
      'fe80::1%inner0',
      'ff02::1%inner0',
      '::1%inner0',
      'fe80::1%nothere',
      'fe80::1',
      '::ffff:10.9.0.1',
    ]) {
      client.send(to, 7600, to, (error, bytes) => seen.push([to, error && tellError(error), bytes]))
      await pass(30)
    }
    const unbound = createSocket('udp6')
    unbound.on('error', (error) => seen.push(tellError(error)))
    unbound.bind(7602)
    await once(unbound, 'listening')
    unbound.send('from anywhere', 7600, 'fe80::1%nothere', (error) => seen.push(error && tellError(error)))
    await pass(30)
    for (const socket of [server, client, unbound]) socket.close()
    return seen
  })

  socketTwins('connected to a neighbor', async ({ createSocket, once, pass, tellError }) => {
    const seen: unknown[] = []
    const server = createSocket('udp6')
    server.on('message', (message, from) => server.send(`${message} back`, from.port, from.address))
    server.bind(7610, 'fe80::1%inner0')
    await once(server, 'listening')
    for (const [index, to] of ['fe80::1%inner0', 'fe80::1%nothere', 'fe80::1', '::1%nothere'].entries()) {
      const client = createSocket('udp6')
      client.on('error', (error) => seen.push(['error', tellError(error)]))
      client.on('message', (message, from) => seen.push([String(message), from]))
      client.bind(7611 + index)
      await once(client, 'listening')
      client.connect(7610, to, ((error?: Error) => seen.push([to, error && tellError(error)])) as () => void)
      await pass(30)
      try {
        seen.push(client.remoteAddress(), client.address())
        client.send('there and', (error, bytes) => seen.push([error, bytes]))
        await pass(30)
        client.disconnect()
        seen.push(client.address())
        client.send('not connected', 7610, to, (error, bytes) => seen.push([error, bytes]))
        await pass(30)
      } catch (error) {
        seen.push(tellError(error))
      }
      client.close()
    }
    server.close()
    return seen
  })

  socketTwins('an error for a missing listener is reported to a connected socket', async ({ createSocket, once }) => {
    const client = createSocket('udp6')
    client.connect(7619, 'fe80::1%inner0')
    await once(client, 'connect')
    client.send('hello?')
    const [error] = await once(client, 'error')
    client.close()
    return { ...error, message: error.message }
  })

  socketTwins('binds', async ({ createSocket, once, tellError }) => {
    const seen: unknown[] = []
    const places = [
      'fe80::1%inner0',
      '::%inner0',
      '::1%inner0',
      '::1%nothere',
      'fe80::1%nothere',
      'fe80::1',
      'fe80::9%inner0',
    ]
    for (const [index, address] of places.entries()) {
      const socket = createSocket('udp6')
      socket.bind(7620 + index, address)
      seen.push(await once(socket, 'listening').then(() => socket.address(), tellError))
      socket.close()
    }
    return seen
  })

  socketTwins('multicast groups, and the link of datagrams to them', async ({ createSocket, once, tellError }) => {
    const seen: unknown[] = []
    const socket = createSocket('udp6')
    socket.bind(7630)
    await once(socket, 'listening')
    const calls: ((socket: dgram.Socket) => void)[] = [
      (socket) => socket.addMembership('ff02::77', '::%inner0'),
      (socket) => socket.addMembership('ff02::77', '::%inner0'),
      (socket) => socket.dropMembership('ff02::77', '::%inner0'),
      (socket) => socket.dropMembership('ff02::77', '::%inner0'),
      (socket) => socket.addMembership('ff02::78%inner0', 'fe80::1%inner0'),
      (socket) => socket.dropMembership('ff02::78', '::%lo'),
      (socket) => socket.addMembership('ff02::79', '::%nothere'),
      (socket) => socket.addMembership('ff02::79', 'inner0'),
      (socket) => socket.addMembership('fe80::2', '::%inner0'),
      (socket) => socket.addMembership('no group', '::%inner0'),
      (socket) => socket.addMembership('239.1.2.3', '::%inner0'),
      (socket) => socket.addSourceSpecificMembership('fe80::2', 'ff32::77', '::%inner0'),
      (socket) => socket.addSourceSpecificMembership('fe80::2%inner0', 'ff32::78%inner0', '::%inner0'),
      (socket) => socket.dropSourceSpecificMembership('fe80::3', 'ff32::77', '::%inner0'),
      (socket) => socket.dropSourceSpecificMembership('fe80::2', 'ff32::77', '::%inner0'),
      (socket) => socket.addSourceSpecificMembership('no source', 'ff32::79', '::%inner0'),
      (socket) => socket.addSourceSpecificMembership('10.9.0.2', 'ff32::79', '::%inner0'),
      (socket) => socket.setMulticastInterface('::%inner0'),
      (socket) => socket.setMulticastInterface('::%nothere'),
      (socket) => socket.setMulticastInterface('::'),
      (socket) => socket.setMulticastInterface('inner0'),
      (socket) => socket.setMulticastInterface('::%lo'),
    ]
    for (const call of calls) {
      try {
        call(socket)
        seen.push('done')
      } catch (error) {
        seen.push(tellError(error))
      }
    }
    socket.close()
    return seen
  })

  socketTwins('operations deferred by one message precede the next', async ({ createSocket, once, pass }) => {
    const seen: unknown[] = []
    const server = createSocket('udp6')
    server.bind(7640)
    await once(server, 'listening')
    const client = createSocket('udp6')
    for (const text of ['one', 'two', 'three', '', 'five']) {
      await new Promise((resolve) => client.send(text, 7640, '::1', resolve))
    }
    server.on('message', (message, { size, family }) => {
      seen.push(['message', String(message), size, family])
      process.nextTick(() => seen.push(['tick', String(message)]))
      Promise.resolve().then(() => seen.push(['promise', String(message)]))
    })
    await pass(50)
    for (const socket of [server, client]) socket.close()
    return seen
  })

  socketTwins('closed by a listener, a socket emits nothing more', async ({ createSocket, once, pass }) => {
    const seen: unknown[] = []
    const server = createSocket('udp6')
    server.bind(7641)
    await once(server, 'listening')
    const client = createSocket('udp6')
    for (const text of ['one', 'two']) await new Promise((resolve) => client.send(text, 7641, '::1', resolve))
    server.on('close', () => seen.push('close'))
    server.on('message', (message) => {
      seen.push(String(message))
      server.close()
    })
    await pass(50)
    client.close()
    return seen
  })

  socketTwins('a full socket queues the rest, in order', async ({ createSocket, once, pass, tellError }) => {
    const seen: unknown[] = []
    const client = createSocket({ type: 'udp6', sendBufferSize: 4_608 })
    client.bind(7650)
    await once(client, 'listening')
    // This address does not exist: datagrams to it wait for neighbor discovery, and fill the buffer.
    for (let count = 0; count < 12; count += 1) {
      client.send(Buffer.alloc(1_000), 9, 'fe80::99%inner0', (error, bytes) => {
        seen.push([count, error && tellError(error), bytes])
      })
    }
    await pass(5)
    seen.push([client.getSendQueueCount() > 2, client.getSendQueueSize() === client.getSendQueueCount() * 1_000])
    await pass(50)
    client.on('close', () => seen.push('close'))
    client.close()
    await pass(50)
    return seen
  })

  socketTwins('TCP reports the link at both ends', async ({ net, connect, listen, end, once, pass }) => {
    const seen: unknown[] = []
    const server = net.createServer((peer) => {
      seen.push(['accepted', peer.remoteAddress, peer.localAddress, peer.address()].map((each) => JSON.stringify(each)))
      peer.on('error', () => undefined).end('hello')
    })
    await listen(server, { port: 7660, host: 'fe80::1%inner0' })
    seen.push(server.address())
    const places = [
      {},
      { localAddress: 'fe80::1%inner0' },
      { localAddress: 'fe80::1%inner0', localPort: 17_660 },
      { localAddress: '::' },
      { localAddress: 'fe80::1%nothere' },
    ]
    for (const place of places) {
      const socket = connect({ port: 7660, host: 'fe80::1%inner0', ...place })
      const reported: string[] = []
      socket.on('error', (error) => reported.push((error as NodeJS.ErrnoException).code ?? ''))
      socket.on('connect', () => reported.push(`${socket.remoteAddress} ${socket.localAddress} ${socket.remoteFamily}`))
      socket.on('data', (data) => reported.push(String(data)))
      await once(socket, 'close').catch((error) => reported.push(String(error.code)))
      seen.push(reported)
    }
    await pass(10)
    await end(server)
    return JSON.parse(JSON.stringify(seen).replaceAll(/(\\*"port\\*":)\d{5}/g, '$1 0'))
  })

  socketTwins('TCP to a link-local address without a zone', async ({ net, connect, listen, end, once }) => {
    const server = await listen(
      net.createServer((peer) => peer.end()),
      { port: 7661, host: '::' },
    )
    const socket = connect({ port: 7661, host: 'fe80::1' })
    const reported = await Promise.race([
      once(socket, 'connect').then(() => socket.remoteAddress),
      once(socket, 'error'),
    ]).catch((error) => error.code)
    socket.destroy()
    await end(server)
    return reported
  })
})

/** A host with a veth to each of two others, which name their end `eth0`; its links have unusual indexes. */
interface Star extends Disposable {
  middle: NamespaceSet
  /** `toOne`, `toTwo`: to fe80::2 of either. */
  one: NamespaceSet
  two: NamespaceSet
}

async function star(): Promise<Star> {
  using base = isRoot ? undefined : await NamespaceSet.unshare('user', { mapUser: 'root' })
  const make = () => (base ?? NamespaceSet).unshare('net', { loopback: true })
  const [middle, one, two] = [await make(), await make(), await make()]
  // Only explicit addresses: so the source address is known.
  for (const { network } of [middle, one, two]) await network.sysctls.set('net.ipv6.conf.default.addr_gen_mode', '1')
  const address = (last: number) => [{ cidr: `fe80::${last}/64`, noDuplicateDetection: true }]
  for (const [index, set, name] of [
    [70_001, one, 'toOne'],
    [70_002, two, 'toTwo'],
  ] as const) {
    const peer = { set, name: 'eth0', up: true, addresses: address(2) }
    await middle.network.links.add({ kind: 'veth', name, index, up: true, addresses: address(1), peer })
  }
  const close = () => [middle, one, two].forEach((set) => void set.close())
  return { middle, one, two, [Symbol.dispose]: close }
}

describe('with links that do not exist outside', () => {
  let sets: Star
  const open: dgram.Socket[] = []
  beforeAll(async () => {
    sets = await star()
  })
  afterAll(() => {
    for (const socket of open) socket.close()
    sets[Symbol.dispose]()
  })

  async function bound({ network }: NamespaceSet, port = 0): Promise<dgram.Socket> {
    const socket = network.createSocket({ type: 'udp6', reuseAddr: true })
    open.push(socket)
    socket.bind(port)
    await once(socket, 'listening')
    return socket
  }

  /** The datagrams that reach each of these sockets, this many in all and a moment longer: text and sender. */
  async function receivedBy(sockets: dgram.Socket[], send: () => unknown, count = 1): Promise<string[][]> {
    const received: string[][] = sockets.map(() => [])
    const listeners = sockets.map((socket, at) => {
      const listener = (message: Buffer, from: dgram.RemoteInfo) =>
        received[at]?.push(`${message} from ${from.address}`)
      socket.on('message', listener)
      return listener
    })
    await send()
    await expect.poll(() => received.flat().length, { timeout: 5_000 }).toBe(count)
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const [at, socket] of sockets.entries()) socket.off('message', listeners[at] as () => void)
    return received
  }

  const links = [
    ['its name', 'toTwo'],
    ['its index', '70002'],
  ]
  test.each(links)('datagrams use the link given by %s', async (_form, link) => {
    const [sender, one, two] = [await bound(sets.middle), await bound(sets.one, 5353), await bound(sets.two, 5353)]
    for (const to of [`fe80::2%${link}`, `ff02::1%${link}`]) {
      const received = await receivedBy([one, two], () => sender.send('hello', 5353, to))
      expect(received, to).toEqual([[], ['hello from fe80::1%eth0']])
    }
  })

  test.each(links)('it connects through the link given by %s, and gets a reply', async (_form, link) => {
    const two = await bound(sets.two, 5354)
    two.on('message', (message, from) => two.send(`${message}?`, from.port, from.address))
    const client = await bound(sets.middle)
    client.connect(5354, `fe80::2%${link}`)
    await once(client, 'connect')
    expect(client.remoteAddress()).toEqual({ address: 'fe80::2%toTwo', family: 'IPv6', port: 5354 })
    expect(client.address().address).toBe('fe80::1%toTwo')
    expect(await receivedBy([client], () => client.send('hello'))).toEqual([['hello? from fe80::2%toTwo']])
  })

  test.each(links)('groups are joined on the link given by %s, and left', async (_form, link) => {
    const listener = await bound(sets.middle, 5355)
    const groupsOf = (name: string) => ip(sets.middle, `-6 maddress show dev ${name}`)
    listener.addMembership('ff02::4242', `::%${link}`)
    listener.addSourceSpecificMembership('fe80::2', 'ff32::4242', `::%${link}`)
    for (const group of ['ff02::4242', 'ff32::4242']) expect(await groupsOf('toTwo')).toContain(group)
    expect(await groupsOf('toOne')).not.toContain('4242')
    const [one, two] = [await bound(sets.one), await bound(sets.two)]
    const say = () => {
      for (const [name, socket] of Object.entries({ one, two })) {
        for (const group of ['ff02::4242', 'ff32::4242']) socket.send(`${name} to ${group}`, 5355, `${group}%eth0`)
      }
    }
    const [received] = await receivedBy([listener], say, 2)
    expect(received?.toSorted()).toEqual([
      'two to ff02::4242 from fe80::2%toTwo',
      'two to ff32::4242 from fe80::2%toTwo',
    ])
    listener.dropMembership('ff02::4242', `::%${link}`)
    listener.dropSourceSpecificMembership('fe80::2', 'ff32::4242', `::%${link}`)
    expect(await groupsOf('toTwo')).not.toContain('4242')
  })

  test.each(links)('datagrams to groups use the link given by %s', async (_form, link) => {
    const [sender, one, two] = [await bound(sets.middle), await bound(sets.one, 5356), await bound(sets.two, 5356)]
    sender.setMulticastInterface(`::%${link}`)
    const received = await receivedBy([one, two], () => sender.send('to all', 5356, 'ff02::1'))
    expect(received).toEqual([[], ['to all from fe80::1%eth0']])
  })

  test('a datagram names the link of its sender, also after a change', async () => {
    const [listener, two] = [await bound(sets.middle, 5357), await bound(sets.two)]
    expect(await receivedBy([listener], () => two.send('hello', 5357, 'fe80::1%eth0'))).toEqual([
      ['hello from fe80::2%toTwo'],
    ])
    await ip(sets.middle, 'link set toTwo down')
    await ip(sets.middle, 'link set toTwo name renamed0')
    await sets.middle.network.links.set('renamed0', {
      up: true,
      addresses: [{ cidr: 'fe80::1/64', noDuplicateDetection: true }],
    })
    expect(await receivedBy([listener], () => two.send('hello again', 5357, 'fe80::1%eth0'))).toEqual([
      ['hello again from fe80::2%renamed0'],
    ])
    await sets.middle.network.links.set('renamed0', { name: 'toTwo' })
  })

  test.each(links)('TCP uses the link given by %s, from a local port, too', async (_form, link) => {
    const { two, middle } = sets
    const server = net.createServer((peer) => peer.end(`${peer.remoteAddress} at ${peer.localAddress}`))
    await two.network.listen(server, { port: 5358, host: 'fe80::2%eth0' })
    expect(server.address()).toMatchObject({ address: 'fe80::2%eth0' })
    for (const own of [{}, { localAddress: `fe80::1%${link}` }, { localAddress: '::', localPort: 15_358 }]) {
      const socket = middle.network.connect({ port: 5358, host: `fe80::2%${link}`, ...own })
      await once(socket, 'connect')
      expect([socket.remoteAddress, socket.localAddress]).toEqual(['fe80::2%toTwo', 'fe80::1%toTwo'])
      expect(await text(socket)).toBe('fe80::1%eth0 at fe80::2%eth0')
    }
    server.close()
  })

  test('queued datagrams are sent once there is room, in order', async () => {
    // That address does not exist, and neighbor discovery soon gives up the waiting datagrams.
    await sets.middle.network.sysctls.set('net.ipv6.neigh.toOne.retrans_time_ms', '50')
    const socket = await bound(sets.middle)
    socket.setSendBufferSize(4_608)
    const reported: unknown[] = []
    for (let count = 0; count < 12; count += 1) {
      socket.send(Buffer.alloc(1_000), 9, 'fe80::98%toOne', (error, bytes) => reported.push([count, error, bytes]))
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(socket.getSendQueueCount()).toBeGreaterThan(5)
    await expect.poll(() => reported.length, { timeout: 5_000 }).toBe(12)
    expect(reported).toEqual(Array.from({ length: 12 }, (_, count) => [count, null, 1_000]))
    expect([socket.getSendQueueCount(), socket.getSendQueueSize()]).toEqual([0, 0])
  })

  test('a hundred sockets that are full, connected or waiting leave nothing open', async () => {
    const before = resources()
    for (let count = 0; count < 100; count += 1) {
      const socket = sets.middle.network.createSocket({ type: 'udp6', sendBufferSize: 4_608 })
      socket.bind()
      await once(socket, 'listening')
      for (let sent = 0; sent < 5; sent += 1) socket.send(Buffer.alloc(1_000), 9, 'fe80::99%toOne', () => undefined)
      await new Promise((resolve) => socket.close(() => resolve(undefined)))
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await growthSince(before)).toEqual({})
  })
})

/** A Worker with sockets in all states when it is terminated. */
const WORKER = `
  import { parentPort } from 'node:worker_threads'
  import { NamespaceSet } from 'nsset'
  const set = await NamespaceSet.unshare(${isRoot ? "'net'" : "['user', 'net']"}, { loopback: true })
  const socket = set.network.createSocket({ type: 'udp6', sendBufferSize: 4608 }).bind(0, '::')
  socket.on('listening', () => {
    for (let index = 0; index < 20; index += 1) {
      socket.send(Buffer.alloc(1000), socket.address().port, '::1%lo', () => undefined)
    }
    parentPort.postMessage('ready')
  })
`

/** The output of a program. */
async function outputOf(body: string): Promise<unknown> {
  const kinds = isRoot ? "'net'" : "['user', 'net']"
  return await askPlainNode(`
    import { AsyncLocalStorage } from 'node:async_hooks'
    import { once } from 'node:events'
    import { NamespaceSet } from 'nsset'
    const set = await NamespaceSet.unshare(${kinds}, { loopback: true${isRoot ? '' : ", mapUser: 'root'"} })
    ${body}
  `)
}

describe('a process', () => {
  test('receives when its set is closed, and when descriptors are free again', async () => {
    const program = `
      import { closeSync, openSync } from 'node:fs'
      const socket = set.network.createSocket('udp6').bind()
      await once(socket, 'listening')
      const other = set.network.createSocket('udp6').bind()
      await once(other, 'listening')
      set.close()
      const held = []
      try { while (true) held.push(openSync('/dev/null')) } catch {}
      const seen = []
      socket.on('message', (message) => seen.push(String(message)))
      for (const text of ['one', 'two']) {
        other.send(text, socket.address().port, '::1')
        await once(socket, 'message')
      }
      socket.setRecvBufferSize(100_000)
      for (const fd of held) closeSync(fd)
      for (const each of [socket, other]) each.close()
      console.log(JSON.stringify(seen))
    `
    expect(await outputOf(program)).toEqual(['one', 'two'])
  })

  test('terminates a Worker whose sockets receive, and wait to send', async () => {
    const program = `
      import { readdirSync } from 'node:fs'
      import { Worker } from 'node:worker_threads'
      const count = () => readdirSync('/proc/self/fd').length
      const body = ${JSON.stringify(WORKER)}
      const turn = async () => {
        const worker = new Worker(body, { eval: true })
        await once(worker, 'message')
        await worker.terminate()
      }
      await turn()
      const before = count()
      for (let index = 0; index < 10; index += 1) await turn()
      for (let tries = 0; count() > before && tries < 50; tries += 1) await new Promise((go) => setTimeout(go, 50))
      console.log(Math.max(count() - before, 0))
    `
    expect(await outputOf(program)).toBe(0)
  })

  test('runs while a socket listens, and ends once it is unreferenced or closed', async () => {
    const until = (end: string) => `
      const socket = set.network.createSocket('udp6').bind()
      await once(socket, 'listening')
      setTimeout(() => { console.log('"still running"'); ${end} }, 300).unref()
      ${end === '' ? 'console.log(\'"ended"\'); socket.unref()' : ''}
    `
    expect(await outputOf(until(''))).toBe('ended')
    expect(await outputOf(until('socket.unref()'))).toBe('still running')
    expect(await outputOf(until('socket.close()'))).toBe('still running')
  })

  test('receives in the async context in which the socket was created', async () => {
    const program = `
      const storage = new AsyncLocalStorage()
      const socket = storage.run('of the socket', () => set.network.createSocket('udp6').bind())
      await once(socket, 'listening')
      socket.on('message', (message) => {
        console.log(JSON.stringify([String(message), storage.getStore()]))
        socket.close()
      })
      storage.run('of the sender', () => socket.send('hello', socket.address().port, '::1'))
    `
    expect(await outputOf(program)).toEqual(['hello', 'of the socket'])
  })

  test('receives the next message after a listener throws', async () => {
    const program = `
      const socket = set.network.createSocket('udp6').bind()
      await once(socket, 'listening')
      const seen = []
      process.on('uncaughtException', (error) => seen.push(error.message))
      socket.on('message', (message) => {
        seen.push(String(message))
        if (String(message) === 'one') throw new Error('on purpose')
        console.log(JSON.stringify(seen))
        socket.close()
      })
      for (const text of ['one', 'two']) socket.send(text, socket.address().port, '::1')
    `
    expect(await outputOf(program)).toEqual(['one', 'on purpose', 'two'])
  })
})
