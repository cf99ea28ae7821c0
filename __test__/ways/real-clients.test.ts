/** Clients of protocols with long lives and many streams, in a network that may reach one name: HTTP/2, WebSockets, iperf3(1), dig(1), ss(8). */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { certificatesFor } from '../setup/sockets/certificate-authority.ts'
import { type Host, Internet, OTHER, WEB, WEB_V6 } from '../setup/uplink/internet.ts'
import { webSocketEcho } from '../setup/uplink/served/web-socket-echo.ts'

const STREAMS = 50
const BODY = 100_000
const directory = temporaryDirectory()
let internet: Internet
let host: Host
/** The names that the server of HTTP/2 was asked for. */
const asked = new Set<string>()

beforeAll(async () => {
  const { cert, key } = certificatesFor('DNS:web.test,DNS:neighbour.test', directory)
  internet = await Internet.create()
  const multiplexed = http2.createSecureServer({ cert, key }, (request, response) => {
    asked.add(request.authority)
    request.pipe(response)
  })
  await internet.listen(multiplexed as unknown as net.Server, 443)
  await internet.listen(http.createServer().on('upgrade', webSocketEcho), 80)
  await internet.listen(https.createServer({ cert, key }).on('upgrade', webSocketEcho), 8443)
  await internet.listen(
    net.createServer((socket) => socket.on('error', () => undefined).pipe(socket)),
    7,
  )
  host = await internet.uplink({ allow: ['web.test', `${OTHER}:5201`, `${OTHER}:7`] })
})
afterAll(async () => {
  await internet[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})

/** Runs a script of Node.js inside, which trusts the authority of the test. */
function node(script: string, ...args: string[]) {
  const words = ['NODE_NO_WARNINGS=1', `NODE_EXTRA_CA_CERTS=${directory.file('ca.pem')}`, process.execPath]
  return host.execute('env', [...words, '--experimental-websocket', '-e', script, ...args])
}

describe('HTTP/2:', () => {
  /** Sends a body in each of many streams at once, and prints how many came back whole, or the error of the connection. */
  const SCRIPT = `const [servername, streams, length] = process.argv.slice(1)
    const session = require('http2').connect('https://web.test', { servername }).on('error', ({ code }) => console.log(code))
    const body = 'x'.repeat(Number(length))
    let whole = 0
    const send = () => new Promise((resolve) => {
      let answer = ''
      const stream = session.request({ ':method': 'POST', ':path': '/' }).on('error', resolve).on('close', resolve)
      stream.setEncoding('utf8').on('data', (data) => (answer += data)).on('end', () => (whole += answer === body))
      stream.end(body)
    })
    Promise.all(Array.from({ length: Number(streams) }, send)).then(() => (console.log(whole), session.close()))`
  const send = (name: string) => node(SCRIPT, name, String(STREAMS), String(BODY))

  test('many streams of one connection', async () => {
    expect(await send('web.test')).toMatchObject({ stdout: `${STREAMS}\n`, stderr: '' })
  })

  test('another name at the same address is not reached', async () => {
    expect((await send('neighbour.test')).stdout).toBe('ECONNRESET\n0\n')
    expect([...asked]).toEqual(['web.test:443'])
  })
})

test.for(['ws://web.test/', 'wss://web.test:8443/'])('a WebSocket: %s', async (url) => {
  const script = `const socket = new WebSocket(process.argv[1])
    const words = ['one', 'two', 'three'], answers = []
    socket.onopen = () => socket.send(words[0])
    socket.onerror = ({ message }) => console.log(message)
    socket.onmessage = ({ data }) => {
      answers.push(data)
      if (answers.length < words.length) return setTimeout(() => socket.send(words[answers.length]), 200)
      console.log(answers.join(' '))
      process.exit()
    }`
  expect(await node(script, url)).toMatchObject({ stdout: 'one two three\n', stderr: '' })
})

describe('iperf3:', () => {
  const why = spawnSync('iperf3', ['--version']).error ? 'this machine has no iperf3' : ''

  test.for([
    ['up', [], ['sum_sent', 'sum_received']],
    ['down', ['-R'], ['sum_sent', 'sum_received']],
    ['by four connections in each direction', ['-P', '4', '--bidir'], ['sum_received', 'sum_received_bidir_reverse']],
    ['datagrams', ['-u', '-b', '50M', '-l', '1200'], ['sum']],
  ] as const)('%s', async ([, options, sums], context) => {
    if (why !== '') return context.skip(why)
    const server = internet.servers.spawn('iperf3', ['-s', '-1', '-B', OTHER, '--forceflush'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    })
    const ended = once(server, 'close')
    await once(server.stdout, 'data')
    const { stdout, stderr } = await host.execute('iperf3', ['-c', OTHER, '--json', '-t', '1', ...options])
    if (server.kill('SIGKILL')) await ended
    expect(stderr).toBe('')
    const { end, error } = JSON.parse(stdout)
    expect(error).toBeUndefined()
    // What is on its way at the end is not counted.
    for (const sum of sums) expect(end[sum].bytes).toBeGreaterThan(1_000_000)
    expect(end.sum?.lost_percent ?? 0).toBeLessThan(50)
  })
})

test('dig gets the addresses of the name that is allowed, and no others', async () => {
  const dig = async (...question: string[]) => {
    return (await host.execute('dig', ['+short', '+time=5', ...question])).stdout.trim().split('\n')
  }
  expect(await dig('web.test', 'A', 'web.test', 'AAAA')).toEqual([WEB, WEB_V6])
  expect(await dig('other.test', 'A')).toEqual([''])
  // A name server outside is no way around, as the uplink answers in its place.
  expect(await dig('@9.1.0.53', 'web.test', 'A', 'other.test', 'A')).toEqual([WEB])
})

test('ss shows the connection of a program inside, with the address that it has asked for', async () => {
  const script = `exec 3<>/dev/tcp/${OTHER}/7; echo hello >&3; read -u 3 answer; ss -Htn dst ${OTHER}; echo $answer`
  const [shown, answer] = (await host.execute('bash', ['-c', script])).stdout.split('\n')
  expect(shown?.trim().split(/\s+/)).toEqual([
    'ESTAB',
    '0',
    '0',
    expect.stringMatching(/^10\.0\.2\.100:/),
    `${OTHER}:7`,
  ])
  expect(answer).toBe('hello')
})
