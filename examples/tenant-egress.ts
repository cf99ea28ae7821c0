/**
 * An egress service: each tenant has a network with its own address and route, and its connections come
 * from that address. Runs as root, and as an ordinary user: `npx tsx examples/tenant-egress.ts`.
 */
import { once } from 'node:events'
import { action, NamespaceSet } from 'nsset'

/** The gateway, and the simulated Internet behind it. */
const GATEWAY = '192.0.2.1'
const WORLD = '192.0.2.254'
const POOL = '198.51.100.0/24'

const TENANTS = [
  { name: 'amber', address: '198.51.100.11' },
  { name: 'blue', address: '198.51.100.12' },
  { name: 'cyan', address: '198.51.100.13' },
]

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

/** Sets up the gateway for a new tenant. The network is a single address, so the gateway is `onLink`. */
const admit = ({ name, address }: (typeof TENANTS)[number], set: NamespaceSet) => [
  action.links.add({
    kind: 'veth',
    name: `to-${name}`,
    up: true,
    peer: { set, name: 'egress', up: true, addresses: [address] },
  }),
  action.routes.add({ destination: address, dev: `to-${name}` }),
  action.inside(set, [action.routes.add({ destination: 'default', via: GATEWAY, dev: 'egress', onLink: true })]),
]

/** Runs a tenant's program. */
async function run({ name, set }: { name: string; set: NamespaceSet }): Promise<void> {
  const { stdout } = await set.execFile(process.execPath, ['--eval', CLIENT], { timeout: 20_000 })
  console.log(`${name.padEnd(6)}${stdout.trim()}`)
}

const tenants = await Promise.all(TENANTS.map(async (tenant) => ({ ...tenant, set: await base.unshare('net') })))
await gateway.network.apply(tenants.flatMap((tenant) => admit(tenant, tenant.set)))
for (const tenant of tenants) await run(tenant)

// Deleting one end of a cable deletes the other, and the routes over it.
await gateway.network.links.delete('to-amber')
console.log('\nwithout amber:')
for (const tenant of tenants) await run(tenant)
for (const { set } of tenants) set.close()
