/**
 * Nothing of a set's network uses the host's, whatever the arguments: the only servers listen outside, and
 * none listens inside. Each call of the network is made with each option that names an address.
 */
import type dgram from 'node:dgram'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type LookupFunction } from 'node:net'
import tls from 'node:tls'
import { NamespaceSet, type Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { OWNERS } from '../setup/sets/joined-sets.ts'
import { setTraps, type Traps } from '../setup/sockets/outside-traps.ts'
import { agentOfUndici } from '../setup/sockets/undici-of-node.ts'

let traps: Traps
beforeAll(async () => {
  traps = await setTraps()
})
afterAll(() => traps[Symbol.asyncDispose]())

/** The outcome: the code of an error, or a word. */
type Outcome = string

const TIME_LIMIT = 8_000

/** The outcome of a socket once it is closed. */
async function outcomeOf(socket: net.Socket): Promise<Outcome> {
  let outcome = 'nothing'
  const onError = (error: Error) => (outcome = codeOf(error))
  const onConnect = () => {
    outcome = 'connected'
    socket.destroy()
  }
  socket.once('error', onError).once('connect', onConnect)
  const limit = setTimeout(() => socket.destroy(), TIME_LIMIT)
  await new Promise((resolve) => socket.once('close', resolve))
  clearTimeout(limit)
  socket.off('error', onError).off('connect', onConnect)
  return outcome
}

function outcomeOfRequest(request: http.ClientRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    request.on('response', (response) => response.resume().on('end', () => resolve('answered')))
    request.on('error', (error) => resolve(codeOf(error))).setTimeout(TIME_LIMIT, () => request.destroy())
  })
}

/** Several addresses cause several errors, each with the same code. */
function codeOf(error: unknown): string {
  const { code, cause, errors } = error as { code?: string; cause?: unknown; errors?: unknown[] }
  if (errors !== undefined) return [...new Set(errors.map(codeOf))].join()
  return code ?? (cause === undefined ? String(error) : codeOf(cause))
}

type Address = [address: string, family: 4 | 6]
type Answer = (error: Error | null, addresses: Address[]) => void

/** A lookup in the form that its options request. */
const lookup = (answer: (callback: Answer) => void): LookupFunction =>
  ((_name: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => {
    answer((error, addresses) => {
      if (error !== null) callback(error)
      else if (options.all)
        callback(
          null,
          addresses.map(([address, family]) => ({ address, family })),
        )
      else callback(null, ...(addresses[0] ?? []))
    })
  }) as LookupFunction

const FOUR: Address = ['127.0.0.1', 4]
const OTHER: Address = ['127.0.0.2', 4]
const SIX: Address = ['::1', 6]

const LOOKUPS: Record<string, LookupFunction> = {
  'answers immediately': lookup((callback) => callback(null, [FOUR])),
  'answers immediately with IPv6': lookup((callback) => callback(null, [SIX])),
  'answers immediately with several addresses': lookup((callback) => callback(null, [SIX, FOUR, OTHER])),
  'answers in the same iteration': lookup((callback) => process.nextTick(callback, null, [FOUR])),
  'answers later': lookup((callback) => setTimeout(callback, 5, null, [FOUR])),
  'answers later with several addresses': lookup((callback) => setTimeout(callback, 5, null, [FOUR, SIX])),
  'answers twice immediately': lookup((callback) => {
    callback(null, [FOUR])
    callback(null, [OTHER])
  }),
  'answers twice, and with a zone': lookup((callback) => {
    callback(null, [['::1%lo', 6]])
    callback(null, [FOUR])
  }),
  'answers immediately and later': lookup((callback) => {
    callback(null, [FOUR])
    setTimeout(callback, 5, null, [SIX])
  }),
  'fails, and answers': lookup((callback) => {
    callback(new Error('unknown'), [])
    callback(null, [FOUR])
  }),
}

/** Every way to specify a destination. */
function placesOf(port: number): Record<string, net.TcpNetConnectOpts> {
  const byName = Object.entries(LOOKUPS).flatMap(([how, lookup]) =>
    [true, false].map((autoSelectFamily) => [
      `a lookup that ${how}${autoSelectFamily ? '' : ', one address only'}`,
      { host: 'x.test', port, lookup, autoSelectFamily, autoSelectFamilyAttemptTimeout: 10 },
    ]),
  )
  return {
    'an address': { host: '127.0.0.1', port },
    'an address of IPv6': { host: '::1', port },
    'an address with a zone': { host: '::1%lo', port },
    localhost: { host: 'localhost', port },
    'no host': { port },
    'a local address': { host: '127.0.0.1', port, localAddress: '127.0.0.1' },
    'a local address of IPv6': { host: '::1', port, localAddress: '::1' },
    'a local port': { host: '127.0.0.1', port, localPort: 9_163 },
    'a family': { host: 'localhost', port, family: 4 },
    ...Object.fromEntries(byName),
  }
}

describe.each(OWNERS)('from a network of %s nothing reaches a server outside', (owner) => {
  let set: NamespaceSet
  let network: Network
  beforeAll(async () => {
    set = await NamespaceSet.unshare(owner === 'net' ? 'net' : ['user', 'net'], { loopback: true })
    network = set.network
  })
  afterAll(() => set.close())

  /** The network inside refuses all of these. */
  async function expectRefused(outcomes: Record<string, Outcome>): Promise<void> {
    expect(await traps.received()).toEqual([])
    const unexpected = Object.entries(outcomes).filter(([, outcome]) => !REFUSED.test(outcome))
    expect(unexpected, JSON.stringify(unexpected)).toEqual([])
  }
  /** A second answer finds the socket in use; agents report an immediate end as a reset; each of several has 10 ms. */
  const REFUSED = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EALREADY|EADDRINUSE|EAI_AGAIN|ENOTFOUND|Error: unknown|,)+$/

  /** The outcome of a call with each destination. */
  async function each<T>(
    places: Record<string, T>,
    call: (place: T) => Promise<Outcome>,
  ): Promise<Record<string, Outcome>> {
    const outcomes: Record<string, Outcome> = {}
    for (const [name, place] of Object.entries(places)) outcomes[name] = await call(place)
    return outcomes
  }

  test('by connect', async () => {
    await expectRefused(await each(placesOf(traps.plain), (place) => outcomeOf(network.connect(place))))
  })

  test('by a socket that reconnects, in each form', async () => {
    const again: Record<string, (socket: net.Socket) => unknown> = {
      'to a port': (socket) => socket.connect(traps.plain),
      'to a port, as text': (socket) => socket.connect(String(traps.plain) as unknown as number),
      'to a port of a host': (socket) => socket.connect(traps.plain, 'localhost'),
      'to a port of an address': (socket) => socket.connect(traps.plain, '127.0.0.1'),
      'to an abstract name': (socket) => socket.connect({ path: traps.name }),
      'to an abstract name, as text': (socket) => socket.connect(traps.name),
      ...Object.fromEntries(
        Object.entries(placesOf(traps.plain)).map(([name, place]) => [
          name,
          (socket: net.Socket) => socket.connect(place),
        ]),
      ),
    }
    const first: Record<string, () => net.Socket> = {
      'of TCP': () => network.connect({ host: '127.0.0.1', port: traps.plain }),
      'of a name': () => network.connect({ path: traps.name }),
      'of the file system': () => network.connect({ path: '/no/listener/here' }),
    }
    for (const [kind, make] of Object.entries(first)) {
      const outcomes = await each(again, async (connect) => {
        const socket = make()
        await outcomeOf(socket)
        connect(socket)
        return outcomeOf(socket)
      })
      expect(await traps.received(), kind).toEqual([])
      expect(
        Object.entries(outcomes).filter(([, outcome]) => !REFUSED.test(outcome)),
        kind,
      ).toEqual([])
    }
  })

  test('by an accepted socket of a server inside that reconnects', async () => {
    const servers = {
      net: () => net.createServer(),
      http: () => http.createServer((_, response) => response.end()),
    }
    for (const make of Object.values(servers)) {
      const again = Object.values(placesOf(traps.plain)).map((place) => (socket: net.Socket) => socket.connect(place))
      again.push((socket) => socket.connect(traps.plain, 'localhost'))
      for (const connect of again) {
        const server = await network.listen(make(), { host: '127.0.0.1', port: 0 })
        const accepted = once(server, 'connection')
        const { port } = server.address() as net.AddressInfo
        const client = network.connect({ host: '127.0.0.1', port })
        const [socket] = (await accepted) as [net.Socket]
        socket.destroy()
        await Promise.all([once(socket, 'close'), outcomeOf(client)])
        connect(socket)
        expect(await outcomeOf(socket)).toMatch(REFUSED)
        // Node.js counts such a socket twice for the server, and `close` would never call back.
        server.close()
      }
    }
    await expectRefused({})
  })

  test('by an abstract name', async () => {
    expect(await outcomeOf(network.connect({ path: traps.name }))).toBe('ECONNREFUSED')
    await expectRefused({})
  })

  test('by a descriptor or handle of a socket outside, which is rejected', async () => {
    const outside = net.connect(traps.plain, '127.0.0.1')
    await once(outside, 'connect')
    await traps.received()
    const { _handle: handle } = outside as unknown as { _handle: { fd: number } }
    const place = { host: '127.0.0.1', port: traps.plain }
    const calls: (() => unknown)[] = [
      () => network.connect({ ...place, fd: handle.fd } as net.TcpNetConnectOpts),
      () => network.connect({ ...place, handle } as net.TcpNetConnectOpts),
      () => network.listen(net.createServer(), { fd: handle.fd } as net.ListenOptions),
      () => network.listen(net.createServer(), { path: '/tmp/no-listener', _handle: handle } as net.ListenOptions),
      () => network.createSocket('udp4').bind({ fd: 1 }),
      () => network.createSocket('udp4').bind({ recvStart() {} } as dgram.BindOptions),
    ]
    for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    // One that is forced into the socket does nothing.
    const socket = network.connect({ host: 'x.test', port: 1, lookup: () => undefined })
    const bound = net.createServer().listen(0, '127.0.0.1')
    await once(bound, 'listening')
    Reflect.set(socket, '_handle', Reflect.get(bound, '_handle'))
    Object.assign(socket, { connecting: false })
    socket.connect(place)
    expect(await outcomeOf(socket)).toBe('EBUSY')
    outside.destroy()
    bound.close()
    await expectRefused({})
  })

  describe.each(['http', 'https'] as const)('by %s', (protocol) => {
    const port = () => (protocol === 'http' ? traps.plain : traps.secure)
    const agentOf = (options?: https.AgentOptions): http.Agent =>
      protocol === 'http' ? network.httpAgent(options) : network.httpsAgent(options)
    const { get } = { http, https }[protocol]
    const loose = { rejectUnauthorized: false }

    test('with an agent', async () => {
      const outcomes = await each(placesOf(port()), (place) =>
        outcomeOfRequest(get({ ...place, ...loose, agent: agentOf() } as https.RequestOptions)),
      )
      await expectRefused(outcomes)
    })

    test('with an agent that has a destination', async () => {
      const outcomes = await each(placesOf(port()), (place) => {
        const agent = agentOf({
          ...place,
          ...(protocol === 'https' ? loose : {}),
          keepAlive: true,
        } as https.AgentOptions)
        return outcomeOfRequest(get({ host: 'x.test', port: port(), agent }))
      })
      await expectRefused(outcomes)
    })

    test('with an agent, to an abstract name, and for an upgrade', async () => {
      const upgrade = { host: '127.0.0.1', port: port(), headers: { connection: 'upgrade', upgrade: 'x' } }
      const requests: http.RequestOptions[] = [{ socketPath: traps.name }, { ...upgrade, method: 'CONNECT' }, upgrade]
      const outcomes: Record<string, Outcome> = {}
      for (const [index, options] of requests.entries()) {
        outcomes[index] = await outcomeOfRequest(get({ ...options, ...loose, agent: agentOf() }))
      }
      await expectRefused(outcomes)
    })

    test('with a connector', async () => {
      const target = { hostname: 'x.test', protocol: `${protocol}:`, port: String(port()) }
      const outcomes = await each(placesOf(port()), ({ host = '', localAddress, ...options }) => {
        const connect = network.connector({ ...options, ...loose } as tls.ConnectionOptions)
        return new Promise<Outcome>((resolve) => {
          const hostname = host === '' ? 'localhost' : host
          connect({ ...target, hostname, localAddress }, (error, socket) => {
            socket?.destroy()
            resolve(error === null ? 'connected' : codeOf(error))
          })
        })
      })
      await expectRefused(outcomes)
    })

    test('with fetch', async () => {
      const hosts = { 'an address': '127.0.0.1', 'of IPv6': '[::1]', 'a name': 'localhost' }
      const outcomes = await each(hosts, (host) =>
        network.fetch(`${protocol}://${host}:${port()}/`).then(
          () => 'answered',
          (error) => codeOf(error),
        ),
      )
      await expectRefused(outcomes)
    })

    test('with a replaced global fetch', async () => {
      const usual = globalThis.fetch
      const replaced: Record<string, typeof fetch> = {
        'loses the dispatcher': (input, init) => usual(new Request(input, init).clone()),
        'ignores it': (input) => usual(input),
        'ignores it beside a request': (input, init) => usual(input, input instanceof Request ? undefined : init),
        'answers by itself': async () => new Response('a mock'),
        'never answers': () => new Promise(() => undefined),
        throws: () => {
          throw new Error('no fetch here')
        },
      }
      const outcomes = await each(replaced, async (fetch) => {
        using other = NamespaceSet.unshareSync(['user', 'net'], { loopback: true })
        globalThis.fetch = fetch
        const request = other.network.fetch(`${protocol}://127.0.0.1:${port()}/`)
        return await request.then(() => 'answered', codeOf).finally(() => (globalThis.fetch = usual))
      })
      // Since Node 24, a copy of a request keeps the dispatcher: such a fetch connects inside, where nothing listens.
      const { 'loses the dispatcher': ofCopy, ...others } = outcomes
      expect(['ERR_NSSET_UNSUPPORTED_PLATFORM', 'ECONNREFUSED']).toContain(ofCopy)
      expect(new Set(Object.values(others))).toEqual(new Set(['ERR_NSSET_UNSUPPORTED_PLATFORM']))
      await expectRefused({})
    })

    test('with a pool of undici', async () => {
      const Agent = agentOfUndici()
      const outcomes = await each(LOOKUPS, async (lookup) => {
        const dispatcher = new Agent({ connect: network.connector({ lookup, ...loose }) })
        const options = { dispatcher } as unknown as RequestInit
        const request = fetch(`${protocol}://x.test:${port()}/`, options)
        return request.then(() => 'answered', codeOf).finally(() => dispatcher.destroy())
      })
      await expectRefused(outcomes)
    })

    test('with a session of HTTP/2', async () => {
      const secure = { ...loose, ALPNProtocols: ['h2'] }
      for (const place of Object.values(placesOf(port()))) {
        const socket = network.connect(place)
        const createConnection = () => (protocol === 'http' ? socket : tls.connect({ ...secure, socket }))
        const session = http2.connect(`${protocol}://x.test:${port()}`, { createConnection })
        session.on('error', () => undefined)
        if (!socket.destroyed) await outcomeOf(socket)
        session.destroy()
      }
      await expectRefused({})
    })
  })

  test('by a TLS connection that reconnects', async () => {
    // Node's own reconnects without TLS, and throws later: so it runs in its own process.
    const program = `
      import { NamespaceSet } from 'nsset'
      process.on('uncaughtException', () => undefined)
      const kinds = ${JSON.stringify(owner === 'net' ? ['net'] : ['user', 'net'])}
      const [plain, port] = ${JSON.stringify([traps.plain, traps.secure])}
      const { network } = await NamespaceSet.unshare(kinds, { loopback: true })
      const place = { host: '127.0.0.1', port }
      const places = [
        { host: '127.0.0.1', port: plain },
        { host: '::1', port: plain },
        { port: plain },
        { host: 'x.test', port: plain, lookup: (name, options, callback) => callback(null, '127.0.0.1', 4), family: 4 },
        { host: 'x.test', port: plain, lookup: (name, options, callback) => setTimeout(callback, 5, null, '127.0.0.1', 4), family: 4 },
        { path: ${JSON.stringify(traps.name)} },
      ]
      let count = 0
      for (const kind of [() => place, () => ({ path: '/no/listener/here' }), () => ({ socket: network.connect(place) })]) {
        for (const next of places) {
          const socket = network.httpsAgent().createConnection(kind())
          await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve))
          try {
            socket.connect(next)
          } catch {
            // It may be rejected immediately.
          }
          await new Promise((resolve) => setTimeout(resolve, 20))
          socket.destroy()
          count += 1
        }
      }
      process.stdout.write(JSON.stringify(count), () => process.exit())`
    expect(await askPlainNode(program)).toBe(18)
    await expectRefused({})
  })

  describe('by datagrams', () => {
    /** Sends, connects and joins in each way before it is bound, and waits. */
    async function tried(socket: dgram.Socket, call: (socket: dgram.Socket) => unknown): Promise<Outcome> {
      const outcome = new Promise<Outcome>((resolve) => {
        socket.on('error', (error) => resolve(codeOf(error)))
        setTimeout(resolve, 30, 'sent')
      })
      try {
        call(socket)
      } catch (error) {
        return codeOf(error)
      }
      const result = await outcome
      socket.close()
      return result
    }

    /** Node.js calls back with an error as well, and when a second answer has ended the connection. */
    const sendWhenConnected = (socket: dgram.Socket) => (error?: Error) => {
      try {
        if (error === undefined) socket.send('x')
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' })
      }
    }

    const calls: Record<string, (socket: dgram.Socket) => unknown> = {
      'send to an address': (socket) => socket.send('x', traps.datagram, '127.0.0.1'),
      'send without an address': (socket) => socket.send('x', traps.datagram),
      'send to a name': (socket) => socket.send('x', traps.datagram, 'x.test'),
      'send twice': (socket) => {
        socket.send('x', traps.datagram, '127.0.0.1')
        socket.send('y', traps.datagram, 'x.test')
      },
      'bind, and send': (socket) => socket.bind(0, '127.0.0.1', () => socket.send('x', traps.datagram, '127.0.0.1')),
      'bind to a name, and send': (socket) => {
        socket.bind(0, 'x.test')
        socket.send('x', traps.datagram, '127.0.0.1')
      },
      'connect, and send': (socket) => socket.connect(traps.datagram, '127.0.0.1', sendWhenConnected(socket)),
      'connect to a name, and send': (socket) => socket.connect(traps.datagram, 'x.test', sendWhenConnected(socket)),
      'join a group, and send': (socket) => {
        socket.addMembership('239.1.2.3', '127.0.0.1')
        socket.send('x', traps.datagram, '127.0.0.1')
      },
      'leave a group, and send': (socket) => {
        socket.once('error', () => undefined)
        try {
          socket.dropMembership('239.1.2.3', '127.0.0.1')
        } catch {
          // It was a member of none.
        }
        socket.send('x', traps.datagram, '127.0.0.1')
      },
      'join the group of a source, and send': (socket) => {
        socket.addSourceSpecificMembership('127.0.0.1', '232.1.2.3', '127.0.0.1')
        socket.send('x', traps.datagram, '127.0.0.1')
      },
      'bind, and send immediately': (socket) => {
        ;(socket as { bindSync?(): void }).bindSync?.()
        socket.send('x', traps.datagram, '127.0.0.1')
      },
      'connect, and send immediately': (socket) => {
        const { connectSync } = socket as { connectSync?(port: number, address: string): void }
        if (connectSync === undefined) return
        connectSync.call(socket, traps.datagram, '127.0.0.1')
        socket.send('x')
      },
    }

    test.each(Object.keys(LOOKUPS))('with a lookup that %s', async (how) => {
      const lookup = LOOKUPS[how] as LookupFunction
      for (const call of Object.values(calls)) {
        await tried(network.createSocket({ type: 'udp4', lookup: lookup as never }), call)
      }
      await expectRefused({})
    })

    test('of IPv6', async () => {
      await tried(network.createSocket('udp6'), (socket) => socket.send('x', traps.datagram, '::1'))
      await tried(network.createSocket('udp6'), (socket) =>
        socket.connect(traps.datagram, '::1', sendWhenConnected(socket)),
      )
      await expectRefused({})
    })

    test('through a handle without a descriptor from inside', async () => {
      const socket = network.createSocket('udp4')
      const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
      const { handle } = Reflect.get(socket, symbol as symbol) as {
        handle: Record<string, (...args: unknown[]) => number>
      }
      const EBADF = -9
      for (const method of ['connect', 'connect6', 'recvStart', 'send', 'send6']) {
        expect(handle[method]?.('127.0.0.1', traps.datagram), method).toBe(EBADF)
      }
      socket.close()
    })
  })

  test('and servers inside are not reached outside', async () => {
    const places: net.ListenOptions[] = [
      { port: 0 },
      { port: 0, host: '127.0.0.1' },
      { port: 0, host: '::1' },
      { port: 0, host: 'localhost' },
      { port: 0, exclusive: true },
      { port: 0, host: '127.0.0.1', path: '/tmp/no-listener' },
    ]
    for (const place of places) {
      const server = await network.listen(net.createServer(), place)
      const { port, family } = server.address() as net.AddressInfo
      expect(await outcomeOf(net.connect(port, family === 'IPv6' ? '::1' : '127.0.0.1'))).toBe('ECONNREFUSED')
      server.close()
    }
    const path = `\0nsset-inside-${process.pid}`
    const server = await network.listen(net.createServer(), { path })
    expect(await outcomeOf(net.connect({ path }))).toBe('ECONNREFUSED')
    server.close()
  })

  test('by names: the server for them outside gets no query', async () => {
    using other = await NamespaceSet.unshare(owner === 'net' ? 'net' : ['user', 'net'], { loopback: true })
    other.network.setServers([`127.0.0.1:${traps.datagram}`, `[::1]:${traps.datagram}`, `127.0.0.1:${traps.plain}`])
    const found = await new Promise((resolve) => other.network.lookup('x.test', {}, (error) => resolve(error?.code)))
    expect(found).toMatch(/^(EAI_AGAIN|ENOTFOUND)$/)
    const socket = other.network.connect({ host: 'x.test', port: traps.plain })
    await outcomeOf(socket)
    socket.connect(traps.plain, 'x.test')
    await outcomeOf(socket)
    await expectRefused({})
  })

  describe('of a set that is closed meanwhile', () => {
    const closing = async (use: (network: Network, close: () => void) => Promise<unknown>) => {
      const other = await NamespaceSet.unshare(owner === 'net' ? 'net' : ['user', 'net'], { loopback: true })
      try {
        await use(other.network, () => other.close())
      } finally {
        other.close()
      }
      await expectRefused({})
    }

    test.each(Object.keys(LOOKUPS))('a connection with a lookup that %s', async (how) => {
      await closing(async (network, close) => {
        const lookup = ((...question: Parameters<LookupFunction>) => {
          close()
          LOOKUPS[how]?.(...question)
        }) as LookupFunction
        const place = { host: 'x.test', port: traps.plain, lookup }
        expect(await outcomeOf(network.connect(place))).toMatch(/^(ERR_NSSET_CLOSED|EALREADY|Error: unknown|,)+$/)
      })
      await closing(async (network, close) => {
        const lookup = ((...question: Parameters<LookupFunction>) => {
          close()
          LOOKUPS[how]?.(...question)
        }) as LookupFunction
        const agent = network.httpsAgent({ rejectUnauthorized: false })
        await outcomeOfRequest(https.get({ host: 'x.test', port: traps.secure, lookup, agent }))
      })
    })

    test('a socket that reconnects, and one that binds implicitly', async () => {
      await closing(async (network, close) => {
        const socket = network.connect({ host: '127.0.0.1', port: traps.plain })
        const datagrams = [0, 1, 2].map(() => network.createSocket('udp4').on('error', () => undefined))
        await outcomeOf(socket)
        close()
        for (const place of Object.values(placesOf(traps.plain))) {
          socket.connect(place)
          await outcomeOf(socket)
        }
        datagrams[0]?.send('x', traps.datagram, '127.0.0.1')
        datagrams[1]?.connect(traps.datagram, '127.0.0.1')
        expect(await failureOf(() => datagrams[2]?.addMembership('239.1.2.3'))).toMatchObject({
          code: 'ERR_NSSET_CLOSED',
        })
        await new Promise((resolve) => setTimeout(resolve, 30))
        for (const each of datagrams) each.close()
      })
    })
  })
})

test('the traps record what reaches them', async () => {
  for (const [kind, place] of [
    ['plain', { port: traps.plain }],
    ['name', { path: traps.name }],
  ] as const) {
    const socket = net.connect(place as net.NetConnectOpts)
    await once(socket, 'connect')
    expect(await traps.received()).toEqual([kind])
    socket.destroy()
  }
  expect(await outcomeOfRequest(https.get({ port: traps.secure, rejectUnauthorized: false }))).toBe('answered')
  expect(await traps.received()).toEqual(['secure'])
})
