/** What statements do to real packets: quotas, zones of connections, queues, transparent proxies and logs. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { FirewallRule, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { ask, listen, natLab } from '../../setup/oracles/firewall/nat-lab.ts'
import { type Failure, failureOf } from '../../setup/sets/failure.ts'

/** Packets to port 80 of a set meet this rule. */
async function filter(set: NamespaceSet, ...statements: FirewallRule): Promise<void> {
  const rules = [[{ 'tcp dport': 80 }, ...statements]] as const
  await set.network.firewall.replace('filter', { chains: { input: { hook: 'input', rules } } })
}

test('quota: packets pass until the bytes are used up', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  // A SYN has 60 bytes.
  await filter(place.router, { 'ct state': 'new' }, { quota: { bytes: 150, over: true } }, { reject: 'tcp reset' })
  const outcomes = []
  for (let number = 0; number < 4; number += 1) {
    outcomes.push((await Promise.allSettled([ask(place.client, '10.0.1.1', 80)]))[0].status)
  }
  expect([outcomes[0], outcomes[3]]).toEqual(['fulfilled', 'rejected'])
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 80))).code).toBe('ECONNREFUSED')
})

test('ct zone: connections are tracked in the zone that a rule sets', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  const { conntrack, firewall } = place.router.network
  const zone = [[{ iifname: 'eth1' }, { set: { 'ct zone': 7 } }]] as const
  const zoneBack = [[{ oifname: 'eth1' }, { set: { 'ct zone': 7 } }]] as const
  await firewall.replace('zones', {
    chains: {
      early: { hook: 'prerouting', priority: 'raw', rules: zone },
      back: { hook: 'output', priority: 'raw', rules: zoneBack },
      input: { hook: 'input', rules: [[{ 'ct zone': 7 }, 'counter', 'accept']] },
    },
  })
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
  expect((await conntrack.list({ zone: 7, protocol: 'tcp' })).map(({ zone }) => zone)).toEqual([7])
  expect((await firewall.counters('zones')).rules[0]?.packets).toBeGreaterThan(0)
})

test('queue: without a program that listens, packets are dropped, and with bypass they pass', async ({ skip }) => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  try {
    await filter(place.router, { queue: { num: 5 } })
  } catch (error) {
    if ((error as Failure).code !== 'ENOENT') throw error
    skip('this kernel lacks nft_queue')
  }
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 80, 300))).code).toBe('TIMEOUT')
  await filter(place.router, { queue: { num: 5, bypass: true } })
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
})

/** Node.js cannot set IP_TRANSPARENT, with which a socket gets packets to any address. */
const TRANSPARENT = `
import socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.SOL_IP, 19, 1)
server.bind(('0.0.0.0', 5080))
server.listen()
print('ready', flush=True)
connection, peer = server.accept()
connection.sendall(('%s:%d for %s' % (*connection.getsockname(), peer[0])).encode())
`

test('tproxy: a transparent socket gets the connections to another host', async ({ skip }) => {
  using place = await natLab()
  const { network } = place.router
  await network.rules.add({ fwmark: 1, table: 100 })
  await network.routes.add({ destination: '0.0.0.0/0', type: 'local', dev: 'lo', table: 100 })
  const rules = [[{ 'tcp dport': 80 }, { tproxy: { port: 5080 } }, { set: { 'meta mark': 1 } }, 'accept']] as const
  await network.firewall.replace('proxy', { chains: { in: { hook: 'prerouting', priority: 'mangle', rules } } })
  using child = place.router.spawn('python3', ['-c', TRANSPARENT], { stdio: ['ignore', 'pipe', 'inherit'] })
  const missing = await new Promise((resolve) => {
    child.once('error', resolve).stdout.once('data', () => resolve(undefined))
  })
  if (missing !== undefined) skip(`python3 is missing: ${String(missing)}`)
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.2.2:80 for 10.0.1.2')
  if (child.exitCode === null) await once(child, 'exit')
})

/** Reads one packet of the log group 5, as ulogd does: messages of linux/netfilter/nfnetlink_log.h. */
const LOG_READER = `
import socket, struct
group = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
def configure(kind, value):
  attribute = struct.pack('=HH', 4 + len(value), kind) + value + bytes(-len(value) % 4)
  body = struct.pack('>BBH', 0, 0, 5) + attribute
  group.send(struct.pack('=IHHII', 16 + len(body), 4 << 8 | 1, 5, 0, 0) + body)
  error, = struct.unpack_from('=i', group.recv(4096), 16)
  if error: raise OSError(-error, 'nfnetlink_log')
configure(1, bytes([1]))
configure(2, struct.pack('>IBB', 0xffff, 2, 0))
# The kernel does not wait for more packets.
configure(5, struct.pack('>I', 1))
print('ready', flush=True)
message, found, at = group.recv(65536), {}, 20
while at + 4 <= len(message):
  length, kind = struct.unpack_from('=HH', message, at)
  found[kind & 0x3fff] = message[at + 4:at + length]
  at += length + 3 & ~3
packet = found[9]
print(found[10].rstrip(bytes(1)).decode(), socket.inet_ntoa(packet[12:16]), *struct.unpack_from('>H', packet, 22))
`

test('log: a program that reads the group gets the packet, with the prefix', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  using child = place.router.spawn('python3', ['-c', LOG_READER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [ready] = await once(child.stdout, 'data')
  expect(`${ready}`).toMatch(/^ready/)
  await filter(place.router, { 'ct state': 'new' }, { log: { group: 5, prefix: 'web' } })
  const printed = text(child.stdout)
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
  expect((await printed).trim()).toBe('web 10.0.1.2 80')
})
