/** Boxes with a network of their own: what is reached under the rules, and from outside. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { Sandbox } from 'nsset/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { failureOf } from '../setup/sets/failure.ts'

/** The machine's own address: the only place outside that a test can be sure of. */
const own = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address

/** An uplink never reaches the loopback. */
if (own === undefined) console.log('skipped: this machine has no address but those of its loopback')
const withAddress = own === undefined ? test.skip : test

let server: Server
let port = 0
const reached: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    reached.push(String(request.url))
    response.end(`hello ${request.url}`)
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => server.close())

const fetched = async (box: Sandbox, url: string) => {
  const { stdout, exitCode } = await box.execFile('curl', ['-sS', '-m', '10', url], { reject: false })
  return exitCode === 0 ? stdout : exitCode
}

/** The exit status of curl for a connection that is refused. */
const REFUSED = 7

withAddress('a program reaches what a rule names, and nothing else', async () => {
  reached.length = 0
  await using box = await Sandbox.create({ network: { allow: [`${own}:${port}`] } })
  expect(await fetched(box, `http://${own}:${port}/allowed`)).toBe('hello /allowed')
  expect(await fetched(box, `http://127.0.0.1:${port}/loopback`)).toBe(REFUSED)
  expect(await fetched(box, `http://${own}:${port === 80 ? 81 : 80}/port`)).toBe(REFUSED)
  expect(await fetched(box, 'http://169.254.169.254/metadata')).toBe(REFUSED)
  expect(reached).toEqual(['/allowed'])
  for await (const { what, command, network } of box.refusals()) {
    expect({ what, command }).toEqual({ what: 'network', command: [] })
    if (network?.address === '169.254.169.254') break
  }
  expect(box.uplink?.statistics().refused).toBeGreaterThan(1)
})

test('what is refused just before the box is closed is reported, too', async () => {
  const box = await Sandbox.create({ network: {} })
  const asked: (string | undefined)[] = []
  const reading = (async () => {
    for await (const { network } of box.refusals()) asked.push(network?.address)
  })()
  const places = Array.from({ length: 20 }, (_, place) => `10.1.2.${place + 1}`)
  const script = 'for place; do echo > /dev/tcp/$place/80; done 2>/dev/null; exit 0'
  await box.execFile('bash', ['-c', script, 'bash', ...places])
  await box.close()
  await reading
  expect(asked).toEqual(places)
})

test('without allow, the machine and private addresses are closed', async () => {
  await using box = await Sandbox.create({ network: {} })
  expect(await fetched(box, `http://10.1.2.3:${port}/private`)).toBe(REFUSED)
  if (own !== undefined) expect(await fetched(box, `http://${own}:${port}/own`)).toBe(REFUSED)
})

test('programs resolve names by the uplink', async () => {
  await using box = await Sandbox.create({ network: { allow: ['example.org'] } })
  const { stdout } = await box.execFile('cat', ['/etc/resolv.conf'])
  expect(stdout).toBe(box.uplink?.resolvConf)
  const { exitCode } = await box.execFile('getent', ['ahosts', 'other.example'], { reject: false })
  expect(exitCode).toBe(2)
  for await (const { network } of box.refusals()) {
    expect(network).toMatchObject({ protocol: 'dns', name: 'other.example', reason: 'not-allowed' })
    break
  }
})

test('a box has a resolv.conf also in an empty root', async () => {
  const read = ['/usr', '/bin', '/lib', '/lib64']
  await using box = await Sandbox.create({ root: 'empty', files: { read }, network: { deny: ['example.org'] } })
  expect((await box.execFile('cat', ['/etc/resolv.conf'])).stdout).toBe(box.uplink?.resolvConf)
})

test('a server in the box is published, and what it serves ends with the box', async () => {
  const box = await Sandbox.create({ network: { publish: [{ port: 0, to: { port: 8000 } }] } })
  const [forwarding] = box.forwardings
  const inside = createTcpServer((socket) => socket.end('from the box'))
  await box.set.network.listen(inside, { port: 8000, host: '127.0.0.1' })
  const place = { port: forwarding?.port ?? 0, host: '127.0.0.1' }
  expect(await text(connect(place))).toBe('from the box')
  inside.close()
  await box.close()
  expect(await failureOf(() => text(connect(place)))).toMatchObject({ code: 'ECONNREFUSED' })
})

test('a network that cannot be made leaves nothing', async () => {
  const before = resources()
  const publish = [
    { port: 0, to: { port: 1 } },
    { port, to: { port: 1 }, host: '0.0.0.0' },
  ]
  await expect(Sandbox.create({ network: { publish } })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(await growthSince(before)).toEqual({})
})

test.each([
  [{ allow: ['exa mple.org'] }, 'exa mple.org'],
  [{ allowed: [] }, "did you mean 'allow'"],
  [{ publish: [{ port: 1 }] }, 'to'],
  [{ publish: { port: 1, to: { port: 1 } } }, 'options.network.publish'],
  [{ mtu: 1500 }, "Unknown option 'mtu'"],
  [7, "must be 'none', 'host' or an object"],
])('invalid rules are refused before anything is created: %o', async (network, message) => {
  await expect(Sandbox.create({ network } as never)).rejects.toMatchObject({
    message: expect.stringContaining(message),
  })
})
