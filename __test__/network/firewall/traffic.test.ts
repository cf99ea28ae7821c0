/** What firewalls do to real packets: a client and a server, with a router between them. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { type FirewallTableSpec, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { failureOf } from '../../setup/sets/failure.ts'

interface Lab extends Disposable {
  client: NamespaceSet
  router: NamespaceSet
  server: NamespaceSet
}

/** The client has 10.0.1.2, the server 10.0.2.2. The server has no route to the client. */
async function lab(): Promise<Lab> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const [client, router, server] = (await Promise.all(
    [1, 2, 3].map(() => base.unshare('net', { loopback: true })),
  )) as [NamespaceSet, NamespaceSet, NamespaceSet]
  for (const [number, set] of [
    [1, client],
    [2, server],
  ] as const) {
    await router.network.links.add({
      ...{ kind: 'veth', name: `eth${number}`, up: true, addresses: [`10.0.${number}.1/24`] },
      peer: { name: 'eth0', set, up: true, addresses: [`10.0.${number}.2/24`] },
    })
  }
  await client.network.routes.add({ destination: 'default', via: '10.0.1.1' })
  await router.network.sysctls.set('net.ipv4.ip_forward', true)
  const close = () => {
    for (const set of [client, router, server]) set.close()
  }
  return { client, router, server, [Symbol.dispose]: close }
}

/** A server that says who the client is. */
async function listen(set: NamespaceSet, port: number): Promise<Server & AsyncDisposable> {
  return set.network.listen(
    createServer((socket) => socket.end(`${socket.remoteAddress}`)),
    { port, host: '0.0.0.0' },
  )
}

/** What the server says. */
async function ask(set: NamespaceSet, host: string, port: number, timeout = 5000): Promise<string> {
  const socket = set.network.connect({ host, port })
  socket.setTimeout(timeout, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
  await once(socket, 'connect')
  return text(socket)
}

const masquerade: FirewallTableSpec = {
  chains: { out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth2' }, 'masquerade']] } },
}

test('masquerade: the server sees the address of the router', async () => {
  using place = await lab()
  await using _server = await listen(place.server, 80)
  await place.router.network.firewall.replace('nat', masquerade)
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.2.1')
})

test('dnat and redirect: clients reach a server by another address and port', async () => {
  using place = await lab()
  await using _server = await listen(place.server, 8080)
  await using _local = await listen(place.router, 9090)
  const to = { to: '10.0.2.2', port: 8080 }
  const rules = [
    [{ iifname: 'eth1' }, { 'tcp dport': 80 }, { dnat: to }],
    [{ 'tcp dport': 90 }, { redirect: { port: 9090 } }],
  ] as const
  const chains = { ...masquerade.chains, in: { type: 'nat', hook: 'prerouting', rules } } as const
  await place.router.network.firewall.replace('nat', { chains })
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.2.1')
  expect(await ask(place.client, '10.0.1.1', 90)).toBe('10.0.1.2')
})

test('reject and drop: what the client gets', async () => {
  using place = await lab()
  await using _server = await listen(place.router, 80)
  const rules = [
    [{ 'tcp dport': 81 }, { reject: 'tcp reset' }],
    [{ 'tcp dport': 82 }, { reject: 'icmpx admin-prohibited' }],
    [{ 'tcp dport': 83 }, 'drop'],
    [
      {
        'tcp dport': {
          vmap: [
            [84, { jump: 'refuse' }],
            ['85-90', 'accept'],
          ],
        },
      },
    ],
  ] as const
  const chains = { input: { hook: 'input', rules }, refuse: { rules: [[{ reject: 'tcp reset' }]] } } as const
  await place.router.network.firewall.replace('filter', { chains })
  const codeOf = async (port: number, timeout?: number) => {
    const failure = await failureOf(() => ask(place.client, '10.0.1.1', port, timeout))
    return failure.code
  }
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
  expect(await codeOf(81)).toBe('ECONNREFUSED')
  expect(await codeOf(82)).toBe('EHOSTUNREACH')
  expect(await codeOf(83, 300)).toBe('TIMEOUT')
  expect(await codeOf(84)).toBe('ECONNREFUSED')
})

test('a limit and a set let only some packets through', async () => {
  using place = await lab()
  await using _server = await listen(place.router, 80)
  const limited = [
    [{ 'ip saddr': '@friends' }, 'accept'],
    [{ 'ct state': 'new' }, { limit: { rate: 1, per: 'day', burst: 2 } }, 'accept'],
    [{ 'ct state': 'new' }, { reject: 'tcp reset' }],
  ] as const
  const table = (elements: string[]) =>
    ({
      sets: { friends: { type: 'ipv4_addr', flags: ['interval'], elements } },
      chains: { input: { hook: 'input', rules: limited } },
    }) as const
  const answers = async () => {
    const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => ask(place.client, '10.0.1.1', 80)))
    return all.filter(({ status }) => status === 'fulfilled').length
  }
  const { firewall } = place.router.network
  await firewall.replace('filter', table([]))
  const few = await answers()
  // The first packet passes, and as many more as the burst allows.
  expect(few).toBeGreaterThanOrEqual(2)
  expect(few).toBeLessThanOrEqual(3)
  await firewall.replace('filter', table(['10.0.1.0/24']))
  expect(await answers()).toBe(5)
})
