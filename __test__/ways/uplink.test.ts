/** `network.uplink`: programs inside reach what the rules allow, as they would directly, and nothing else. */
import { createSocket } from 'node:dgram'
import http from 'node:http'
import net from 'node:net'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/guards/resources.ts'
import { type Host, Internet, OTHER, OWN, PRIVATE, WEB, WEB_V6 } from '../setup/uplink/internet.ts'

let internet: Internet
const curl = (host: Host, url: string, ...more: string[]) =>
  host.execute('curl', ['-sS', '--max-time', '8', '-g', ...more, url])

beforeAll(async () => {
  internet = await Internet.create()
  await internet.listen(
    http.createServer((request, response) => {
      if (request.url === '/large') return response.end(Buffer.alloc(5_000_000, 'x'))
      let length = 0
      request.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      request.on('end', () => response.end(`${request.headers.host} ${request.socket.localAddress} ${length}`))
    }),
    80,
  )
  await internet.listen(
    // A client that is denied resets its connection.
    net.createServer((socket) => socket.on('error', () => undefined).pipe(socket)),
    7,
  )
})
afterAll(() => internet[Symbol.asyncDispose]())

describe('without rules, every public address is reached, and no other:', () => {
  let host: Host
  beforeAll(async () => {
    host = await internet.uplink({})
  })

  test('a server by its address, over IPv4 and IPv6', async () => {
    expect((await curl(host, `http://${WEB}/`)).stdout).toBe(`${WEB} ::ffff:${WEB} 0`)
    expect((await curl(host, `http://[${WEB_V6}]/`)).stdout).toBe(`[${WEB_V6}] ${WEB_V6} 0`)
  })

  test('a server by its name', async () => {
    expect((await curl(host, 'http://web.test/', '-4')).stdout).toBe(`web.test ::ffff:${WEB} 0`)
    expect((await curl(host, 'http://web.test/', '-6')).stdout).toBe(`web.test ${WEB_V6} 0`)
    expect((await curl(host, 'http://missing.test/')).stderr).toContain('Could not resolve host')
  })

  test("nsset's own lookups ask the uplink", async () => {
    expect((await host.lookup('web.test')).toSorted()).toEqual([WEB_V6, WEB].toSorted())
  })

  test('megabytes in both directions', async () => {
    const { stdout } = await host.execute('sh', ['-c', `curl -sS http://${WEB}/large | wc -c`])
    expect(stdout.trim()).toBe('5000000')
    const up = await host.execute('sh', ['-c', `head -c 5000000 /dev/zero | curl -sS -T - http://${WEB}/up`])
    expect(up.stdout).toBe(`${WEB} ::ffff:${WEB} 5000000`)
  })

  test('a port without a server refuses, and an unreachable network is that', async () => {
    expect((await curl(host, `http://${WEB}:81/`)).stderr).toContain('Failed to connect')
    const { stdout } = await host.execute('node', [
      '-e',
      `const connect = (port, host) => new Promise((resolve) => require('net').connect({ port, host }).once('error', ({ code }) => resolve(code)))
      Promise.all([connect(81, '${WEB}'), connect(80, '8.8.8.8'), connect(80, '2001:4860::1')]).then((codes) => console.log(codes.join(' ')))`,
    ])
    expect(stdout.trim()).toBe('ECONNREFUSED ENETUNREACH ENETUNREACH')
  })

  test('each end can end its direction alone, and a reset reaches the other end', async () => {
    const script = `const socket = require('net').connect({ port: 7, host: '${WEB}', allowHalfOpen: true })
      socket.end('sent before the end')
      socket.on('data', (data) => process.stdout.write(data)).on('end', () => console.log(', answered'))`
    expect((await host.execute('node', ['-e', script])).stdout).toBe('sent before the end, answered\n')
    await internet.listen(
      net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
      9001,
    )
    const reset = `require('net').connect(9001, '${WEB}').on('error', ({ code }) => console.log(code)).write('?')`
    expect((await host.execute('node', ['-e', reset])).stdout.trim()).toBe('ECONNRESET')
  })

  test('datagrams of 1 and of 1,400 bytes, and the refusal of a port', async () => {
    const server = internet.servers.network.createSocket('udp4')
    server.on('message', (message, { port, address }) => server.send(message, port, address))
    await new Promise<void>((resolve) => server.bind(5000, WEB, resolve))
    const script = `const [port, ...sizes] = process.argv.slice(1).map(Number)
      const socket = require('dgram').createSocket('udp4')
      socket.connect(port, '${WEB}', () => sizes.forEach((size) => socket.send(Buffer.alloc(size, 'a'))))
      let left = sizes.length
      socket.on('message', (message) => { console.log(message.length); if (--left === 0) socket.close() })
      socket.on('error', ({ code }) => { console.log(code); socket.close() })`
    expect((await host.execute('node', ['-e', script, '5000', '1', '1400'])).stdout).toBe('1\n1400\n')
    expect((await host.execute('node', ['-e', script, '5001', '1'])).stdout).toBe('ECONNREFUSED\n')
    server.close()
  })

  test('an answer that is too long for a datagram comes over TCP', async () => {
    expect(await host.lookup('large.test')).toHaveLength(200)
  })

  test('the gateway answers echo requests', async () => {
    expect((await host.execute('ping', ['-c1', '-W2', '10.0.2.2'])).stdout).toContain('1 received')
    expect((await host.execute('ping', ['-c1', '-W2', 'fd00:6e73:7365:74::2'])).stdout).toContain('1 received')
  })

  test('flows and statistics tell what is open', async () => {
    const before = await host.statistics()
    const running = host.execute('node', [
      '-e',
      `const socket = require('net').connect(7, '${WEB}', () => { socket.write('12345'); setTimeout(() => socket.destroy(), 1500) })`,
    ])
    const flows = async () => (await host.flows()).filter(({ port }) => port === 7)
    let found = await flows()
    for (const end = Date.now() + 8000; found[0]?.bytesReceived !== 5 && Date.now() < end; ) found = await flows()
    expect(found[0]).toMatchObject({
      protocol: 'tcp',
      source: { address: '10.0.2.100' },
      address: WEB,
      open: true,
      bytesSent: 5,
      bytesReceived: 5,
    })
    await running
    const after = await host.statistics()
    expect(after.flows).toBe(before.flows + 1)
    expect(after.bytesSent - before.bytesSent).toBe(5)
  })
})

describe('what is closed is refused, whatever spelling it has:', () => {
  let host: Host
  beforeAll(async () => {
    // The servers that must not be reached exist.
    host = await internet.uplink({ allow: ['0.0.0.0/0', '[::]/0', '*'] })
  })

  test.each([
    ['a private address', `http://${PRIVATE}/`],
    ["the host's own address", `http://${OWN}/`],
    ['an IPv4-mapped address', `http://[::ffff:${PRIVATE}]/`],
    ['an address of NAT64', 'http://[64:ff9b::c0a8:4d0a]/'],
    ['an address of 6to4', 'http://[2002:c0a8:4d0a::1]/'],
    ['the metadata of a cloud', 'http://169.254.169.254/'],
    ['the metadata of a cloud over IPv6', 'http://[fd00:ec2::254]/'],
    ['the metadata of a cloud at a public address', 'http://168.63.129.16/'],
    ['octal digits', 'http://0300.0250.0115.012/'],
    ['one number', 'http://3232255242/'],
    ['the gateway', 'http://10.0.2.2/'],
    ['a name with a private address', 'http://inward.test/'],
    ['a name with a loopback address', 'http://loop.test/'],
    ['a name with the address of metadata', 'http://metadata.test/'],
    ["a name with the host's own address", 'http://own.test/'],
  ])('%s', async (_, url) => {
    const { code, stdout } = await curl(host, url)
    expect([stdout, code === 0]).toEqual(['', false])
  })

  test('each refusal is reported', async () => {
    const refusals = await host.refusals()
    const kinds = (address: string) => refusals.filter((refusal) => refusal.address === address).map(({ kind }) => kind)
    expect(kinds(PRIVATE)).toContain('private')
    expect(kinds(OWN)).toContain('own')
    expect(kinds('169.254.169.254')).toContain('link-local')
    expect(kinds('168.63.129.16')).toContain('link-local')
    expect(refusals).toContainEqual({
      protocol: 'dns',
      name: 'inward.test',
      address: PRIVATE,
      reason: 'closed',
      kind: 'private',
    })
  })
})

describe('with rules,', () => {
  test('only what is allowed is reached, and a rule can open what is closed', async () => {
    const host = await internet.uplink({ allow: [`${PRIVATE}:80`, `${OTHER}/32`], deny: [`${OTHER}:7`] })
    expect((await curl(host, `http://${PRIVATE}/`)).stdout).toContain(PRIVATE)
    expect((await curl(host, `http://${OTHER}/`)).stdout).toContain(OTHER)
    expect((await curl(host, `http://${WEB}/`)).stdout).toBe('')
    expect((await curl(host, `http://${PRIVATE}:7/`)).stdout).toBe('')
    expect((await curl(host, `http://${OTHER}:7/`)).stdout).toBe('')
    const refused = (await host.refusals()).map(({ protocol, address, port, reason }) => [
      protocol,
      address,
      port,
      reason,
    ])
    expect(refused).toEqual([
      ['tcp', WEB, 80, 'not-allowed'],
      ['tcp', PRIVATE, 7, 'closed'],
      ['tcp', OTHER, 7, 'denied'],
    ])
  })

  test('a protocol without names and lines passes, if an address allows it', async () => {
    const host = await internet.uplink({ allow: [`${OTHER}/32`, 'web.test'] })
    const script = `require('net').connect(7, '${OTHER}', function () { this.write('x') }).once('data', function (data) {
      console.log(String(data))
      this.destroy()
    })`
    expect((await host.execute('node', ['-e', script])).stdout).toBe('x\n')
  })

  test('they can change, and flows that are denied then are reset', async () => {
    const host = await internet.uplink({ allow: [`${OTHER}/32`] })
    expect((await curl(host, `http://${WEB}/`)).stdout).toBe('')
    await host.allow([`${WEB}:80`])
    expect((await curl(host, `http://${WEB}/`)).stdout).toContain(WEB)
    const ends: string[] = []
    await internet.listen(
      net.createServer((socket) => socket.on('error', ({ code }: NodeJS.ErrnoException) => ends.push(code as string))),
      9002,
    )
    const script = `require('net').connect(9002, '${OTHER}').on('error', ({ code }) => console.log(code)).write('?')`
    const running = host.execute('node', ['-e', script])
    const isOpen = async () => (await host.flows()).some(({ bytesSent, port }) => bytesSent > 0 && port === 9002)
    for (const end = Date.now() + 8000; !(await isOpen()) && Date.now() < end; );
    await host.deny([OTHER])
    expect((await running).stdout.trim()).toBe('ECONNRESET')
    expect(
      await eventually(
        () => ends,
        ({ length }) => length > 0,
      ),
    ).toEqual(['ECONNRESET'])
  })

  test('`decide` is asked about what no rule settles, and has a time limit', async () => {
    const host = await internet.uplink({
      allow: [`${OTHER}:80`],
      decidePorts: [80],
      decideDelay: 300,
      decideTimeout: 5_000,
    })
    expect((await curl(host, `http://${WEB}/`)).stdout).toContain(WEB)
    expect((await curl(host, `http://${WEB}:7/`)).stdout).toBe('')
    const late = await internet.uplink({ decidePorts: [80], decideDelay: 5_000, decideTimeout: 300 })
    expect((await curl(late, `http://${WEB}/`)).stdout).toBe('')
    const reasons = [...(await host.refusals()), ...(await late.refusals())].map(({ reason }) => reason)
    expect(reasons).toEqual(['decided', 'undecided'])
  })
})

describe('an uplink ends', () => {
  const names = async (set: NamespaceSet) => (await set.network.links.list()).map(({ name }) => name)

  test('with `close`, and takes its link with it', async () => {
    await using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    const uplink = await set.network.uplink({ name: 'out0', addresses: ['10.7.0.9/24'], mtu: 1500 })
    expect([uplink.gateways, uplink.resolvConf, String(uplink)]).toEqual([
      ['10.7.0.2'],
      'nameserver 10.7.0.2\n',
      'Uplink(out0, 0 open)',
    ])
    expect(await names(set)).toEqual(['lo', 'out0'])
    await uplink.close()
    await uplink.close()
    expect([await names(set), uplink.closed]).toEqual([['lo'], true])
    expect(() => uplink.allow('a.test')).toThrow(expect.objectContaining({ code: 'ERR_NSSET_CLOSED' }))
    expect(await uplink.flows()).toEqual([])
  })

  test('with its set', async () => {
    const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    const uplink = await set.network.uplink()
    const ended = (async () => {
      for await (const _ of uplink.refusals());
    })()
    set.close()
    await ended
    expect(uplink.closed).toBe(true)
    await uplink.close()
  })

  test('and one that cannot start leaves nothing behind', async () => {
    await using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    await using _first = await set.network.uplink()
    await expect(set.network.uplink()).rejects.toMatchObject({ code: 'EEXIST' })
    expect(
      await eventually(
        () => names(set),
        () => true,
      ),
    ).toEqual(['lo', 'uplink0'])
  })
})

test('a socket of the host is not reached by its loopback', async () => {
  const local = createSocket('udp4')
  await new Promise<void>((resolve) => local.bind(0, '127.0.0.1', resolve))
  await using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
  await using uplink = await set.network.uplink({ allow: ['127.0.0.0/8'] })
  await set.network.routes.add({ destination: '127.0.0.0/8', via: uplink.gateways[0] as string }).catch(() => undefined)
  const received: Buffer[] = []
  local.on('message', (message) => received.push(message))
  await set.execFile('bash', ['-c', `echo > /dev/udp/127.0.0.1/${local.address().port}`], { reject: false })
  local.close()
  expect(received).toEqual([])
})
