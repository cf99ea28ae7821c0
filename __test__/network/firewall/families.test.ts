/** What rules of other families, and statements that send packets elsewhere, do to real packets. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { type FirewallTableRef, type FirewallTableSpec, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { failureOf } from '../../setup/sets/failure.ts'

interface Segment extends Disposable {
  switch: NamespaceSet
  one: NamespaceSet
  two: NamespaceSet
}

/** Two hosts, 10.0.0.1 and 10.0.0.2, on a bridge in a third set, whose ports are port1 and port2. */
async function segment(): Promise<Segment> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const [middle, one, two] = (await Promise.all([1, 2, 3].map(() => base.unshare('net', { loopback: true })))) as [
    NamespaceSet,
    NamespaceSet,
    NamespaceSet,
  ]
  await middle.network.links.add({ kind: 'bridge', name: 'br0', up: true })
  for (const [number, set] of [
    [1, one],
    [2, two],
  ] as const) {
    await middle.network.links.add({
      ...{ kind: 'veth', name: `port${number}`, master: 'br0', up: true },
      peer: { name: 'eth0', set, up: true, addresses: [`10.0.0.${number}/24`] },
    })
  }
  const close = () => {
    for (const set of [middle, one, two]) set.close()
  }
  return { switch: middle, one, two, [Symbol.dispose]: close }
}

/** Asks the second host for a greeting. */
async function ask({ one }: Segment, timeout = 10_000): Promise<string> {
  const socket = one.network.connect({ host: '10.0.0.2', port: 80 })
  socket.setTimeout(timeout, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
  await once(socket, 'connect')
  return text(socket)
}

async function serve(set: NamespaceSet) {
  return set.network.listen(
    createServer((socket) => socket.end('hello')),
    { port: 80, host: '0.0.0.0' },
  )
}

async function isCut(
  place: Segment,
  set: NamespaceSet,
  ref: FirewallTableRef,
  table: FirewallTableSpec,
): Promise<void> {
  await using _ = await serve(place.two)
  expect(await ask(place)).toBe('hello')
  await set.network.firewall.replace(ref, table)
  expect((await failureOf(() => ask(place, 500))).code).toMatch(/TIMEOUT|EHOSTUNREACH/)
  await set.network.firewall.delete(ref)
  expect(await ask(place)).toBe('hello')
}

test('bridge: packets between two ports are dropped', async () => {
  using place = await segment()
  const rules = [[{ 'ip daddr': '10.0.0.2' }, { 'tcp dport': 80 }, 'counter', 'drop']] as const
  await isCut(place, place.switch, { name: 't', family: 'bridge' }, { chains: { c: { hook: 'forward', rules } } })
})

test('netdev: packets are dropped as they arrive at a link', async () => {
  using place = await segment()
  const rules = [[{ 'ip saddr': '10.0.0.1' }, 'counter', 'drop']] as const
  const chains = { c: { hook: 'ingress', devices: ['eth0'], rules } } as const
  await isCut(place, place.two, { name: 't', family: 'netdev' }, { chains })
})

test('arp: requests are counted, and dropped', async () => {
  using place = await segment()
  const ref = { name: 't', family: 'arp' } as const
  const rules = [[{ 'arp operation': 'request' }, { 'arp daddr ip': '10.0.0.2' }, 'counter', 'drop']] as const
  await place.two.network.firewall.replace(ref, { chains: { c: { hook: 'input', rules } } })
  await using _ = await serve(place.two)
  expect((await failureOf(() => ask(place, 500))).code).toMatch(/TIMEOUT|EHOSTUNREACH/)
  expect((await place.two.network.firewall.counters(ref)).rules[0]?.packets).toBeGreaterThan(0)
  await place.two.network.firewall.delete(ref)
  expect(await ask(place)).toBe('hello')
})

test('dup: another host gets a copy of each packet', async () => {
  using place = await segment()
  const copies = place.two.network.createSocket('udp4')
  copies.bind(9, '10.0.0.2')
  await once(copies, 'listening')
  // The copy keeps its destination: the other host has that address, too.
  await place.two.network.addresses.add('lo', '10.0.9.9/32')
  await place.one.network.addresses.add('lo', '10.0.9.9/32')
  copies.close()
  await once(copies, 'close')
  const copied = place.two.network.createSocket('udp4')
  copied.bind(9, '10.0.9.9')
  await once(copied, 'listening')
  await place.two.network.sysctls.set('net.ipv4.conf.all.rp_filter', 0)
  await place.two.network.sysctls.set('net.ipv4.conf.eth0.rp_filter', 0)
  const rules = [[{ 'udp dport': 9 }, { dup: { to: '10.0.0.2' } }]] as const
  await place.one.network.firewall.replace({ name: 't', family: 'ip' }, { chains: { c: { hook: 'output', rules } } })
  const message = once(copied, 'message')
  const sender = place.one.network.createSocket('udp4')
  sender.bind(0, '10.0.0.1')
  await once(sender, 'listening')
  sender.send('a copy', 9, '10.0.9.9')
  expect(String((await message)[0])).toBe('a copy')
  sender.close()
  copied.close()
})

test('fwd: packets leave through another link', async () => {
  using place = await segment()
  // Without the bridge, only the rules connect the two ports.
  const { network } = place.switch
  for (const number of [1, 2]) await network.links.set(`port${number}`, { master: null })
  const [port1, port2] = [await network.links.get('port1'), await network.links.get('port2')]
  await using _ = await serve(place.two)
  expect((await failureOf(() => ask(place, 500))).code).toMatch(/TIMEOUT|EHOSTUNREACH/)
  const to = (from: string, device: number) =>
    ({ hook: 'ingress', devices: [from], rules: [['counter', { fwd: { device } }]] }) as const
  const chains = { there: to('port1', port2.index), back: to('port2', port1.index) }
  await network.firewall.replace({ name: 't', family: 'netdev' }, { chains })
  expect(await ask(place)).toBe('hello')
})

test('synproxy: the router answers the handshake before the server sees it', async () => {
  using place = await segment()
  const { network } = place.two
  await network.sysctls.set('net.netfilter.nf_conntrack_tcp_loose', false)
  const syn = [{ 'tcp dport': 80 }, { 'tcp flags': { '&': ['fin', 'syn', 'rst', 'ack'], '==': 'syn' } }] as const
  const proxied = [{ 'tcp dport': 80 }, { 'ct state': ['invalid', 'untracked'] }] as const
  await network.firewall.replace('t', {
    chains: {
      raw: { hook: 'prerouting', priority: 'raw', rules: [[...syn, 'notrack']] },
      input: {
        hook: 'input',
        rules: [
          [...proxied, 'counter', { synproxy: { mss: 1460, wscale: 7, timestamp: true, sackPerm: true } }],
          [{ 'ct state': 'invalid' }, 'drop'],
        ],
      },
    },
  })
  await using _ = await serve(place.two)
  expect(await ask(place)).toBe('hello')
  // The first packet and the answer to that of the proxy.
  expect((await network.firewall.counters('t')).rules[0]?.packets).toBeGreaterThanOrEqual(2)
})
