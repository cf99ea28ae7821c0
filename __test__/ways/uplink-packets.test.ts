/** Packets that are cut, too long, or may not go any further: an uplink does with them what a router does. */
import { spawnSync } from 'node:child_process'
import net from 'node:net'
import type { FirewallStatement } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, Internet, OTHER, OTHER_V6, WEB, WEB_V6 } from '../setup/uplink/internet.ts'

const GATEWAYS = ['10.0.2.2', 'fd00:6e73:7365:74::2']
const FAMILIES: [string, string, number][] = [
  ['IPv4', WEB, 0],
  ['IPv6', WEB_V6, 1],
]

const OTHERS = [OTHER, OTHER_V6]

let internet: Internet
/** Its links have the mtu of the host's, and the largest one. */
let narrow: Host
let wide: Host
beforeAll(async () => {
  internet = await Internet.create()
  await internet.echo(5000)
  narrow = await internet.uplink({ mtu: 1500 })
  wide = await internet.uplink({})
})
afterAll(() => internet[Symbol.asyncDispose]())

/** Runs a script of Python inside, which has the socket `s` that is connected to the server, and `option` of ip(7) for both families. */
async function python(host: Host, address: string, port: number, script: string): Promise<string> {
  const lines = [
    'import socket, errno',
    `place = ('${address}', ${port})`,
    's = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_DGRAM)',
    's.connect(place); s.settimeout(10)',
    'level, discover, mtu = (41, 23, 24) if ":" in place[0] else (0, 10, 14)',
    script,
  ]
  const { stdout, stderr } = await host.execute('python3', ['-c', lines.join('\n')])
  expect(stderr).toBe('')
  return stdout.trim()
}

// Before the kernel inside knows the path mtu to this machine.
test('a datagram of IPv4 that may be cut arrives where the link of the host does not take it in one packet', async () => {
  const script = 's.setsockopt(level, discover, 0); s.send(b"x" * 60000); print(len(s.recv(65535)))'
  expect(await python(wide, OTHER, 5000, script)).toBe('60000')
})

/** Sends datagrams of a length until one arrives, and one that must not be cut: prints what the kernel says, and what returns. */
const sendThrice = (length: number) => `s.send(b'x' * ${length})
try:
    s.recv(65535)
except OSError as error:
    print(errno.errorcode[error.errno], s.getsockopt(level, mtu))
s.send(b'y' * ${length})
print(len(s.recv(65535)))
s.setsockopt(level, discover, 2)
try:
    s.send(b'z' * ${length})
except OSError as error:
    print(errno.errorcode[error.errno])`

describe.each(FAMILIES)('%s:', (_, address, index) => {
  test('a datagram of 60,000 bytes arrives and returns over links that take 1500', async () => {
    const script = 's.send(bytes(range(250)) * 240); print(s.recv(65535) == bytes(range(250)) * 240)'
    expect(await python(narrow, address, 5000, script)).toBe('True')
  })

  test('a datagram in one packet is not cut where the link of the host does not take it: its sender is told', async () => {
    // The kernel inside cuts the second one, as it then knows the path mtu, unless the program forbids that.
    const lines = (await python(wide, address, 5000, sendThrice(60_000))).split('\n')
    expect(lines).toEqual(['EMSGSIZE 1500', '60000', 'EMSGSIZE'])
  })

  test('nor is an echo request', async () => {
    const { stdout } = await wide.execute('ping', ['-c1', '-W5', '-Mdo', '-s3000', OTHERS[index] as string])
    expect(stdout).toMatch(new RegExp(`From ${GATEWAYS[index]}.* (Frag needed .*mtu = 1500|Packet too big: mtu=1500)`))
  })

  test('the class of service of a connection that changes, as that of ssh does, is that of its packets outside', async () => {
    const server = net.createServer((socket) => socket.on('error', () => undefined).resume())
    await internet.listen(server, 7)
    const { firewall } = internet.servers.network
    const ip = address.includes(':') ? 'ip6' : 'ip'
    const counting = [{ [`${ip} dscp`]: 46 } as FirewallStatement, { 'tcp dport': 7 }, 'counter'] as const
    await firewall.replace('classes', { chains: { input: { hook: 'input', rules: [counting] } } })
    const connect = `import time
c = socket.create_connection(('${address}', 7))
c.send(b'before')
time.sleep(0.2)
c.setsockopt(*((41, 67) if level == 41 else (0, 1)), 46 << 2)
c.send(b'after')`
    expect(await python(wide, address, 7, connect)).toBe('')
    const counted = () => firewall.counters('classes').then(({ rules }) => rules[0]?.packets)
    await expect.poll(counted, { timeout: 5_000 }).toBeGreaterThan(0)
    await firewall.delete('classes')
    server.close()
  })

  test('an echo request in fragments is answered by the gateway', async () => {
    const { stdout } = await narrow.execute('ping', ['-c1', '-W5', '-s', '5000', GATEWAYS[index] as string])
    expect(stdout).toContain('1 received')
  })

  test('a packet that may enter one network gets no further than the gateway', async () => {
    const { stdout } = await narrow.execute('ping', ['-c1', '-W5', '-t1', address])
    expect(stdout).toMatch(new RegExp(`From ${GATEWAYS[index]}.* (Time to live exceeded|Time exceeded: Hop limit)`))
    expect(await python(narrow, address, 5000, 's.setsockopt(level, 16 if level == 41 else 2, 1); s.send(b"x")')).toBe(
      '',
    )
  })

  test('traceroute shows the gateway, and the server after it', async (context) => {
    if (spawnSync('traceroute', ['--version']).error) context.skip('this machine has no traceroute')
    const { stdout } = await narrow.execute('traceroute', ['-n', '-q1', '-w5', '-N1', '-p', '5000', address])
    const hops = stdout.split('\n').slice(1, -1)
    expect(hops.map((hop) => hop.trim().split(/\s+/).slice(0, 2))).toEqual([
      ['1', GATEWAYS[index]],
      ['2', address],
    ])
  })

  test('the gateway has no other ports', async () => {
    const script = `s.send(b'x')
try:
    s.recv(1)
except OSError as error:
    print(errno.errorcode[error.errno])`
    expect(await python(narrow, GATEWAYS[index] as string, 33434, script)).toBe('ECONNREFUSED')
  })
})

test('what a router on the way says about the length of a packet reaches the program', async () => {
  const address = await internet.behind(1300, 5000)
  const lines = (await python(wide, address, 5000, sendThrice(1400))).split('\n')
  expect(lines).toEqual(['EMSGSIZE 1300', '1400', 'EMSGSIZE'])
})

test('packets of which fragments are missing are forgotten, and others arrive', async () => {
  // Raw packets with the bit for more fragments, each the first one of a packet of its own.
  const flood = `import socket, struct
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
part = b'x' * 1400
for number in range(5000):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 1420, number, 0x2000, 64, 17, 0, bytes([10, 0, 2, 100]), socket.inet_aton('${OTHER}'))
    raw.sendto(head + part, ('${OTHER}', 0))
print('done')`
  const before = await narrow.memory()
  expect((await narrow.execute('python3', ['-c', flood])).stdout).toBe('done\n')
  const script = 's.send(b"x" * 20000); print(len(s.recv(65535)))'
  expect(await python(narrow, WEB, 5000, script)).toBe('20000')
  expect((await narrow.memory()) - before).toBeLessThan(32 * 2 ** 20)
})
