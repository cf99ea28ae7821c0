/**
 * TLS sessions are resumed by later connections of a network, as by the agents of undici and Node.js outside, and never
 * in another network, for another name or with other TLS options. Connections send keep-alive probes as undici's do.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type net from 'node:net'
import type { AddressInfo, LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { NamespaceSet, type Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputOf } from '../setup/oracles/iproute.ts'
import { listening } from '../setup/oracles/peers.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { OWNERS } from '../setup/sets/joined-sets.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { type Certificate, certificateFor } from '../setup/sockets/certificates.ts'
import { agentOfUndici } from '../setup/sockets/undici-of-node.ts'

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
type Version = (typeof VERSIONS)[number]

const ONE = certificateFor('one.test', 'two.test')
const CLIENT = certificateFor('client.test')
/** All servers here could resume each other's sessions. */
const TICKET_KEYS = Buffer.alloc(48, 'key')

/** Each name resolves to this machine. */
const lookup = ((_: string, { all }: { all?: boolean }, callback: (...args: unknown[]) => void) =>
  setImmediate(() =>
    all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
  )) as LookupFunction

/** A server that reports whether it resumed a session; each request has its own connection. */
function resumptionServer(options: https.ServerOptions = {}, certificate: Certificate = ONE): https.Server {
  const every = { ...certificate, ticketKeys: TICKET_KEYS, ...options }
  return https.createServer(every, ({ socket }, response) => {
    const { servername, authorized } = socket as tls.TLSSocket
    const isReused = (socket as tls.TLSSocket).isSessionReused()
    response.writeHead(200, { connection: 'close' }).end(`${isReused ? 'resumed' : 'new'} ${servername} ${authorized}`)
  })
}

/** Requests a page over TLS; `options` are those of `tls.connect`. */
type Get = (url: string) => Promise<string>
type Client = (options: tls.ConnectionOptions & { maxCachedSessions?: number }) => Get

const Agent = agentOfUndici()

function getByDispatcher(connect: unknown): Get {
  const dispatcher = new Agent({ connect })
  return async (url) => (await globalThis.fetch(url, { dispatcher } as unknown as RequestInit)).text()
}

function getByAgent(agent: https.Agent): Get {
  return async (url) => {
    const [response] = (await once(https.get(url, { agent }), 'response')) as [http.IncomingMessage]
    return text(response)
  }
}

/** What undici and Node.js do outside, and the equivalent in a network. */
const WAYS: Record<string, { outside: Client; inside: (network: Network) => Client }> = {
  'the connector of undici': {
    outside: (options) => getByDispatcher(options),
    inside: (network) => (options) => getByDispatcher(network.connector(options)),
  },
  'an agent of https': {
    outside: (options) => getByAgent(new https.Agent({ keepAlive: false, ...options })),
    inside: (network) => (options) => getByAgent(network.httpsAgent({ keepAlive: false, ...options })),
  },
}

/** The first words of the answers: `['new', 'resumed']`. */
async function resumptions(get: Get, urls: readonly string[]): Promise<string[]> {
  const all: string[] = []
  for (const url of urls) all.push((await get(url)).split(' ')[0] ?? '')
  return all
}

for (const owner of OWNERS) {
  describe(`in a network (${owner})`, () => {
    const unshare = () => NamespaceSet.unshare(owner === 'net' ? 'net' : ['user', 'net'], { loopback: true })
    let set: NamespaceSet
    let other: NamespaceSet
    let port: number
    const servers: https.Server[] = []

    beforeAll(async () => {
      set = await unshare()
      other = await unshare()
      const outside = resumptionServer().listen(0, '127.0.0.1')
      await once(outside, 'listening')
      port = (outside.address() as AddressInfo).port
      servers.push(outside)
      for (const { network } of [set, other]) {
        servers.push(await network.listen(resumptionServer(), { host: '127.0.0.1', port }))
      }
    })
    afterAll(() => {
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      set?.close()
      other?.close()
    })

    const url = (host = 'one.test', at = port) => `https://${host}:${at}/`
    /** Trusts the servers, speaks one version, and resolves every name. */
    const trusting = (version: Version) => ({ ca: ONE.cert, lookup, minVersion: version, maxVersion: version })

    async function serve(options: https.ServerOptions, certificate?: Certificate): Promise<number> {
      const server = await set.network.listen(resumptionServer(options, certificate), { host: '127.0.0.1', port: 0 })
      servers.push(server)
      return (server.address() as AddressInfo).port
    }

    describe.each(VERSIONS)('over %s', (version) => {
      describe.each(Object.entries(WAYS))('by %s', (_, { outside, inside }) => {
        const client: Client = (options) => inside(set.network)(options)

        test.each<[string, { maxCachedSessions?: number }, hosts: string[], expected: string[]]>([
          ['the second connection resumes', {}, ['one.test', 'one.test'], ['new', 'resumed']],
          ['each name has its own session', {}, ['one.test', 'two.test', 'one.test'], ['new', 'new', 'resumed']],
          ['no session is kept', { maxCachedSessions: 0 }, ['one.test', 'one.test'], ['new', 'new']],
        ])('%s, as outside with a single server', async (_, options, hosts, expected) => {
          const urls = hosts.map((host) => url(host))
          expect(await resumptions(client({ ...trusting(version), ...options }), urls)).toEqual(expected)
          // undici references sessions weakly, so the garbage collector may drop one. That of Node.js 24
          // resumes none once it has kept another. So the two are compared with a single server.
          if (new Set(hosts).size > 1) return
          await expect
            .poll(() => resumptions(outside({ ...trusting(version), ...options }), urls), { timeout: 10_000 })
            .toEqual(expected)
        })

        test('with more servers than kept sessions, the least recently used one gets a new session', async () => {
          const get = client({ ...trusting(version), maxCachedSessions: 1 })
          const urls = ['one.test', 'one.test', 'two.test', 'one.test'].map((host) => url(host))
          expect(await resumptions(get, urls)).toEqual(['new', 'resumed', 'new', 'new'])
        })

        test('a session is never resumed in another network', async () => {
          const [here, there] = [set.network, other.network].map((network) => inside(network)(trusting(version)))
          expect(await resumptions(here as Get, [url(), url(), url()])).toEqual(['new', 'resumed', 'resumed'])
          expect(await resumptions(there as Get, [url(), url()])).toEqual(['new', 'resumed'])
          // The server there would resume it.
          const [ours, theirs] = [set, other].map((each) => each.network.connect({ host: '127.0.0.1', port })) as [
            net.Socket,
            net.Socket,
          ]
          expect(await isResumed(theirs, version, await sessionOf(ours, version))).toBe(true)
        })

        test('nor when the certificate would be rejected', async () => {
          const loose = client({ lookup, rejectUnauthorized: false, minVersion: version, maxVersion: version })
          expect(await resumptions(loose, [url(), url()])).toEqual(['new', 'resumed'])
          const strict = client({ lookup, minVersion: version, maxVersion: version })
          for (const _ of [1, 2]) expect(codeOf(await failureOf(() => strict(url())))).toMatch(/SELF_SIGNED/)
        })

        test('nor with another client certificate', async () => {
          const at = await serve({ requestCert: true, rejectUnauthorized: false, ca: CLIENT.cert })
          const known = client({ ...trusting(version), ...CLIENT })
          expect(await known(url('one.test', at))).toMatch(/^new .* true$/)
          expect(await known(url('one.test', at))).toMatch(/^resumed .* true$/)
          expect(await client(trusting(version))(url('one.test', at))).toMatch(/^new .* false$/)
        })

        test('a certificate of another name is rejected each time', async () => {
          const get = client(trusting(version))
          for (const _ of [1, 2, 3]) {
            const failure = await failureOf(() => get(url('three.test')))
            expect(codeOf(failure)).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
          }
          // The name is verified although a session of the same server is kept, under the certificate's name.
          expect(await resumptions(get, [url(), url()])).toEqual(['new', 'resumed'])
          expect(codeOf(await failureOf(() => get(url('three.test'))))).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
        })

        test('a server that has lost its sessions creates new ones', async () => {
          const get = client(trusting(version))
          const at = await serve({})
          expect(await resumptions(get, [url('one.test', at), url('one.test', at)])).toEqual(['new', 'resumed'])
          servers.at(-1)?.setTicketKeys(Buffer.alloc(48, 'new'))
          const again = [url('one.test', at), url('one.test', at)]
          expect(await resumptions(get, again)).toEqual(['new', 'resumed'])
        })
      })

      test.each([
        ['with tickets', []],
        ['without tickets', ['-no_ticket']],
      ])('a server of openssl(1) %s resumes', async (_, more) => {
        await using server = await opensslServer(set, version, more)
        const page = WAYS['the connector of undici']?.inside(set.network)(trusting(version)) as Get
        const seen = async () => /^(New|Reused), TLSv\S+/m.exec(await page(url('one.test', server.port)))?.[1]
        expect([await seen(), await seen(), await seen()]).toEqual(['New', 'Reused', 'Reused'])
      })
    })

    test('the servername option is used when connecting to an address', async () => {
      const get = (options: object) =>
        getByDispatcher(set.network.connector({ ca: ONE.cert, lookup, ...options }))(url('127.0.0.1'))
      expect(await get({ servername: 'two.test' })).toBe('new two.test false')
      expect(codeOf(await failureOf(() => get({})))).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    })

    test('an https agent verifies the certificate again for a request with other options', async () => {
      const agent = set.network.httpsAgent({ keepAlive: false })
      const get = async (options: https.RequestOptions) => {
        const [response] = await once(https.get(url(), { agent, lookup, ...options }), 'response')
        return (await text(response as http.IncomingMessage)).split(' ')[0]
      }
      const loose = { rejectUnauthorized: false }
      expect([await get(loose), await get(loose), await get({ ca: ONE.cert })]).toEqual(['new', 'resumed', 'new'])
      expect(codeOf(await failureOf(() => get({})))).toMatch(/SELF_SIGNED/)
    })

    describe('keep-alive probes', () => {
      test.each<[string, object, seconds: number | undefined]>([
        ['start after a minute by default', {}, 60],
        ['start after the delay in the options', { keepAliveInitialDelay: 25_000 }, 25],
        ['are not sent when disabled', { keepAlive: false }, undefined],
      ])('%s, as outside', async (_, options, seconds) => {
        const every = { ca: ONE.cert, lookup, ...options }
        using here = NamespaceSet.current('net')
        for (const [network, connect] of [
          [set.network, set.network.connector(every)],
          [here.network, every],
        ] as const) {
          for (const protocol of ['http', 'https'] as const) {
            const [at, close] = await keepingServer(network, protocol)
            await getByDispatcher(connect)(`${protocol}://one.test:${at}/`)
            const found = await keepAliveSeconds(network === set.network ? set : undefined, at)
            expect(found, protocol).toEqual(seconds === undefined ? undefined : expect.closeTo(seconds, -1))
            close()
          }
        }
      })
    })
  })
}

/** The error code of an https request or a fetch. */
function codeOf(error: Error & { code?: string }): string | undefined {
  return ((error.cause as typeof error | undefined) ?? error).code
}

/** A session of the server at the other end of a connection. */
async function sessionOf(connection: net.Socket, version: Version): Promise<Buffer> {
  const socket = tls.connect({ socket: connection, ...namedOne(version) })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}

/** Whether a server resumes a session. */
async function isResumed(connection: net.Socket, version: Version, session: Buffer): Promise<boolean> {
  const socket = tls.connect({ socket: connection, ...namedOne(version), session })
  await once(socket, 'secureConnect')
  const isReused = socket.isSessionReused()
  socket.destroy()
  return isReused
}

function namedOne(version: Version): tls.ConnectionOptions {
  return { servername: 'one.test', ca: ONE.cert, minVersion: version, maxVersion: version }
}

interface OpensslServer extends AsyncDisposable {
  port: number
}

/** `openssl s_server -www` inside: its page has `Reused, TLSv1.3, …` or `New, TLSv1.3, …`. */
async function opensslServer(set: NamespaceSet, version: Version, more: readonly string[]): Promise<OpensslServer> {
  const directory = temporaryDirectory()
  const [key, cert] = [directory.file('key.pem'), directory.file('cert.pem')]
  writeFileSync(key, ONE.key)
  writeFileSync(cert, ONE.cert)
  const port = 4_433
  const words = ['s_server', '-www', '-accept', `127.0.0.1:${port}`, '-key', key, '-cert', cert, ...more]
  const child = set.spawn('openssl', [...words, version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'], {
    stdio: 'ignore',
    timeout: 30_000,
  })
  await listening(set, port)
  const close = async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
    directory[Symbol.dispose]()
  }
  return { port, [Symbol.asyncDispose]: close }
}

/** A server that keeps connections open, its port, and a function that ends it. */
async function keepingServer(network: Network, protocol: 'http' | 'https'): Promise<[number, () => void]> {
  const answer: http.RequestListener = (_, response) => response.end('hello')
  const server = protocol === 'http' ? http.createServer(answer) : https.createServer(ONE, answer)
  await network.listen<http.Server>(server, { host: '127.0.0.1', port: 0 })
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return [(server.address() as AddressInfo).port, close]
}

/** The delay in seconds of the first probe of a connection to a port, from ss(8); inside a set, or here. */
async function keepAliveSeconds(set: NamespaceSet | undefined, port: number): Promise<number | undefined> {
  const words = ['-tnoH', 'dport', '=', `:${port}`]
  const text =
    set === undefined ? execFileSync('ss', words, { encoding: 'utf8' }) : await outputOf(set, 'ss', words.join(' '))
  expect(text).toContain('ESTAB')
  const [, minutes, seconds] = /keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?,/.exec(text) ?? []
  return minutes === undefined && seconds === undefined ? undefined : 60 * Number(minutes ?? 0) + Number(seconds ?? 0)
}
