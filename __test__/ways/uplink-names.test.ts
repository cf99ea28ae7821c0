/** An uplink that allows names: the ways around its rules are each tried, and refused. */
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificateFor } from '../setup/sockets/certificates.ts'
import { type Host, Internet, OTHER, RESOLVER, WEB, WEB_V6 } from '../setup/uplink/internet.ts'

let internet: Internet
let host: Host
/** What has reached the servers. */
const reached: string[] = []

const curl = (url: string, ...more: string[]) => host.execute('curl', ['-sSk', '--max-time', '8', '-g', ...more, url])
const node = (script: string) => host.execute('node', ['-e', script])
const refusals = async (reason: string) => (await host.refusals()).filter((refusal) => refusal.reason === reason)

beforeAll(async () => {
  internet = await Internet.create()
  const answer: http.RequestListener = ({ headers, method }, response) => {
    reached.push(`${method} ${headers.host}`)
    response.end(`hello ${headers.host}`)
  }
  await internet.listen(http.createServer(answer), 80)
  await internet.listen(https.createServer(certificateFor('web.test'), answer), 443)
  // Clients send no key for this curve at first, so the server asks for a second ClientHello.
  await internet.listen(https.createServer({ ...certificateFor('web.test'), ecdhCurve: 'secp384r1' }, answer), 8443)
  await internet.listen(
    net.createServer((socket) => socket.on('error', () => undefined).end('a greeting first\n')),
    21,
  )
  host = await internet.uplink({ allow: ['web.test', '*.below.test:443', 'large.test'], deny: ['bad.web.test'] })
})
afterAll(() => internet[Symbol.asyncDispose]())

describe('a name that is allowed is reached', () => {
  test.each(['http://web.test/', 'https://web.test/', 'http://WEB.TEST./', 'https://web.test:8443/'])(
    '%s',
    async (url) => {
      const { stdout, stderr } = await curl(url)
      expect([stdout.toLowerCase(), stderr]).toEqual([expect.stringContaining('hello web.test'), ''])
    },
  )

  test('over IPv6', async () => {
    expect((await curl('https://web.test/', '-6')).stdout).toBe('hello web.test')
  })

  test('with a protocol that says no name', async () => {
    const script = `require('net').connect(21, 'web.test').on('data', (data) => process.stdout.write(data))`
    expect((await node(script)).stdout).toBe('a greeting first\n')
  })

  test('with a ClientHello in small parts', async () => {
    const script = `const net = require('net'), tls = require('tls')
      const socket = net.connect(443, 'web.test')
      const { Duplex } = require('stream')
      const slow = new Duplex({
        read() {},
        async write(chunk, _, done) {
          for (const byte of chunk) { socket.write(Buffer.of(byte)); await new Promise(setImmediate) }
          done()
        },
      })
      socket.on('data', (data) => slow.push(data))
      const client = tls.connect({ socket: slow, servername: 'web.test', rejectUnauthorized: false }, () => {
        console.log('secured')
        socket.destroy()
      })
      client.on('error', () => undefined)`
    expect((await node(script)).stdout).toBe('secured\n')
  })
})

describe('a way around the rules reaches nothing:', () => {
  const connect = (port: number, address: string, bytes: string) =>
    node(`const socket = require('net').connect(${port}, '${address}', () => socket.write(${JSON.stringify(bytes)}))
      socket.on('data', (data) => process.stdout.write(data)).on('error', ({ code }) => console.error(code))
      setTimeout(() => socket.destroy(), 4000).unref()`)

  const WAYS: [string, () => Promise<{ stdout: string }>][] = [
    ['a name that is not allowed', () => curl('http://other.test/')],
    ['its address', () => curl(`http://${OTHER}/`)],
    ['a neighbour at the same address, by HTTP', () => curl('http://web.test/', '-H', 'Host: neighbour.test')],
    [
      'a neighbour at the same address, by TLS',
      () => curl('https://neighbour.test/', '--connect-to', '::web.test:443'),
    ],
    ['a neighbour that the answers gave the same address', () => curl('http://neighbour.test/')],
    ['two hosts in a request', () => connect(80, WEB, 'GET / HTTP/1.1\r\nHost: web.test\r\nHost: other.test\r\n\r\n')],
    ['an absolute target', () => connect(80, WEB, 'GET http://other.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n')],
    [
      'a host in a continued line',
      () => connect(80, WEB, 'GET / HTTP/1.1\r\nX: y\r\n Host: web.test\r\nHost: other.test\r\n\r\n'),
    ],
    ['an empty line first', () => connect(80, WEB, '\r\n\r\nGET / HTTP/1.1\r\nHost: other.test\r\n\r\n')],
    ['an unusual method', () => connect(80, WEB, 'PROPFIND / HTTP/1.1\r\nHost: other.test\r\n\r\n')],
    ['a proxy', () => connect(80, WEB, 'CONNECT other.test:443 HTTP/1.1\r\n\r\n')],
    ['HTTP/2 without TLS', () => curl('http://web.test/', '--http2-prior-knowledge')],
    ['a name below one that is allowed', () => curl('http://x.web.test/')],
    ['a name that begins with one that is allowed', () => curl('http://web.test.other.test/')],
    ['a name that is denied', () => curl('http://bad.web.test/')],
    ['a port of a name that is allowed for another one', () => curl('http://x.below.test/')],
    [
      'another name server',
      () =>
        node(`const dns = new (require('dns').promises.Resolver)({ timeout: 500, tries: 1 })
      dns.setServers(['9.1.0.11']); dns.resolve4('other.test').then(console.log, () => undefined)`),
    ],
    ['an address that no answer has given', () => curl(`https://[${WEB_V6.replace('::10', '::11')}]/`)],
    [
      'echo requests',
      () =>
        node(`require('child_process').spawnSync('ping', ['-c1', '-W1', '${OTHER}']).status === 0 && console.log('!')`),
    ],
    [
      'a socket that sends its own packets',
      () =>
        host.execute('ping', ['-c1', '-W1', '-I', 'lo', OTHER]).then(({ code }) => ({ stdout: code === 0 ? '!' : '' })),
    ],
    ['data in the name of a question', () => curl(`http://${'a'.repeat(60)}.secret.other.test/`)],
  ]

  test.each(WAYS)('%s', async (_, way) => {
    const before = reached.length
    expect((await way()).stdout).toBe('')
    expect(reached.slice(before)).toEqual([])
  })

  const SECOND = 'GET / HTTP/1.1\r\nHost: neighbour.test\r\n\r\n'
  const FIRST = 'POST / HTTP/1.1\r\nHost: web.test\r\n'

  test.each([
    ['after the answer', `${FIRST}\r\n`],
    ['after a body', `${FIRST}Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`],
    ['after chunks', `${FIRST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['after an upgrade', `${FIRST}Connection: upgrade\r\nUpgrade: x\r\n\r\n`],
  ])('another host in the second request of a connection, %s: it is reset', async (_, first) => {
    const before = reached.length
    const script = `const socket = require('net').connect(80, 'web.test', () => socket.write(${JSON.stringify(first)}))
      socket.once('data', () => socket.write(${JSON.stringify(SECOND)}))
      socket.on('end', () => console.log('end')).on('error', ({ code }) => console.log(code))`
    expect((await node(script)).stdout).toBe('ECONNRESET\n')
    expect(reached.slice(before)).toEqual(['POST web.test'])
  })

  test('many requests of a connection that name the same host pass', async () => {
    const agent = `const http = require('http'), agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      const ask = (body) => new Promise((resolve) => {
        const request = http.request({ host: 'web.test', agent, method: 'POST' }, (response) => {
          response.resume().on('end', () => resolve(request.reusedSocket))
        })
        for (const part of body) request.write(part)
        request.end()
      })
      const bodies = [[], ['a'], ['a'.repeat(300_000), 'b'.repeat(300_000)], ['${SECOND.split('\r')[0]}'], []]
      void (async () => {
        const reused = []
        for (const body of bodies) reused.push(await ask(body))
        console.log(reused.join())
        agent.destroy()
      })()`
    expect((await node(agent)).stdout).toBe('false,true,true,true,true\n')
  })

  test('the name server outside has received questions about allowed names alone', async () => {
    const asked = internet.questions().map((question) => question.split(' ')[1] as string)
    expect(asked.filter((name) => !/^(web\.test|[^.]+\.below\.test|large\.test)$/.test(name))).toEqual([])
  })

  test('and each is reported with its reason', async () => {
    const named = (await refusals('other-name')).map(({ name, port }) => `${name}:${port}`)
    expect(named).toEqual(expect.arrayContaining(['neighbour.test:80', 'neighbour.test:443', 'other.test:80']))
    expect((await refusals('unreadable')).length).toBeGreaterThanOrEqual(3)
    const questions = (await host.refusals()).filter(({ protocol }) => protocol === 'dns')
    expect(questions).toContainEqual({ protocol: 'dns', name: 'other.test', reason: 'not-allowed' })
    expect(questions).toContainEqual({ protocol: 'dns', name: 'bad.web.test', reason: 'denied' })
  })
})

test("a name server of the host is the uplink's, also by its own address", async () => {
  const script = `const dns = new (require('dns').promises.Resolver)()
    dns.setServers(['${RESOLVER}'])
    Promise.allSettled([dns.resolve4('web.test'), dns.resolve4('other.test')])
      .then(([one, other]) => console.log(String(one.value), other.reason.code))`
  expect((await node(script)).stdout).toBe(`${WEB} ENOTFOUND\n`)
})

test('a name that is denied later is refused, and its flows are reset', async () => {
  const own = await internet.uplink({ allow: ['web.test:80'] })
  const ask = () => own.execute('curl', ['-sS', '--max-time', '8', 'http://web.test/'])
  expect((await ask()).stdout).toBe('hello web.test')
  await own.deny(['web.test'])
  expect((await ask()).stderr).toContain('Could not resolve host')
})

test('the first datagram of QUIC arrives where a name is allowed for every protocol, and not where it is for TCP alone', async () => {
  await internet.echo(443)
  const overTcp = await internet.uplink({ allow: [{ host: 'web.test', protocol: 'tcp' }] })
  // The long header of an Initial packet, which has at least 1,200 bytes (RFC 9000, 14.1 and 17.2.2).
  const script = `const socket = require('dgram').createSocket('udp4')
    const initial = Buffer.alloc(1200)
    initial.set([0xc3, 0, 0, 0, 1, 8])
    socket.on('error', ({ code }) => { console.log(code); socket.close() })
    socket.on('message', (answer) => { console.log(answer.equals(initial)); socket.close() })
    socket.connect(443, 'web.test', () => socket.send(initial))`
  expect((await host.execute('node', ['-e', script])).stdout).toBe('true\n')
  expect((await overTcp.execute('node', ['-e', script])).stdout).toBe('EHOSTUNREACH\n')
  const refused = await overTcp.refusals()
  expect(refused).toContainEqual(expect.objectContaining({ protocol: 'udp', port: 443, reason: 'not-allowed' }))
})
