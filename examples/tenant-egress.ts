/**
 * An egress service: each tenant has a network, leaves with an address of its own, and reaches what the gateway allows. Runs as root,
 * and as an ordinary user: `npx tsx examples/tenant-egress.ts`.
 */
import { once } from 'node:events'
import { action, NamespaceSet } from 'nsset'

/** The gateway, and the simulated Internet behind it. */
const GATEWAY = '192.0.2.1'
const WORLD = '192.0.2.254'
const POOL = '198.51.100.0/24'

/** The address of each tenant inside, and the one with which it leaves. */
const TENANTS = [
  { name: 'amber', inside: '10.0.0.11', address: '198.51.100.11' },
  { name: 'blue', inside: '10.0.0.12', address: '198.51.100.12' },
  { name: 'cyan', inside: '10.0.0.13', address: '198.51.100.13' },
]
type Tenant = (typeof TENANTS)[number]

/** A server that answers with the address of the client, and a tenant's program, which connects to it. */
const SERVER = `
  require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress))
    .listen(80, '${WORLD}', () => console.log('listening'))`
const CLIENT = `
  fetch('http://${WORLD}/').then((reply) => reply.text())
    .then((address) => console.log('leaves with', address), (error) => console.log('cannot leave:', error.cause.code))`

// One user namespace owns all networks: otherwise an ordinary user could not connect them.
using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
using world = await base.unshare('net')
using gateway = await base.unshare('net')
await gateway.network.apply([
  action.sysctls.set('net.ipv4.ip_forward', true),
  action.links.add({
    kind: 'veth',
    name: 'uplink',
    up: true,
    addresses: [`${GATEWAY}/24`],
    peer: { set: world, name: 'eth0', up: true, addresses: [`${WORLD}/24`] },
  }),
  action.inside(world, [action.routes.add({ destination: POOL, via: GATEWAY })]),
])
const options = { stdio: ['ignore', 'pipe', 'inherit'], deathSignal: 'SIGKILL' } as const
await using server = world.spawn(process.execPath, ['--eval', SERVER], options)
await once(server.stdout, 'data')

/** Connects a tenant. Its network is a single address, so the gateway is `onLink`. */
const connect = ({ name, inside }: Tenant, set: NamespaceSet) => [
  action.links.add({
    kind: 'veth',
    name: `to-${name}`,
    up: true,
    peer: { set, name: 'egress', up: true, addresses: [inside] },
  }),
  action.routes.add({ destination: inside, dev: `to-${name}` }),
  action.inside(set, [action.routes.add({ destination: 'default', via: GATEWAY, dev: 'egress', onLink: true })]),
]

/** Each tenant leaves with its address. A new tenant is a new element of the map. */
const translate = action.firewall.replace('nat', {
  sets: {
    addresses: {
      type: 'ipv4_addr',
      data: 'ipv4_addr',
      elements: TENANTS.map(({ inside, address }) => ({ key: inside, value: address })),
    },
  },
  chains: {
    postrouting: {
      type: 'nat',
      hook: 'postrouting',
      rules: [[{ oifname: 'uplink' }, { snat: { to: { 'ip saddr': { map: '@addresses' } } } }]],
    },
  },
})

/** Those that are admitted reach web servers outside; none reaches another tenant, or uses the address of one. */
const filter = action.firewall.replace('filter', {
  sets: { admitted: { type: 'ipv4_addr', elements: TENANTS.map(({ inside }) => inside) } },
  chains: {
    forward: {
      hook: 'forward',
      policy: 'drop',
      rules: [
        [{ 'fib saddr . iif oif': 'missing' }, 'drop'],
        [{ 'ct state': ['established', 'related'] }, 'accept'],
        [{ oifname: 'uplink' }, { 'ip saddr': '@admitted' }, { 'tcp dport': [80, 443] }, 'accept'],
        [{ reject: 'icmpx admin-prohibited' }],
      ],
    },
  },
})

/** Runs a tenant's program. */
async function run({ name, set }: { name: string; set: NamespaceSet }): Promise<void> {
  const { stdout } = await set.execFile(process.execPath, ['--eval', CLIENT], { timeout: 20_000 })
  console.log(`${name.padEnd(6)}${stdout.trim()}`)
}

const tenants = await Promise.all(TENANTS.map(async (tenant) => ({ ...tenant, set: await base.unshare('net') })))
await gateway.network.apply([...tenants.flatMap((tenant) => connect(tenant, tenant.set)), translate, filter])
for (const tenant of tenants) await run(tenant)

await gateway.network.firewall.deleteElements('filter', 'admitted', ['10.0.0.11'])
console.log('\nwithout amber:')
for (const tenant of tenants) await run(tenant)
for (const { set } of tenants) set.close()
