/** What firewalls do to real packets: a client and a server, with a router between them. */
import { type FirewallTableSpec, firewall as forms } from 'nsset'
import { expect, test } from 'vitest'
import { ask, listen, natLab } from '../../setup/oracles/firewall/nat-lab.ts'
import { failureOf } from '../../setup/sets/failure.ts'

const masquerade: FirewallTableSpec = {
  chains: { out: { type: 'nat', hook: 'postrouting', rules: [[{ oifname: 'eth2' }, 'masquerade']] } },
}

test('masquerade: the server sees the address of the router', async () => {
  using place = await natLab()
  await using _server = await listen(place.server, 80)
  await place.router.network.firewall.replace('nat', masquerade)
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.2.1')
})

test('masquerade of some sources: others keep their address', async () => {
  using place = await natLab()
  await using _server = await listen(place.server, 80)
  const { firewall } = place.router.network
  await place.server.network.routes.add({ destination: '10.0.1.0/24', via: '10.0.2.1' })
  await firewall.replace('nat', forms.masquerade({ out: 'eth2', from: ['10.0.7.0/24', 'fd00::/8'] }))
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.1.2')
  await firewall.replace('nat', forms.masquerade({ out: 'eth2', from: '10.0.1.0/24' }))
  expect(await ask(place.client, '10.0.2.2', 80)).toBe('10.0.2.1')
})

test('a published port with loopback: programs of the router reach the server by 127.0.0.1', async () => {
  using place = await natLab()
  await using _server = await listen(place.server, 8080)
  const { firewall, sysctls } = place.router.network
  const published = { port: 80, to: { host: '10.0.2.2', port: 8080 } }
  await sysctls.set('net.ipv4.conf.eth2.route_localnet', true)
  await firewall.replace('publish', forms.publish({ ...published, loopback: true }))
  expect(await ask(place.router, '127.0.0.1', 80)).toBe('10.0.2.1')
  expect(await ask(place.router, '10.0.2.1', 80)).toBe('10.0.2.1')
  const failure = await failureOf(() => forms.publish({ port: 80, to: { host: 'fd00::2' }, loopback: true }))
  expect(failure.message).toContain('options.loopback')
})

test('dnat and redirect: clients reach a server by another address and port', async () => {
  using place = await natLab()
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
  using place = await natLab()
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
  using place = await natLab()
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

test('the short forms: a router that shares its address, publishes a port and drops the rest', async () => {
  using place = await natLab()
  await using _server = await listen(place.server, 8080)
  await using _local = await listen(place.router, 22)
  await using _other = await listen(place.router, 23)
  const { firewall } = place.router.network
  await firewall.replace('nat', forms.masquerade({ out: 'eth2' }))
  const to = { host: '10.0.2.2', port: 8080 }
  await firewall.replace('publish', forms.publish([{ port: 80, to, hairpin: '10.0.2.0/24' }]))
  expect(await ask(place.client, '10.0.2.2', 8080)).toBe('10.0.2.1')
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.2.1')
  // The server reaches itself by the published port.
  expect(await ask(place.server, '10.0.2.1', 80)).toBe('10.0.2.1')
  const allow = [{ port: 22 }, [{ 'tcp dport': 23 }, { reject: 'tcp reset' }]] as const
  await firewall.replace('filter', forms.policy({ allow }))
  expect(await ask(place.client, '10.0.1.1', 22)).toBe('10.0.1.2')
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 23))).code).toBe('ECONNREFUSED')
  expect((await failureOf(() => ask(place.client, '10.0.1.1', 80, 300))).code).toBe('TIMEOUT')
})

test('synproxy answers the handshakes of clients itself', async () => {
  using place = await natLab()
  await using _server = await listen(place.router, 80)
  const { firewall, sysctls } = place.router.network
  // A later segment without a handshake must not begin a connection.
  await sysctls.set('net.netfilter.nf_conntrack_tcp_loose', false)
  await firewall.replace('filter', {
    synproxies: { web: { mss: 1460, wscale: 7, timestamp: true, sackPerm: true } },
    chains: {
      early: {
        hook: 'prerouting',
        priority: 'raw',
        rules: [[{ 'tcp dport': 80 }, { 'tcp flags': { '==': 'syn' } }, 'notrack']],
      },
      input: {
        hook: 'input',
        rules: [
          [{ 'tcp dport': 80 }, { 'ct state': ['invalid', 'untracked'] }, { synproxy: 'web' }],
          [{ 'ct state': 'invalid' }, 'drop'],
        ],
      },
    },
  })
  expect(await ask(place.client, '10.0.1.1', 80)).toBe('10.0.1.2')
  const { stdout } = await place.router.execFile('cat', ['/proc/self/net/stat/synproxy'], { encoding: 'utf8' })
  // One line for each processor: entries, handshakes that began, and more.
  const handshakes = stdout
    .split('\n')
    .slice(1)
    .map((line) => Number.parseInt(line.trim().split(/\s+/)[1] ?? '0', 16))
  expect(handshakes.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
})
