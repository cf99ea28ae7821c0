/** A hostile program inside: the uplink of another set in the same process goes on, and so does the event loop. */
import { once } from 'node:events'
import type { NamespaceChildProcess } from 'nsset'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Host, Internet, OTHER, WEB } from '../setup/uplink/internet.ts'

const MIB = 2 ** 20
/** In seconds: how long each flood takes. */
const FLOOD = 2

let internet: Internet
let host: Host
const servers: NamespaceChildProcess[] = []
beforeAll(async () => {
  internet = await Internet.create()
  await serve(9, 'pass')
  // It sends without an end.
  await serve(81, "while True: connection.sendall(b'x' * 65536)")
  host = await internet.uplink({ allow: ['9.1.0.0/16'] })
  await host.startNeighbour({ allow: ['9.1.0.0/16'], dns: { servers: [] } })
})
afterAll(async () => {
  for (const server of servers) if (server.kill('SIGKILL')) await once(server, 'exit')
  await internet[Symbol.asyncDispose]()
})

/** A process of its own for each server, so that a flood of one does not slow the other down. */
async function serve(port: number, act: string): Promise<void> {
  const script = `import socket
listener = socket.create_server(('0.0.0.0', ${port}), backlog=4096)
print('ready', flush=True)
while True:
    with listener.accept()[0] as connection:
        try:
            ${act}
        except OSError:
            pass`
  const server = internet.servers.spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(server)
  await once(server.stdout, 'data')
}

/** Receives 4 MiB again and again for a time in seconds. Returns the median of the bytes per second. */
async function throughputOfNeighbour(seconds: number): Promise<number> {
  const script = `import socket, statistics, time
room, rates, end = bytearray(1 << 20), [], time.monotonic() + ${seconds}
while time.monotonic() < end or not rates:
    connection = socket.create_connection(('${OTHER}', 81))
    left, start = 4 << 20, time.monotonic()
    while left > 0:
        left -= connection.recv_into(room)
    rates.append((4 << 20) / (time.monotonic() - start))
    connection.close()
print(statistics.median(rates))`
  const { stdout, stderr } = await host.executeInNeighbour('python3', ['-c', script])
  expect(stderr).toBe('')
  return Number(stdout)
}

const HEAD = `import itertools, os, socket, struct, time
end = time.monotonic() + ${FLOOD}
numbers = itertools.takewhile(lambda number: time.monotonic() < end, itertools.count())
def raw(protocol=socket.IPPROTO_RAW):
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
def packet(number, source, protocol, flags, payload):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), number % 65536, flags, 64, protocol, 0, source, socket.inet_aton('${WEB}'))
    return head + payload
`
const FLOODS: [string, string][] = [
  [
    'first packets of connections, with the sources of others',
    `s = raw()
for n in numbers:
    payload = struct.pack('!HHIIBBHHH', 1024 + n // 100 % 60000, 9, n, 0, 0x50, 2, 65535, 0, 0)
    s.sendto(packet(n, bytes([10, 0, 2, 101 + n % 100]), 6, 0x4000, payload), ('${WEB}', 0))`,
  ],
  [
    'datagrams to many places',
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in numbers:
    try:
        s.sendto(b'x' * 1000, ('9.1.%d.%d' % (n // 250 % 250, n % 250), 1 + n % 60000))
    except OSError:
        pass`,
  ],
  [
    'echo requests with many ids',
    `s = raw(socket.IPPROTO_ICMP)
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
for n in numbers:
    head = struct.pack('!BBHHH', 8, 0, 0, n % 65536, 1)
    s.sendto(struct.pack('!BBHHH', 8, 0, checksum(head + b'x' * 1000), n % 65536, 1) + b'x' * 1000, ('${WEB}', 0))`,
  ],
  [
    'questions about names of 255 bytes',
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in numbers:
    name = b''.join(b'\\x3f' + (b'%063d' % n) for _ in range(3)) + b'\\x3d' + b'a' * 61 + b'\\0'
    s.sendto(struct.pack('!HHHHHH', n % 65536, 256, 1, 0, 0, 0) + name + b'\\0\\1\\0\\1', ('10.0.2.2', 53))`,
  ],
  [
    'first fragments of packets',
    `s = raw()
for n in numbers:
    s.sendto(packet(n, bytes([10, 0, 2, 100]), 17, 0x2000, b'x' * 1400), ('${WEB}', 0))`,
  ],
  [
    'connections that end at once',
    `for n in numbers:
    try:
        socket.create_connection(('${WEB}', 9), timeout=5).close()
    except OSError:
        pass`,
  ],
  [
    'flows that are refused',
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in numbers:
    try:
        s.sendto(b'x', ('192.168.%d.%d' % (n // 250 % 250, 1 + n % 250), 1 + n % 60000))
    except OSError:
        pass`,
  ],
]

// What is measured here depends on what else the machine does, so the bounds are wide. NSSET_TEST_FIGURES prints the figures.
test.each(FLOODS)('a flood of %s', { timeout: 60_000 }, async (_, script) => {
  const alone = await throughputOfNeighbour(0.5)
  const memory = await host.memory()
  await host.delay()
  const flooding = host.execute('python3', ['-c', `${HEAD}${script}`])
  const beside = await throughputOfNeighbour(FLOOD - 0.5)
  const delay = await host.delay()
  const grown = (await host.memory()) - memory
  expect(await flooding).toEqual({ code: 0, stdout: '', stderr: '' })
  if (process.env['NSSET_TEST_FIGURES'])
    console.log({ alone: alone / MIB, beside: beside / MIB, ratio: beside / alone, delay, grown: grown / MIB })
  expect(beside).toBeGreaterThan(alone / 100)
  expect(delay).toBeLessThan(20)
  expect(grown).toBeLessThan(64 * MIB)
})
