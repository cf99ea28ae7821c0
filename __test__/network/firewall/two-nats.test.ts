/** Two peers with the same private address, each behind a router that translates addresses, and a rendezvous between the routers. */
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { type FirewallStatement, firewall as forms, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'

const RENDEZVOUS = ['192.0.2.253', '192.0.2.254'] as const
const PORT = 3478

interface End {
  address: string
  port: number
}

interface Internet extends Disposable {
  /** A socket of a new peer behind a router with this address, which translates so. */
  peer(router: string, translation: FirewallStatement): Promise<Socket>
}

async function internet(): Promise<Internet> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const world = await base.unshare('net')
  const open: { close(): unknown }[] = [world]
  const addresses = RENDEZVOUS.map((address) => `${address}/24`)
  await world.network.links.add({ kind: 'bridge', name: 'br0', up: true, addresses })
  for (const address of RENDEZVOUS) {
    const server = world.network.createSocket('udp4').bind(PORT, address)
    open.push(server)
    server.on('message', (_, { address, port }) => server.send(JSON.stringify({ address, port }), port, address))
    await once(server, 'listening')
  }
  const peer = async (router: string, translation: FirewallStatement) => {
    const [gateway, host] = [await world.unshare('net'), await world.unshare('net')]
    open.push(gateway, host)
    const outside = { set: gateway, name: 'out', up: true, addresses: [`${router}/24`] }
    await world.network.links.add({ kind: 'veth', name: `to-${router}`, up: true, master: 'br0', peer: outside })
    const inside = { set: host, name: 'eth0', up: true, addresses: ['10.0.0.2/24'] }
    const { links, sysctls, firewall } = gateway.network
    await links.add({ kind: 'veth', name: 'in', up: true, addresses: ['10.0.0.1/24'], peer: inside })
    await host.network.routes.add({ destination: 'default', via: '10.0.0.1' })
    await sysctls.set('net.ipv4.ip_forward', true)
    const rules = [[{ oifname: 'out' }, translation]] as const
    await firewall.replace('nat', { chains: { out: { type: 'nat', hook: 'postrouting', rules } } })
    // Without it, the router answers for ports that are not open, and remembers who asked.
    await firewall.replace('filter', forms.policy({ forward: 'accept' }))
    const socket = host.network.createSocket('udp4').bind(5000, '10.0.0.2')
    open.push(socket)
    await once(socket, 'listening')
    return socket
  }
  const close = () => {
    for (const each of open.toReversed()) each.close()
  }
  return { peer, [Symbol.dispose]: close }
}

/** The end of a socket that a server sees. */
async function seenBy(server: string, socket: Socket): Promise<End> {
  const signal = AbortSignal.timeout(10_000)
  const answer = once(socket, 'message', { signal })
  socket.send('who am I?', PORT, server)
  return JSON.parse(`${(await answer)[0]}`)
}

/** Whether two sockets reach each other at the ends that a server saw. Both send, so that both routers expect answers. */
async function punch(left: Socket, right: Socket, patience: number): Promise<boolean> {
  const [toLeft, toRight] = [await seenBy(RENDEZVOUS[0], left), await seenBy(RENDEZVOUS[0], right)]
  let heard = 0
  const both = [left, right].map((socket) => once(socket, 'message').then(() => heard++))
  for (let waited = 0; heard < 2 && waited < patience; waited += 50) {
    left.send('hello', toRight.port, toRight.address)
    right.send('hello', toLeft.port, toLeft.address)
    await Promise.race([Promise.all(both), setTimeout(50)])
  }
  return heard === 2
}

test('masquerade keeps the port: every server sees the same end, and two peers reach each other', async () => {
  using place = await internet()
  const [left, right] = [await place.peer('192.0.2.1', 'masquerade'), await place.peer('192.0.2.2', 'masquerade')]
  expect(await seenBy(RENDEZVOUS[0], left)).toEqual({ address: '192.0.2.1', port: 5000 })
  expect(await seenBy(RENDEZVOUS[1], left)).toEqual({ address: '192.0.2.1', port: 5000 })
  expect(await punch(left, right, 10_000)).toBe(true)
})

test('random ports make a symmetric NAT: each server sees another end, and two peers do not reach each other', async () => {
  using place = await internet()
  const symmetric: FirewallStatement = { masquerade: { fullyRandom: true } }
  const [left, right] = [await place.peer('192.0.2.1', symmetric), await place.peer('192.0.2.2', symmetric)]
  const ends = [await seenBy(RENDEZVOUS[0], left), await seenBy(RENDEZVOUS[1], left)]
  expect(ends.map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.1'])
  expect(ends[0]?.port).not.toBe(ends[1]?.port)
  expect(await punch(left, right, 500)).toBe(false)
})
