/**
 * Two peers behind routers with address translation: which mapping a router has (RFC 4787, section 4.1), measured as by STUN, and
 * whether the peers reach each other.
 */

import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { type FirewallPortTranslation, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'

/** With endpoint-independent mapping a socket has one outer port; with symmetric mapping another one for each destination. */
const INDEPENDENT: FirewallPortTranslation = { persistent: true }
const SYMMETRIC: FirewallPortTranslation = { fullyRandom: true }

interface World extends Disposable {
  internet: NamespaceSet
  router: NamespaceSet[]
  peer: NamespaceSet[]
}

/** Two peers, each behind a router with this translation. The routers, 10.0.0.11 and 10.0.0.12, share a network with servers. */
async function world(translations: readonly FirewallPortTranslation[]): Promise<World> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const make = () => base.unshare('net', { loopback: true })
  const internet = await make()
  const addresses = ['10.0.0.1/24', '10.0.0.2/24']
  await internet.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses })
  const [routers, peers]: [NamespaceSet[], NamespaceSet[]] = [[], []]
  for (const [index, translation] of translations.entries()) {
    const number = index + 1
    const [router, peer] = [await make(), await make()]
    await internet.network.links.add({
      ...{ kind: 'veth', name: `line${number}`, master: 'br0', up: true },
      peer: { set: router, name: 'wan', up: true, addresses: [`10.0.0.1${number}/24`] },
    })
    await router.network.links.add({
      ...{ kind: 'veth', name: 'lan', up: true, addresses: [`192.168.${number}.1/24`] },
      peer: { set: peer, name: 'eth0', up: true, addresses: [`192.168.${number}.2/24`] },
    })
    await peer.network.routes.add({ destination: 'default', via: `192.168.${number}.1` })
    await router.network.sysctls.set('net.ipv4.ip_forward', true)
    await router.network.firewall.replace('nat', {
      chains: {
        out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'wan' }, { masquerade: translation }]] },
        // A router that answered would take the outer port for itself.
        in: { hook: 'input', rules: [[{ iifname: 'wan' }, { 'ct state': 'new' }, 'drop']] },
      },
    })
    routers.push(router)
    peers.push(peer)
  }
  const close = () => {
    for (const set of [internet, ...routers, ...peers]) set.close()
  }
  return { internet, router: routers, peer: peers, [Symbol.dispose]: close }
}

/** Servers at two addresses that answer with the address and the port from which a datagram came. */
async function stunServers({ internet }: World): Promise<AsyncDisposable> {
  const sockets: Socket[] = []
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    const socket = internet.network.createSocket('udp4')
    socket.on('message', (_, { address, port }) => socket.send(`${address} ${port}`, port, address))
    socket.bind(3478, address)
    await once(socket, 'listening')
    sockets.push(socket)
  }
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => once(socket.close(), 'close')))
    },
  }
}

/** What a server says about a socket. Datagrams are repeated, as in STUN. */
async function outerEnd(socket: Socket, server: string): Promise<{ address: string; port: number }> {
  const repeat = setInterval(() => socket.send('?', 3478, server), 200)
  socket.send('?', 3478, server)
  try {
    for (;;) {
      const [message, from] = (await once(socket, 'message', { signal: AbortSignal.timeout(15_000) })) as [
        Buffer,
        { address: string },
      ]
      const [address = '', port] = String(message).split(' ')
      if (from.address === server) return { address, port: Number(port) }
    }
  } finally {
    clearInterval(repeat)
  }
}

async function bound(set: NamespaceSet): Promise<Socket> {
  const socket = set.network.createSocket('udp4')
  socket.bind(4000)
  await once(socket, 'listening')
  return socket
}

/** Both peers send to the outer end of the other, and one of them waits for a datagram of the other. */
async function reach(one: Socket, other: Socket, limit: number): Promise<boolean> {
  const ends = [await outerEnd(one, '10.0.0.1'), await outerEnd(other, '10.0.0.1')] as const
  const send = () => {
    one.send('from one', ends[1].port, ends[1].address)
    other.send('from other', ends[0].port, ends[0].address)
  }
  const repeat = setInterval(send, 50)
  send()
  const heard = (socket: Socket, words: string) =>
    new Promise<void>((resolve) => {
      socket.on('message', (message) => {
        if (String(message) === words) resolve()
      })
    })
  const both = Promise.all([heard(one, 'from other'), heard(other, 'from one')]).then(() => true)
  const late = new Promise<false>((resolve) => setTimeout(resolve, limit, false))
  const outcome = await Promise.race([both, late])
  clearInterval(repeat)
  return outcome
}

test.each([
  ['endpoint-independent mapping', INDEPENDENT, true],
  ['symmetric mapping', SYMMETRIC, false],
] as const)('%s is measured by what two servers see', async (_, translation, isIndependent) => {
  using place = await world([translation])
  await using _servers = await stunServers(place)
  const socket = await bound(place.peer[0] as NamespaceSet)
  const [one, two] = [await outerEnd(socket, '10.0.0.1'), await outerEnd(socket, '10.0.0.2')]
  expect([one.address, two.address]).toEqual(['10.0.0.11', '10.0.0.11'])
  expect(one.port === two.port).toBe(isIndependent)
  // The router tracks both, with the ports that the servers see.
  const tracked = await (place.router[0] as NamespaceSet).network.conntrack.list({ protocol: 'udp', sourcePort: 4000 })
  const ports = new Map(tracked.map(({ original, reply }) => [original.destination.address, reply.destination.port]))
  expect(ports.get('10.0.0.1')).toBe(one.port)
  expect(ports.get('10.0.0.2')).toBe(two.port)
  socket.close()
})

test('peers behind two routers with endpoint-independent mapping reach each other', async () => {
  using place = await world([INDEPENDENT, INDEPENDENT])
  await using _servers = await stunServers(place)
  const [one, other] = [await bound(place.peer[0] as NamespaceSet), await bound(place.peer[1] as NamespaceSet)]
  expect(await reach(one, other, 15_000)).toBe(true)
  for (const socket of [one, other]) socket.close()
})

test('a peer behind a router with symmetric mapping is not reached', async () => {
  using place = await world([INDEPENDENT, SYMMETRIC])
  await using _servers = await stunServers(place)
  const [one, other] = [await bound(place.peer[0] as NamespaceSet), await bound(place.peer[1] as NamespaceSet)]
  expect(await reach(one, other, 1000)).toBe(false)
  for (const socket of [one, other]) socket.close()
})
