/** HTTP, HTTPS, HTTP/2 and TLS inside: Node's own servers and clients, with agents and sockets of the network. */
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type net from 'node:net'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import type { Network } from 'nsset'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { curl } from '../setup/oracles/peers.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { certificateFor } from '../setup/sockets/certificates.ts'

const ONE = certificateFor('one.test')
const TWO = certificateFor('two.test')

/** Each name resolves to the other host. */
const lookup = ((_: string, { all }: { all?: boolean }, callback: (...args: unknown[]) => void) =>
  setImmediate(() =>
    all ? callback(null, [{ address: '10.9.0.2', family: 4 }]) : callback(null, '10.9.0.2', 4),
  )) as net.LookupFunction

interface Answer {
  status: number | undefined
  body: string
  /** The same for requests on one connection. */
  localPort: number | undefined
  reused: boolean
}

/** The response to a request. */
async function answerTo(request: http.ClientRequest): Promise<Answer> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const { localPort } = response.socket
  const body = await text(response)
  return { status: response.statusCode, body, localPort, reused: request.reusedSocket }
}

for (const owner of OWNERS) {
  describe(`between two hosts (${owner})`, () => {
    let sets: JoinedSets
    let here: Network
    let there: Network
    const servers: net.Server[] = []
    beforeAll(async () => {
      sets = await joinedSets(owner)
      here = sets.here.network
      there = sets.there.network
    })
    afterEach(async () => {
      for (const server of servers.splice(0)) {
        if ('closeAllConnections' in server) (server as http.Server).closeAllConnections()
        if (!server.listening) continue
        server.close()
        await once(server, 'close')
      }
    })
    afterAll(() => sets[Symbol.dispose]())

    async function serve<S extends net.Server>(server: S, port: number): Promise<S> {
      servers.push(server)
      return await there.listen(server, { port, host: '10.9.0.2' })
    }

    const PLACE = { host: '10.9.0.2', port: 80 }
    const SECURE = { host: 'one.test', port: 443, ca: [ONE.cert, TWO.cert], lookup }

    describe('http', () => {
      const echo = () =>
        http.createServer(async (request, response) => {
          const { method, url, socket } = request
          response.end(`${method} ${url} from ${socket.remoteAddress}: ${await text(request)}`)
        })

      test('an agent sends GET and POST, and the server sees the address inside', async () => {
        await serve(echo(), 80)
        const agent = here.httpAgent()
        const got = await answerTo(http.get({ ...PLACE, path: '/a?b', agent }))
        expect(got).toMatchObject({ status: 200, body: 'GET /a?b from 10.9.0.1: ' })
        const posting = http.request({ ...PLACE, method: 'POST', agent })
        posting.end('x'.repeat(200_000))
        expect((await answerTo(posting)).body).toBe(`POST / from 10.9.0.1: ${'x'.repeat(200_000)}`)
        const other = here.httpAgent({ localAddress: '10.9.0.9' } as http.AgentOptions)
        const [error] = await once(http.get({ ...PLACE, agent: other }), 'error')
        expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'bind', address: '10.9.0.9' })
      })
      test('the name in a URL is looked up with the options of the request', async () => {
        await serve(echo(), 80)
        const agent = here.httpAgent()
        const got = await answerTo(http.get('http://any.test/path', { agent, lookup }))
        expect(got.body).toBe('GET /path from 10.9.0.1: ')
      })
      test('keep-alive reuses a connection, and without it each request has its own', async () => {
        await serve(echo(), 80)
        const kept = here.httpAgent({ keepAlive: true })
        const first = await answerTo(http.get({ ...PLACE, agent: kept }))
        await new Promise((resolve) => setImmediate(resolve))
        expect(Object.values(kept.freeSockets).flat()).toHaveLength(1)
        const second = await answerTo(http.get({ ...PLACE, agent: kept }))
        expect([first.reused, second.reused, second.localPort]).toEqual([false, true, first.localPort])
        kept.destroy()
        const single = here.httpAgent({ keepAlive: false })
        const ports = [
          await answerTo(http.get({ ...PLACE, agent: single })),
          await answerTo(http.get({ ...PLACE, agent: single })),
        ]
        expect(ports.map(({ reused }) => reused)).toEqual([false, false])
        expect(ports[0]?.localPort).not.toBe(ports[1]?.localPort)
      })
      test('maxSockets, maxFreeSockets and maxTotalSockets limit the pool', async () => {
        let most = 0
        let now = 0
        const server = http.createServer((_, response) => {
          most = Math.max(most, ++now)
          setTimeout(() => {
            now -= 1
            response.end('done')
          }, 10)
        })
        await serve(server, 80)
        for (const bound of [{ maxSockets: 2 }, { maxTotalSockets: 2 }]) {
          most = 0
          const agent = here.httpAgent({ keepAlive: true, maxFreeSockets: 1, ...bound })
          const answers = await Promise.all(Array.from({ length: 8 }, () => answerTo(http.get({ ...PLACE, agent }))))
          expect(answers.map(({ body }) => body)).toEqual(Array(8).fill('done'))
          expect([most, new Set(answers.map(({ localPort }) => localPort)).size]).toEqual([2, 2])
          await new Promise((resolve) => setTimeout(resolve, 20))
          expect(Object.values(agent.freeSockets).flat()).toHaveLength(1)
          agent.destroy()
        }
      })
      test('a timeout is reported to the request; an abort ends it', async () => {
        await serve(http.createServer(), 80)
        for (const agent of [here.httpAgent({ timeout: 60 }), here.httpAgent()]) {
          const request = http.get({ ...PLACE, agent, timeout: 60 })
          await once(request, 'timeout')
          request.destroy(new Error('too long'))
          expect(await once(request, 'error')).toMatchObject([{ message: 'too long' }])
        }
        const signal = AbortSignal.timeout(50)
        const [error] = await once(http.get({ ...PLACE, agent: here.httpAgent(), signal }), 'error')
        expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
      })
      test('a missing listener and a silent host are Node’s own errors', async () => {
        const agent = here.httpAgent()
        const [refused] = await once(http.get({ host: '10.9.0.2', port: 81, agent }), 'error')
        expect(refused).toMatchObject({
          message: 'connect ECONNREFUSED 10.9.0.2:81',
          ...{ code: 'ECONNREFUSED', syscall: 'connect', address: '10.9.0.2', port: 81 },
        })
        const [unreachable] = await once(http.get({ host: '10.66.0.1', agent }), 'error')
        expect(unreachable).toMatchObject({ code: 'EHOSTUNREACH', address: '10.66.0.1', port: 80 })
      })
      test('an upgrade and a CONNECT pass the socket', async () => {
        const server = http.createServer()
        server.on('upgrade', (_, socket) =>
          socket.end('HTTP/1.1 101 Up\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nup'),
        )
        server.on('connect', (_, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nthrough'))
        await serve(server, 80)
        const agent = here.httpAgent()
        const headers = { Connection: 'Upgrade', Upgrade: 'x' }
        const [, up, head] = await once(http.get({ ...PLACE, agent, headers }), 'upgrade')
        expect(String(head) + (await text(up))).toBe('up')
        const request = http.request({ ...PLACE, agent, method: 'CONNECT', path: 'a:1' })
        request.end()
        const [, through, first] = await once(request, 'connect')
        expect(String(first) + (await text(through))).toBe('through')
      })
      test('a socketPath is in the file system, and an abstract one in the network', async () => {
        using directory = temporaryDirectory()
        for (const path of [directory.file('http.sock'), '\0nsset-http']) {
          const server = await here.listen(echo(), { path })
          const got = await answerTo(http.get({ socketPath: path, path: '/over', agent: here.httpAgent() }))
          expect(got.body).toBe('GET /over from undefined: ')
          server.close()
        }
      })
      test('curl reaches the server, with several requests on one connection', async () => {
        let connections = 0
        const server = await serve(echo(), 80)
        server.on('connection', () => (connections += 1))
        const got = await curl(sets.here, '-d', 'data', 'http://10.9.0.2/one', 'http://10.9.0.2/two')
        expect(got).toBe('POST /one from 10.9.0.1: dataPOST /two from 10.9.0.1: data')
        expect(connections).toBe(1)
      })
    })

    describe('https', () => {
      const contexts: Record<string, tls.SecureContext> = {
        'one.test': tls.createSecureContext(ONE),
        'two.test': tls.createSecureContext(TWO),
      }
      const secure = () =>
        https.createServer(
          { ...ONE, SNICallback: (name, callback) => callback(null, contexts[name]), ALPNProtocols: ['http/1.1'] },
          (request, response) => {
            const socket = request.socket as tls.TLSSocket
            response.end(
              [socket.servername, socket.alpnProtocol, socket.isSessionReused(), socket.remoteAddress].join(' '),
            )
          },
        )

      test('an agent sends the server name, verifies the certificate, and negotiates a protocol', async () => {
        await serve(secure(), 443)
        const agent = here.httpsAgent({ ALPNProtocols: ['http/1.1'] } as https.AgentOptions)
        for (const host of ['one.test', 'two.test']) {
          const got = await answerTo(https.get({ ...SECURE, host, agent }))
          expect(got.body).toBe(`${host} http/1.1 false 10.9.0.1`)
        }
        const [wrong] = await once(https.get({ ...SECURE, host: 'three.test', agent }), 'error')
        expect(wrong).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'three.test' })
        const [unknown] = await once(https.get({ ...SECURE, ca: [], agent }), 'error')
        expect(unknown).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
        const answer = await answerTo(https.get({ ...SECURE, host: '10.9.0.2', servername: 'two.test', agent }))
        expect(answer.body).toMatch(/^two\.test /)
      })
      test('keep-alive reuses a connection; the next connection reuses the session', async () => {
        const server = secure()
        await serve(server, 443)
        const kept = here.httpsAgent({ keepAlive: true, maxSockets: 1 })
        const first = await answerTo(https.get({ ...SECURE, agent: kept }))
        const second = await answerTo(https.get({ ...SECURE, agent: kept }))
        expect([second.reused, second.localPort]).toEqual([true, first.localPort])
        kept.destroy()
        for (const [maxCachedSessions, reused] of [
          [100, 'true'],
          [0, 'false'],
        ] as const) {
          const agent = here.httpsAgent({ keepAlive: false, maxCachedSessions })
          await answerTo(https.get({ ...SECURE, agent }))
          const later = await answerTo(https.get({ ...SECURE, agent }))
          expect(later.body.split(' ')[2], `${maxCachedSessions} sessions`).toBe(reused)
        }
      })
      test('of two addresses the one that responds is chosen', async () => {
        await serve(secure(), 443)
        const two = ((_: string, __: object, callback: (...args: unknown[]) => void) =>
          callback(null, [
            { address: 'fd09::2', family: 6 },
            { address: '10.66.0.1', family: 4 },
            { address: '10.9.0.2', family: 4 },
          ])) as net.LookupFunction
        const agent = here.httpsAgent({ autoSelectFamily: true } as https.AgentOptions)
        expect((await answerTo(https.get({ ...SECURE, agent, lookup: two }))).body).toMatch(
          /^one\.test .* 10\.9\.0\.1$/,
        )
      })
      test('a missing listener is Node’s own error', async () => {
        const [refused] = await once(https.get({ host: '10.9.0.2', port: 444, agent: here.httpsAgent() }), 'error')
        expect(refused).toMatchObject({ message: 'connect ECONNREFUSED 10.9.0.2:444', code: 'ECONNREFUSED', port: 444 })
      })
      test('curl reaches the server', async () => {
        await serve(secure(), 443)
        const url = 'https://two.test/'
        const got = await curl(sets.here, '--insecure', '--http1.1', '--resolve', 'two.test:443:10.9.0.2', url)
        expect(got).toBe('two.test http/1.1 false 10.9.0.1')
      })
    })

    describe('http2', () => {
      const both = () =>
        http2.createSecureServer({ ...ONE, allowHTTP1: true }, (request, response) => {
          response.end(`${request.httpVersion} from ${request.socket.remoteAddress}`)
        })

      async function streamed(session: http2.ClientHttp2Session): Promise<string> {
        const stream = session.request({ ':path': '/' })
        return await text(stream.end())
      }

      test('a session over a socket of the network carries many streams', async () => {
        const server = http2.createServer((request, response) => response.end(`to ${request.url}`))
        await serve(server, 80)
        const session = http2.connect('http://one.test', { createConnection: () => here.connect({ ...PLACE }) })
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, index) => text(session.request({ ':path': `/${index}` }).end())),
        )
        expect(answers).toEqual(answers.map((_, index) => `to /${index}`))
        session.close()
        await once(session, 'close')
      })
      test('a session over TLS of the network', async () => {
        await serve(both(), 443)
        const createConnection = () =>
          tls.connect({
            socket: here.connect({ host: '10.9.0.2', port: 443 }),
            ...{ ca: ONE.cert, servername: 'one.test', ALPNProtocols: ['h2'] },
          })
        const session = http2.connect('https://one.test', { createConnection })
        expect(await streamed(session)).toBe('2.0 from 10.9.0.1')
        expect(session.alpnProtocol).toBe('h2')
        session.close()
        await once(session, 'close')
      })
      test('a server of both versions speaks HTTP/1.1 with an agent', async () => {
        await serve(both(), 443)
        const got = await answerTo(https.get({ ...SECURE, agent: here.httpsAgent() }))
        expect(got.body).toBe('1.1 from 10.9.0.1')
      })
      test('a session without a server fails as Node’s own', async () => {
        const session = http2.connect('http://one.test', {
          createConnection: () => here.connect({ host: '10.9.0.2', port: 82 }),
        })
        expect(await once(session, 'error')).toMatchObject([{ code: 'ECONNREFUSED', address: '10.9.0.2', port: 82 }])
      })
      test('curl reaches the server with either version', async () => {
        await serve(both(), 443)
        const words = ['--insecure', '--resolve', 'one.test:443:10.9.0.2', 'https://one.test/']
        expect(await curl(sets.here, '--http2', ...words)).toBe('2.0 from 10.9.0.1')
        expect(await curl(sets.here, '--http1.1', ...words)).toBe('1.1 from 10.9.0.1')
      })
    })

    describe('tls', () => {
      test('a server and a client of the network', async () => {
        const server = tls.createServer({ ...ONE, ALPNProtocols: ['a', 'b'] }, (socket) => {
          socket.end(`${socket.servername} ${socket.alpnProtocol} ${socket.remoteAddress}`)
        })
        await serve(server, 443)
        const socket = tls.connect({
          socket: here.connect({ host: '10.9.0.2', port: 443 }),
          ...{ ca: ONE.cert, servername: 'one.test', ALPNProtocols: ['b'] },
        })
        expect(await text(socket)).toBe('one.test b 10.9.0.1')
        expect(socket.authorized).toBe(true)
      })
      test('over a connected socket', async () => {
        await serve(
          tls.createServer(ONE, (socket) => socket.end('hello')),
          443,
        )
        const socket = here.connect({ host: '10.9.0.2', port: 443 })
        await once(socket, 'connect')
        expect(await text(tls.connect({ socket, ca: ONE.cert, servername: 'one.test' }))).toBe('hello')
      })
      test('a session is reused', async () => {
        const server = tls.createServer(ONE, (socket) => socket.end(String(socket.isSessionReused())))
        await serve(server, 443)
        let session: Buffer | undefined
        const connect = async () => {
          const socket = tls.connect({
            socket: here.connect({ host: '10.9.0.2', port: 443 }),
            ...{ ca: ONE.cert, servername: 'one.test', session },
          })
          socket.on('session', (given) => (session = given))
          return await text(socket)
        }
        expect([await connect(), await connect()]).toEqual(['false', 'true'])
      })
      test('megabytes pass in both directions', async () => {
        await serve(
          tls.createServer(ONE, (socket) => socket.on('error', () => undefined).pipe(socket)),
          443,
        )
        const socket = tls.connect({
          socket: here.connect({ host: '10.9.0.2', port: 443, allowHalfOpen: true }),
          ...{ ca: ONE.cert, servername: 'one.test', allowHalfOpen: true },
        })
        const got = text(socket)
        socket.end('x'.repeat(8 << 20))
        expect((await got).length).toBe(8 << 20)
      })
      test('a missing listener is reported to the TLS socket', async () => {
        const socket = tls.connect({ socket: here.connect({ host: '10.9.0.2', port: 445 }), servername: 'one.test' })
        expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNREFUSED', port: 445 }])
      })
    })

    test('agents of a closed set report that', async () => {
      using set = sets.here.dup()
      const agents = [set.network.httpAgent(), set.network.httpsAgent()] as const
      set.close()
      for (const [module, agent] of [
        [http, agents[0]],
        [https, agents[1]],
      ] as const) {
        const failure = await failureOf(async () => {
          const [error] = await once(module.get({ host: '10.9.0.2', agent: agent as https.Agent }), 'error')
          throw error
        })
        expect(failure).toMatchObject({ name: 'TypeError', code: 'ERR_NSSET_CLOSED' })
      }
    })
  })
}
