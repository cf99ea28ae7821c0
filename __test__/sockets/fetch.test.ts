/** `network.fetch`, and `network.connector` for undici: requests from outside to servers inside. */
import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { type BundledApp, bundledApp } from '../setup/package/bundled-app.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { type Certificates, certificatesFor } from '../setup/sockets/certificate-authority.ts'

type Handler = (request: IncomingMessage, response: http.ServerResponse) => void

interface Site extends AsyncDisposable {
  url: string
  /** How many connections there have been, and how many are open. */
  connections(): { ever: number; now: number }
}

/** A port without a listener, outside and inside. */
async function freePort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

describe.each(OWNERS)('in a network of %s', (owner) => {
  let wire: JoinedSets
  beforeAll(async () => {
    wire = await joinedSets(owner)
  })
  afterAll(() => wire[Symbol.dispose]())

  const fetch: typeof globalThis.fetch = (...args) => wire.here.network.fetch(...args)

  /** A server on the other host. */
  async function site(handler: Handler, sets: JoinedSets = wire): Promise<Site> {
    const server = http.createServer(handler)
    let [ever, now] = [0, 0]
    server.on('connection', (socket) => {
      ever += 1
      now += 1
      socket.once('close', () => (now -= 1))
    })
    await sets.there.network.listen(server, { host: '10.9.0.2', port: 0 })
    const close = async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    const { port } = server.address() as AddressInfo
    return { url: `http://10.9.0.2:${port}`, connections: () => ({ ever, now }), [Symbol.asyncDispose]: close }
  }

  test('a response has its status, headers and body', async () => {
    await using web = await site((request, response) => {
      response.writeHead(203, { 'x-path': request.url ?? '', 'x-from': request.socket.remoteAddress ?? '' })
      response.end('hello')
    })
    const response = await fetch(`${web.url}/a?b=c`)
    expect(response).toBeInstanceOf(Response)
    expect([response.status, response.headers.get('x-path'), await response.text()]).toEqual([203, '/a?b=c', 'hello'])
    expect(response.headers.get('x-from')).toBe('10.9.0.1')
  })

  test('a Request is accepted, as well as a URL', async () => {
    await using web = await site((request, response) => response.end(`${request.method} ${request.headers['x-a']}`))
    const request = new Request(web.url, { method: 'PUT', headers: { 'x-a': 'b' } })
    expect(await (await fetch(request)).text()).toBe('PUT b')
    expect(await (await fetch(new URL(web.url), { method: 'DELETE' })).text()).toBe('DELETE undefined')
  })

  test('a body is sent, whole or as a stream', async () => {
    await using web = await site(async (request, response) => response.end((await text(request)).toUpperCase()))
    expect(await (await fetch(web.url, { method: 'POST', body: 'whole' })).text()).toBe('WHOLE')
    const parts = ['one ', 'two ', 'three']
    const body = ReadableStream.from(parts)
    const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
    expect(await (await fetch(web.url, init)).text()).toBe('ONE TWO THREE')
  })

  test('a body is received as it is written', async () => {
    let goOn = () => {}
    await using web = await site((_request, response) => {
      response.write('first')
      goOn = () => response.end('second')
    })
    const reader = (await fetch(web.url)).body?.getReader()
    const read = async () => new TextDecoder().decode((await reader?.read())?.value)
    expect(await read()).toBe('first')
    goOn()
    expect(await read()).toBe('second')
    expect((await reader?.read())?.done).toBe(true)
  })

  test('a redirect is followed, unless disabled', async () => {
    await using web = await site((request, response) => {
      if (request.url === '/there') return response.end('arrived')
      response.writeHead(302, { location: '/there' }).end()
    })
    const response = await fetch(`${web.url}/here`)
    expect([response.redirected, response.url, await response.text()]).toEqual([true, `${web.url}/there`, 'arrived'])
    expect((await fetch(`${web.url}/here`, { redirect: 'manual' })).status).toBe(302)
    expect(await failureOf(() => fetch(`${web.url}/here`, { redirect: 'error' }))).toBeInstanceOf(TypeError)
  })

  test('connections are kept for later requests, as by the global fetch', async () => {
    using sets = await joinedSets(owner)
    const handler: Handler = (_request, response) => response.end('again')
    const outside = http.createServer(handler).listen(0, '127.0.0.1')
    let ever = 0
    outside.on('connection', () => (ever += 1))
    await once(outside, 'listening')
    const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`
    await using web = await site(handler, sets)
    for (let count = 0; count < 20; count += 1) {
      await (await sets.here.network.fetch(web.url)).text()
      await (await globalThis.fetch(url)).text()
    }
    outside.closeAllConnections()
    outside.close()
    // It may open another one before it notices that the first is free.
    expect(web.connections().ever).toBeLessThanOrEqual(Math.max(ever, 2))
  })

  test('closing the set ends idle connections', async () => {
    using sets = await joinedSets(owner)
    await using web = await site((_request, response) => response.end('hello'), sets)
    await (await sets.here.network.fetch(web.url)).text()
    expect(web.connections().now).toBe(1)
    sets.here.close()
    expect(await eventually(web.connections, ({ now }) => now === 0)).toEqual({ ever: 1, now: 0 })
    const error = await failureOf(() => sets.here.network.fetch(web.url))
    expect(error).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  })

  test('a hundred requests leave nothing open', async () => {
    using first = await joinedSets(owner)
    await using warm = await site((_request, response) => response.end('hello'), first)
    await (await first.here.network.fetch(warm.url)).text()
    first.here.close()
    await eventually(warm.connections, ({ now }) => now === 0)
    const before = resources()
    {
      using sets = await joinedSets(owner)
      await using web = await site((_request, response) => response.end('hello'), sets)
      await Promise.all(Array.from({ length: 100 }, async () => (await sets.here.network.fetch(web.url)).text()))
      sets.here.close()
      await eventually(web.connections, ({ now }) => now === 0)
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('an abort ends a request, before and during it', async () => {
    await using web = await site((_request, response) => response.write('first'))
    const early = await failureOf(() => fetch(web.url, { signal: AbortSignal.abort() }))
    expect(early.name).toBe('AbortError')
    const controller = new AbortController()
    const response = await fetch(web.url, { signal: controller.signal })
    controller.abort()
    expect((await failureOf(() => response.text())).name).toBe('AbortError')
    expect(await eventually(web.connections, ({ now }) => now === 0)).toMatchObject({ now: 0 })
    const late = await failureOf(() => fetch('http://10.9.0.77/', { signal: AbortSignal.timeout(100) }))
    expect(late.name).toBe('TimeoutError')
  })

  describe('errors equal those of the global fetch for', () => {
    /** Node's own fetch outside, as the oracle. */
    const fieldsOf = (error: Error) => {
      const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException }
      return { name, message, cause: { ...cause, name: cause?.name, message: cause?.message } }
    }

    test('a port without a listener', async () => {
      // Ports such as 9 are blocked by fetch itself: https://fetch.spec.whatwg.org/#port-blocking
      const url = `http://127.0.0.1:${await freePort()}/`
      const nodes = fieldsOf(await failureOf(() => globalThis.fetch(url)))
      expect(nodes.cause).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.1' })
      expect(fieldsOf(await failureOf(() => fetch(url)))).toEqual(nodes)
    })

    test('an unreachable host', async () => {
      const { cause, ...error } = fieldsOf(await failureOf(() => fetch('http://10.66.0.1:80/')))
      expect(error).toEqual({ name: 'TypeError', message: 'fetch failed' })
      expect(cause).toMatchObject({ code: 'EHOSTUNREACH', syscall: 'connect', address: '10.66.0.1', port: 80 })
    })

    test('an unknown name', async () => {
      const { cause, ...error } = fieldsOf(await failureOf(() => fetch('http://no_such..name/')))
      expect(error).toEqual({ name: 'TypeError', message: 'fetch failed' })
      expect(cause).toMatchObject({ code: 'ENOTFOUND', syscall: 'getaddrinfo', errno: -3008 })
    })

    test('an invalid URL, and an unknown scheme', async () => {
      for (const url of ['nonsense', 'ftp://10.9.0.2/']) {
        const [ours, nodes] = [await failureOf(() => fetch(url)), await failureOf(() => globalThis.fetch(url))]
        expect(fieldsOf(ours)).toEqual(fieldsOf(nodes))
      }
    })

    test('a server that closes during the response', async () => {
      await using web = await site((_request, response) => {
        response.writeHead(200, { 'content-length': 10 }).write('half')
        setTimeout(() => response.destroy(), 20)
      })
      const error = await failureOf(async () => (await fetch(web.url)).text())
      expect([error.name, error.message]).toEqual(['TypeError', 'terminated'])
    })
  })

  test('a server inside responds, although one outside has the same address', async () => {
    const outside = http.createServer((_request, response) => response.end('outside')).listen(0, '127.0.0.1')
    await once(outside, 'listening')
    const { port } = outside.address() as AddressInfo
    const inside = http.createServer((_request, response) => response.end('inside'))
    await wire.here.network.listen(inside, { host: '127.0.0.1', port })
    try {
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('inside')
      expect(await (await globalThis.fetch(`http://127.0.0.1:${port}/`)).text()).toBe('outside')
    } finally {
      for (const server of [inside, outside]) {
        server.closeAllConnections()
        server.close()
      }
    }
    await wait(1)
  })
})

/** The beginning of each program: a network of the caller, with an HTTPS server in it. */
const BEGINNING = `
  import { NamespaceSet } from 'nsset'
  import { readFileSync } from 'node:fs'
  import http from 'node:http'
  import https from 'node:https'
  import http2 from 'node:http2'
  const kinds = process.getuid() === 0 ? ['net'] : ['user', 'net']
  const set = NamespaceSet.unshareSync(kinds, { loopback: true, ...(kinds.length > 1 ? { mapUser: 'root' } : {}) })
  const [key, cert, ca] = ['key', 'cert', 'ca'].map((name) =>
    readFileSync(process.env['PEMS'] + '/' + name + '.pem', 'utf8'))
  const answer = (request, response) => response.end(JSON.stringify({
    version: request.httpVersion, agent: request.headers['user-agent'], servername: request.socket.servername,
    path: request.url }))
  const portOf = async (server) => (await set.network.listen(server, { host: '127.0.0.1', port: 0 })).address().port
  const caught = async (call) => { try { return await call() } catch (error) {
    return { name: error.name, message: error.message, code: error.code, cause: error.cause?.code } } }
  const done = (value) => { console.log(JSON.stringify(value)); set.close(); process.exit(0) }
`

describe('in an application', () => {
  let plain: BundledApp
  let pems: Certificates
  const directory = temporaryDirectory()
  let env: Record<string, string>
  beforeAll(() => {
    plain = bundledApp()
    pems = certificatesFor('DNS:localhost,IP:127.0.0.1', directory)
    env = { PEMS: directory.path }
  })
  afterAll(() => {
    plain[Symbol.dispose]()
    directory[Symbol.dispose]()
  })

  /** Runs a program of an application, and returns its result. */
  async function valueIn(app: BundledApp, program: string, more: Record<string, string> = {}): Promise<unknown> {
    const { value, stderr, stdout, code, signal } = await app.run(BEGINNING + program, { env: { ...env, ...more } })
    expect(value, `${signal ?? code}: ${stderr}${stdout}`).not.toBeUndefined()
    return value
  }

  const SECURE = `
    const port = await portOf(https.createServer({ key, cert }, answer))
    const get = async (url) => (await set.network.fetch(url)).json()
    done([await caught(() => get('https://localhost:' + port + '/a')),
      await caught(() => get('https://127.0.0.1:' + port + '/b'))])`

  test('without undici, Node’s additional certificate authorities are trusted', async () => {
    const value = await valueIn(plain, SECURE, { NODE_EXTRA_CA_CERTS: pems.caFile })
    const common = { version: '1.1', agent: 'node' }
    expect(value).toEqual([
      { ...common, servername: 'localhost', path: '/a' },
      { ...common, servername: false, path: '/b' },
    ])
  })

  test('unknown authorities are not trusted', async () => {
    const value = await valueIn(plain, SECURE, { NODE_EXTRA_CA_CERTS: '' })
    const refused = { name: 'TypeError', message: 'fetch failed', cause: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
    expect(value).toEqual([refused, refused])
  })

  test('a certificate of another name is rejected', async () => {
    const program = `
      const port = await portOf(https.createServer({ key, cert }, answer))
      done(await caught(() => set.network.fetch('https://other.localhost:' + port)))`
    const value = await valueIn(plain, program, { NODE_EXTRA_CA_CERTS: pems.caFile })
    expect(value).toMatchObject({ name: 'TypeError', cause: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test('with a custom global dispatcher and without undici, the error names the remedy', async () => {
    const program = `
      void globalThis.Response
      for (const version of [1, 2]) {
        globalThis[Symbol.for('undici.globalDispatcher.' + version)] = new (class Mine { dispatch() {} })
      }
      done(await caught(() => set.network.fetch('http://127.0.0.1/')))`
    const value = (await valueIn(plain, program)) as Error
    expect(value).toMatchObject({ name: 'TypeError', code: 'ERR_NSSET_UNSUPPORTED_PLATFORM' })
    expect(value.message).toContain('install undici')
  })

  test('with a proxy in the environment, requests inside do not use it', async () => {
    const program = `
      const port = await portOf(http.createServer(answer))
      let requests = 0
      const proxy = http.createServer((request, response) => { requests += 1; response.end('{}') })
      proxy.on('connect', () => { requests += 1 })
      await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve))
      process.env.HTTP_PROXY = process.env.http_proxy = 'http://127.0.0.1:' + proxy.address().port
      const outcome = await caught(async () => (await set.network.fetch('http://127.0.0.1:' + port + '/')).json())
      done({ requests, outcome })`
    const { requests, outcome } = (await valueIn(plain, program, {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '',
    })) as { requests: number; outcome: object }
    expect(requests).toBe(0)
    expect(outcome).toMatchObject({ path: '/' })
  })

  test.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG'])(
    'a loader that fails with %s for undici leads to Node’s own',
    async (code) => {
      const program = `
        const { register } = await import('node:module')
        const hooks = \`export async function resolve(name, context, next) {
          if (name !== 'undici') return next(name, context)
          throw Object.assign(new Error('no undici'), { code: '${code}' })
        }\`
        register('data:text/javascript,' + encodeURIComponent(hooks))
        const port = await portOf(http.createServer(answer))
        done(await caught(async () => (await set.network.fetch('http://127.0.0.1:' + port + '/a')).json()))`
      expect(await valueIn(plain, program)).toMatchObject({ path: '/a', agent: 'node' })
    },
  )

  test('another failure of undici is reported', async () => {
    const program = `
      const { register } = await import('node:module')
      const hooks = \`export async function resolve(name, context, next) {
        if (name !== 'undici') return next(name, context)
        return { url: 'data:text/javascript,throw new RangeError("broken")', shortCircuit: true }
      }\`
      register('data:text/javascript,' + encodeURIComponent(hooks))
      done(await caught(() => set.network.fetch('http://127.0.0.1/')))`
    expect(await valueIn(plain, program)).toMatchObject({ name: 'RangeError', message: 'broken' })
  })

  describe.each(['6', '7'])('with undici %s', (version) => {
    let app: BundledApp
    let failure: string | undefined
    beforeAll(() => {
      app = bundledApp()
      failure = app.install(`undici@${version}`)
    }, 150_000)
    afterAll(() => app[Symbol.dispose]())

    function testInApp(name: string, body: () => Promise<void>): void {
      test(name, async (context) => {
        if (failure !== undefined) return context.skip(failure)
        await body()
      })
    }

    testInApp('its fetch is used', async () => {
      const value = await valueIn(app, SECURE, { NODE_EXTRA_CA_CERTS: pems.caFile })
      expect(value).toMatchObject([
        { agent: 'undici', servername: 'localhost', path: '/a' },
        { agent: 'undici', path: '/b' },
      ])
    })

    testInApp('a global dispatcher of the application is not used inside', async () => {
      const program = `
        const { MockAgent, setGlobalDispatcher } = await import('undici')
        const mock = new MockAgent()
        mock.disableNetConnect()
        setGlobalDispatcher(mock)
        const port = await portOf(http.createServer(answer))
        done(await caught(async () => (await set.network.fetch('http://127.0.0.1:' + port + '/')).json()))`
      expect(await valueIn(app, program)).toMatchObject({ path: '/', agent: 'undici' })
    })

    testInApp('its Agent connects through the connector, with the connector’s trusted authorities', async () => {
      const program = `
        const { Agent, request } = await import('undici')
        const port = await portOf(https.createServer({ key, cert }, answer))
        const plainPort = await portOf(http.createServer(answer))
        const dispatcher = new Agent({ connect: set.network.connector({ ca }) })
        const distrusting = new Agent({ connect: set.network.connector() })
        const get = async (url, dispatcher) => (await request(url, { dispatcher })).body.json()
        done([
          await caught(() => get('https://localhost:' + port + '/a', dispatcher)),
          await caught(() => get('https://localhost:' + port + '/a', distrusting)),
          await caught(() => get('http://127.0.0.1:' + plainPort + '/b', dispatcher)),
          await caught(() => get('http://127.0.0.1:9/', dispatcher)),
        ])`
      expect(await valueIn(app, program)).toMatchObject([
        { version: '1.1', servername: 'localhost', path: '/a' },
        { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
        { path: '/b' },
        { code: 'ECONNREFUSED' },
      ])
    })

    testInApp('its Agent speaks HTTP/2 if both it and the connector enable it', async () => {
      const program = `
        const { Agent, request } = await import('undici')
        const port = await portOf(http2.createSecureServer({ key, cert, allowHTTP1: true }, answer))
        const both = []
        for (const allowH2 of [true, false]) {
          const dispatcher = new Agent({ allowH2, connect: set.network.connector({ ca, allowH2 }) })
          const url = 'https://localhost:' + port + '/'
          both.push(await caught(async () => (await request(url, { dispatcher })).body.json()))
        }
        done(both)`
      expect(await valueIn(app, program)).toMatchObject([{ version: '2.0' }, { version: '1.1' }])
    })

    testInApp('a connection attempt times out', async () => {
      const program = `
        const { Agent, request } = await import('undici')
        await set.execFile('ip', ['link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right'])
        for (const words of ['addr add 10.7.0.1/24 dev left', 'link set left up', 'link set right up',
          'neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev left']) await set.execFile('ip', words.split(' '))
        const dispatcher = new Agent({ connect: set.network.connector({ timeout: 200 }) })
        const start = performance.now()
        const failure = await caught(() => request('http://10.7.0.2/', { dispatcher }))
        done([failure.code, performance.now() - start < 3000])`
      expect(await valueIn(app, program)).toEqual(['UND_ERR_CONNECT_TIMEOUT', true])
    })
  })
})
