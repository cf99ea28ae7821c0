/** `network.publish` and `network.forward`: a forwarded connection behaves like a direct one. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Forwarding, NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { OWNERS, type Owner } from '../setup/sets/joined-sets.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

type Way = 'directly' | 'published' | 'forwarded'

/** A server, and how to connect to it. */
interface Place extends AsyncDisposable {
  readonly server: net.Server
  readonly forwarding: Forwarding | undefined
  connect(options?: net.SocketConstructorOpts): net.Socket
}

/** Puts a server where a client reaches it directly, published from a set, or forwarded into the set of the client. */
async function place(set: NamespaceSet, way: Way, server: net.Server): Promise<Place> {
  const close = (forwarding?: Forwarding) => async () => {
    await forwarding?.close()
    server.close()
  }
  if (way === 'published') {
    await set.network.listen(server, { port: 0 })
    const forwarding = await set.network.publish({ port: 0, to: { port: portOf(server) } })
    const connect = (options = {}) => net.connect({ port: forwarding.port as number, host: '127.0.0.1', ...options })
    return { server, forwarding, connect, [Symbol.asyncDispose]: close(forwarding) }
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  if (way === 'directly') {
    const connect = (options = {}) => net.connect({ port: portOf(server), host: '127.0.0.1', ...options })
    return { server, forwarding: undefined, connect, [Symbol.asyncDispose]: close() }
  }
  const forwarding = await set.network.forward({ port: 0, to: { port: portOf(server) } })
  const connect = (options = {}) =>
    set.network.connect({ port: forwarding.port as number, host: '127.0.0.1', ...options })
  return { server, forwarding, connect, [Symbol.asyncDispose]: close(forwarding) }
}

/** Node.js 20 lacks Promise.withResolvers(). */
function deferred<T>(): { promise: Promise<T>; resolve(value: T | Promise<T>): void } {
  let resolve!: (value: T | Promise<T>) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port
}

/** How a connection ends: with all of its data, or with the code of its error. It stays half open if it can. */
function outcomeOf(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let data = ''
    socket.on('data', (chunk) => {
      data += chunk
    })
    socket.once('end', () => resolve(data))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)))
  })
}

function inNetworkOf(owner: Owner): NamespaceSet {
  return NamespaceSet.unshareSync(owner === 'net' ? ['net'] : ['user', 'net'], {
    loopback: true,
    ...(owner === 'net' ? {} : { mapUser: 'root' }),
  })
}

for (const owner of OWNERS) {
  describe(`with a network of ${owner}, a connection behaves directly and forwarded alike:`, () => {
    let set: NamespaceSet
    beforeAll(() => {
      set = inNetworkOf(owner)
    })
    afterAll(() => set.close())

    for (const way of ['directly', 'published', 'forwarded'] as const) {
      test(`megabytes in both directions (${way})`, async () => {
        await using here = await place(
          set,
          way,
          net.createServer((socket) => socket.pipe(socket)),
        )
        const sent = randomBytes(3_000_001)
        const socket = here.connect()
        socket.end(sent)
        const received = await buffer(socket)
        const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex')
        expect(hash(received)).toBe(hash(sent))
        if (here.forwarding === undefined) return
        expect(
          await eventually(
            () => here.forwarding?.statistics(),
            (now) => now?.open === 0,
          ),
        ).toEqual({
          connections: 1,
          open: 0,
          failed: 0,
          bytesToTarget: sent.length,
          bytesFromTarget: sent.length,
        })
      })

      test(`a server answers after the end of its client (${way})`, async () => {
        const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
          const question = await outcomeOf(socket)
          socket.end(`${question}, answered`)
        })
        await using here = await place(set, way, server)
        const socket = here.connect({ allowHalfOpen: true })
        socket.end('asked')
        expect(await outcomeOf(socket)).toBe('asked, answered')
      })

      test(`a client sends after the end of its server (${way})`, async () => {
        const { promise, resolve } = deferred<string>()
        const server = net.createServer({ allowHalfOpen: true }, (socket) => {
          socket.end('ended')
          resolve(outcomeOf(socket))
        })
        await using here = await place(set, way, server)
        const socket = here.connect({ allowHalfOpen: true })
        expect(await outcomeOf(socket)).toBe('ended')
        socket.end('sent after the end')
        expect(await promise).toBe('sent after the end')
      })

      test(`a reset by the server reaches the client (${way})`, async () => {
        const server = net.createServer((socket) => {
          socket.once('data', () => socket.resetAndDestroy())
        })
        await using here = await place(set, way, server)
        const socket = here.connect()
        socket.write('?')
        expect(await outcomeOf(socket)).toBe('ECONNRESET')
      })

      test(`a reset by the client reaches the server (${way})`, async () => {
        const { promise, resolve } = deferred<string>()
        await using here = await place(
          set,
          way,
          net.createServer((socket) => {
            resolve(outcomeOf(socket))
            socket.write('!')
          }),
        )
        const socket = here.connect().on('error', () => undefined)
        await once(socket, 'data')
        socket.resetAndDestroy()
        expect(await promise).toBe('ECONNRESET')
      })

      test(`a server that does not read stops its client (${way})`, async () => {
        const { promise, resolve } = deferred<net.Socket>()
        await using here = await place(set, way, net.createServer({ pauseOnConnect: true }, resolve))
        const socket = here.connect()
        const piece = Buffer.alloc(1 << 20)
        for (let count = 0; count < 64; count++) socket.write(piece)
        const peer = await promise
        const left = () => socket.writableLength
        let before = -1
        while (before !== left()) {
          before = left()
          await delay(200)
        }
        // The buffers of two connections and a pipe.
        expect(left()).toBeGreaterThan(32 << 20)
        socket.end()
        peer.resume()
        let received = 0
        for await (const chunk of peer) received += chunk.length
        expect(received).toBe(64 << 20)
      })
    }
  })

  describe(`with a network of ${owner}, a forwarding`, () => {
    let set: NamespaceSet
    beforeAll(() => {
      set = inNetworkOf(owner)
    })
    afterAll(() => set.close())

    const echo = () => net.createServer((socket) => socket.on('error', () => undefined).pipe(socket))

    test('resets a connection that its target refuses', async () => {
      await using forwarding = await set.network.publish({ port: 0, to: { port: 9 } })
      const socket = net.connect(forwarding.port as number, '127.0.0.1')
      expect(await outcomeOf(socket)).toBe('ECONNRESET')
      expect(
        await eventually(
          () => forwarding.statistics(),
          (now) => now.open === 0,
        ),
      ).toMatchObject({
        connections: 1,
        failed: 1,
      })
    })

    test('tries the addresses of its target in order: a server that has only ::1 is reached', async () => {
      await using server = await set.network.listen(echo(), { port: 0, host: '::1' })
      await using forwarding = await set.network.publish({ port: 0, to: { port: portOf(server) } })
      const socket = net.connect(forwarding.port as number, '127.0.0.1')
      socket.end('hello')
      expect(await outcomeOf(socket)).toBe('hello')
    })

    test('listens on both families with the host ::', async () => {
      await using server = await set.network.listen(echo(), { port: 0 })
      await using forwarding = await set.network.publish({ port: 0, host: '::', to: { port: portOf(server) } })
      expect(forwarding.addresses).toEqual([{ protocol: 'tcp', address: '::', port: forwarding.port }])
      for (const host of ['127.0.0.1', '::1']) {
        const socket = net.connect(forwarding.port as number, host)
        socket.end(host)
        expect(await outcomeOf(socket)).toBe(host)
      }
    })

    test('has as many listeners as ports', async () => {
      const servers = [echo(), echo(), echo()]
      for (const [index, server] of servers.entries()) await set.network.listen(server, { port: 7001 + index })
      await using forwarding = await set.network.publish({ port: { first: 27001, last: 27003 }, to: { port: 7001 } })
      expect(forwarding.addresses.map((address) => 'port' in address && address.port)).toEqual([27001, 27002, 27003])
      for (const port of [27001, 27002, 27003]) {
        const socket = net.connect(port, '127.0.0.1')
        socket.end(`to ${port}`)
        expect(await outcomeOf(socket)).toBe(`to ${port}`)
      }
      expect(String(forwarding)).toMatch(/^Forwarding\(tcp 127\.0\.0\.1:27001, .*, 0 open\)$/)
      for (const server of servers) server.close()
    })

    test('of several ports starts all listeners or none', async () => {
      await using taken = net.createServer()
      await once(taken.listen(27012, '127.0.0.1'), 'listening')
      const before = resources()
      const start = set.network.publish({ port: { first: 27011, last: 27013 }, to: { port: 7001 } })
      await expect(start).rejects.toMatchObject({
        code: 'EADDRINUSE',
        syscall: 'listen',
        address: '127.0.0.1',
        port: 27012,
      })
      await using free = net.createServer()
      await once(free.listen(27011, '127.0.0.1'), 'listening')
      free.close()
      expect(await growthSince(before)).toEqual({})
    })

    test('from a path outside to a port inside removes its file at the end', async () => {
      using directory = temporaryDirectory()
      const path = directory.file('in.sock')
      await using server = await set.network.listen(echo(), { port: 0 })
      const forwarding = await set.network.publish({ path, to: { port: portOf(server) } })
      expect(forwarding.addresses).toEqual([{ path }])
      const socket = net.connect(path)
      socket.end('by a path')
      expect(await outcomeOf(socket)).toBe('by a path')
      await forwarding.close()
      expect(existsSync(path)).toBe(false)
    })

    test('frees its path when it stops listening, while open connections continue', async () => {
      using directory = temporaryDirectory()
      const path = directory.file('in.sock')
      await using server = await set.network.listen(echo(), { port: 0 })
      const first = await set.network.publish({ path, to: { port: portOf(server) } })
      const socket = net.connect(path)
      const outcome = outcomeOf(socket)
      socket.write('open ')
      await once(socket, 'data')
      const closing = first.close({ grace: 10_000 })
      expect(
        await eventually(
          () => existsSync(path),
          (exists) => !exists,
        ),
      ).toBe(false)
      await using second = await set.network.publish({ path, to: { port: portOf(server) } })
      socket.end('last')
      expect(await outcome).toBe('open last')
      await closing
      expect(second.closed).toBe(false)
      expect(existsSync(path)).toBe(true)
    })

    test('does not remove a file that has replaced its own', async () => {
      using directory = temporaryDirectory()
      const path = directory.file('in.sock')
      const forwarding = await set.network.publish({ path, to: { port: 1 } })
      rmSync(path)
      writeFileSync(path, 'kept')
      await forwarding.close()
      expect(existsSync(path)).toBe(true)
    })

    test('at link-local addresses inside, of its target and of its listener', async () => {
      await set.network.addresses.add('lo', 'fe80::7/64')
      // The kernel lets a new address be used a moment later.
      await set.execFile('sh', ['-c', 'while ip -6 addr show dev lo tentative | grep -q fe80; do sleep 0.01; done'])
      await using server = await set.network.listen(echo(), { port: 0, host: 'fe80::7%lo' })
      const to = { host: 'fe80::7%lo', port: portOf(server) }
      await using forwarding = await set.network.publish({ port: 0, to })
      const socket = net.connect(forwarding.port as number, '127.0.0.1')
      socket.end('by a link')
      expect(await outcomeOf(socket)).toBe('by a link')
      await using outside = echo()
      await once(outside.listen(0, '127.0.0.1'), 'listening')
      const back = { port: 0, host: 'fe80::7%lo', to: { port: portOf(outside) } }
      await using forwarded = await set.network.forward(back)
      expect(forwarded.addresses).toMatchObject([{ address: 'fe80::7%lo' }])
      const client = set.network.connect({ port: forwarded.port as number, host: 'fe80::7%lo' })
      client.end('back')
      expect(await outcomeOf(client)).toBe('back')
    })

    test('does not replace a file', async () => {
      using directory = temporaryDirectory()
      const path = directory.file('file')
      writeFileSync(path, 'kept')
      await expect(set.network.publish({ path, to: { port: 1 } })).rejects.toMatchObject({
        code: 'EADDRINUSE',
        address: path,
      })
      expect(existsSync(path)).toBe(true)
    })

    test('from an abstract name inside to a path outside', async () => {
      using directory = temporaryDirectory()
      await using server = echo()
      await once(server.listen(directory.file('out.sock')), 'listening')
      await using forwarding = await set.network.forward({ path: '\0way', to: { path: directory.file('out.sock') } })
      expect(forwarding.addresses).toEqual([{ path: '\0way' }])
      // Not by Node.js 20, which pads abstract names with NULs.
      const { stdout } = await set.execFile('socat', ['-t5', '-', 'ABSTRACT-CONNECT:way'], { input: 'by two names' })
      expect(stdout).toBe('by two names')
    })

    test('ends open connections at once, or after a grace time', async () => {
      await using server = await set.network.listen(echo(), { port: 0 })
      const grace = await set.network.publish({ port: 0, to: { port: portOf(server) } })
      const [ends, stays] = [net.connect(grace.port as number), net.connect(grace.port as number)]
      const outcomes = [ends, stays].map(outcomeOf)
      for (const socket of [ends, stays]) {
        socket.write('open ')
        await once(socket, 'data')
      }
      const begin = performance.now()
      const closing = grace.close({ grace: 500 })
      ends.end('last')
      expect(await Promise.all(outcomes)).toEqual(['open last', 'ECONNRESET'])
      await closing
      expect(performance.now() - begin).toBeGreaterThan(450)
      expect(grace.closed).toBe(true)
      const refused = net.connect(grace.port as number, '127.0.0.1')
      expect(await outcomeOf(refused)).toBe('ECONNREFUSED')
    })

    test('ends with its set', async () => {
      const own = inNetworkOf(owner)
      await own.network.listen(echo().unref(), { port: 80 })
      const forwarding = await own.network.publish({ port: 0, to: { port: 80 } })
      const socket = net.connect(forwarding.port as number)
      const outcome = outcomeOf(socket)
      socket.write('open')
      await once(socket, 'data')
      own.close()
      expect(await outcome).toBe('ECONNRESET')
      expect(
        await eventually(
          () => forwarding.closed,
          (closed) => closed,
        ),
      ).toBe(true)
    })

    test('leaves nothing, also after hundreds of connections', async () => {
      // The thread of forwardings starts with the first one.
      await (await set.network.publish({ port: 0, to: { port: 9 } })).close()
      const before = resources()
      {
        await using server = await set.network.listen(echo(), { port: 0 })
        await using forwarding = await set.network.publish({ port: 0, to: { port: portOf(server) } })
        const ask = async () => {
          const socket = net.connect(forwarding.port as number, '127.0.0.1')
          socket.end('x')
          return outcomeOf(socket)
        }
        for (let round = 0; round < 10; round++) {
          expect(await Promise.all(Array.from({ length: 30 }, ask))).toEqual(Array(30).fill('x'))
        }
      }
      expect(await growthSince(before)).toEqual({})
    })
  })
}

describe('a forwarding rejects', () => {
  let set: NamespaceSet
  beforeAll(() => {
    set = anyonesSet(['net'], { loopback: true })
  })
  afterAll(() => set.close())

  for (const [what, options, message] of [
    ['no target', { port: 1 }, "'options.to' is required"],
    ['no port', { to: { port: 1 } }, "'options.port' is required"],
    ['a target without a port', { port: 0, to: {} }, "'options.to.port' is required"],
    ['a path beside a port', { port: 1, path: '/x', to: { port: 1 } }, 'cannot have a host or a port'],
    ['a path beside a host, in the target', { port: 1, to: { path: '/x', host: 'a' } }, 'options.to has a path'],
    ['udp with a path', { path: '/x', protocol: 'udp', to: { port: 1 } }, "'udp'"],
    ['a range in the wrong order', { port: { first: 2, last: 1 }, to: {} }, 'must not be less than'],
    ['a target beyond the last port', { port: { first: 1, last: 3 }, to: { port: 65534 } }, 'beyond port 65535'],
    ['an unknown option', { port: 1, to: { port: 1 }, hots: 'x' }, "did you mean 'host'"],
    ['a path that is too long', { path: `/${'x'.repeat(107)}`, to: { port: 1 } }, 'at most 107 bytes'],
    ['an empty list', [], 'must not be empty'],
    ['a port as a string', { port: '80', to: { port: 1 } }, 'must be a number, or an object with first and last'],
    ['null as a port', { port: null, to: { port: 1 } }, 'must be a number, or an object with first and last'],
  ] as const) {
    test(what, async () => {
      await expect(set.network.publish(options as never)).rejects.toThrow(message)
      await expect(set.network.forward(options as never)).rejects.toThrow(message)
    })
  }

  const isRoot = process.getuid?.() === 0
  test.skipIf(isRoot)(`a port below 1024 outside${isRoot ? ' (skipped: root may have it)' : ''}`, async () => {
    await expect(set.network.publish({ port: 80, to: { port: 80 } })).rejects.toMatchObject({
      code: 'EACCES',
      message: 'listen EACCES: permission denied 127.0.0.1:80',
    })
  })

  test('an address that its network does not have', async () => {
    await expect(set.network.forward({ port: 80, host: '192.0.2.1', to: { port: 80 } })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
      address: '192.0.2.1',
      port: 80,
    })
  })

  test('a name that does not exist', async () => {
    await expect(set.network.publish({ port: 0, host: 'nowhere.invalid', to: { port: 80 } })).rejects.toThrow(
      /ENOTFOUND|EAI_AGAIN/,
    )
  })

  test('a link that its network does not have', async () => {
    const start = set.network.publish({ port: 0, to: { host: 'fe80::1%gone', port: 80 } })
    await expect(start).rejects.toMatchObject({ code: 'ENODEV' })
  })

  test('a start with an aborted signal, and one in a closed set', async () => {
    const reason = new Error('not now')
    const start = set.network.publish({ port: 0, to: { port: 80 } }, { signal: AbortSignal.abort(reason) })
    await expect(start).rejects.toBe(reason)
    const closed = anyonesSet(['net'])
    const { network } = closed
    closed.close()
    await expect(network.publish({ port: 0, to: { port: 80 } })).rejects.toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  })
})
