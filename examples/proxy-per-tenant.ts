/**
 * A proxy in one process: it listens outside, and each tenant's connections come from a separate network, with
 * its own address. Runs as root, and as an ordinary user: `npx tsx examples/proxy-per-tenant.ts`.
 */
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { text } from 'node:stream/consumers'
import { action, NamespaceSet } from 'nsset'

const WORLD = '192.0.2.254'
const TENANTS = [
  { name: 'amber', address: '192.0.2.11' },
  { name: 'blue', address: '192.0.2.12' },
  { name: 'cyan', address: '192.0.2.13' },
]

// One user namespace owns all networks: otherwise an ordinary user could not connect them.
using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
using world = await base.unshare('net')
const egress = new Map<string, NamespaceSet>()
for (const { name } of TENANTS) egress.set(name, await base.unshare('net'))
await world.network.apply([
  action.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: [`${WORLD}/24`] }),
  ...TENANTS.map(({ name, address }) => {
    const peer = { set: setOf(name), name: 'egress', up: true, addresses: [`${address}/24`] }
    return action.links.add({ kind: 'veth', name: `to-${name}`, master: 'br0', up: true, peer })
  }),
])

/** A server of the simulated Internet, which answers with the address of the client. */
const server = createServer(({ socket }, response) => response.end(socket.remoteAddress))
await world.network.listen(server, { host: WORLD, port: 80 })

/** This proxy accepts a tenant's name as its password: a real one must not. */
const proxy = createServer((_, response) => response.writeHead(405).end())
proxy.on('connect', (asked: IncomingMessage, client: Socket) => {
  client.on('error', () => client.destroy())
  const set = egress.get(tenantOf(asked))
  if (set === undefined) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
  const { hostname: host, port } = new URL(`http://${asked.url}`)
  const out = set.network.connect({ host, port: Number(port) || 80 })
  const refuse = (error: NodeJS.ErrnoException) => client.end(`HTTP/1.1 502 ${error.code}\r\n\r\n`)
  out.once('error', refuse).once('connect', () => {
    out.off('error', refuse)
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    pipeline(client, out, client, () => undefined)
  })
})
proxy.listen(0, '127.0.0.1')
await once(proxy, 'listening')

for (const name of [...egress.keys(), 'nobody']) console.log(name.padEnd(8) + (await ask(name, `${WORLD}:80`)))
console.log(`${'amber'.padEnd(8)}${await ask('amber', `${WORLD}:81`)} from port 81`)
server.close()
proxy.close()
for (const set of egress.values()) set.close()

function setOf(tenant: string): NamespaceSet {
  const set = egress.get(tenant)
  if (set === undefined) throw new RangeError(`there is no tenant ${tenant}`)
  return set
}

function tenantOf({ headers }: IncomingMessage): string {
  const [, credentials = ''] = headers['proxy-authorization']?.split(' ') ?? []
  return Buffer.from(credentials, 'base64').toString().split(':')[0] ?? ''
}

/** The answer to a tenant's client through the proxy. */
async function ask(tenant: string, path: string): Promise<string> {
  const { port } = proxy.address() as AddressInfo
  const headers = { 'proxy-authorization': `Basic ${Buffer.from(`${tenant}:`).toString('base64')}` }
  const tunnel = request({ host: '127.0.0.1', port, method: 'CONNECT', path, headers }).end()
  const [{ statusCode, statusMessage }, socket] = (await once(tunnel, 'connect')) as [IncomingMessage, Socket]
  if (statusCode !== 200) return `is refused: ${statusCode} ${statusMessage}`
  const [answer] = await once(get({ path: '/', createConnection: () => socket }), 'response')
  return `leaves with ${await text(answer)}`
}
