/**
 * Fifty hosts in one process, each with an HTTP server on port 80 of its own network, and a client that sends requests
 * to all of them over a bridge. No thread and no program is inside. Runs as root, and as an ordinary user.
 */
import { type Agent, createServer, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { action, NamespaceSet } from 'nsset'

const HOSTS = Array.from({ length: 50 }, (_, index) => ({ name: `host-${index}`, address: `10.0.0.${index + 1}` }))
const ROUNDS = 40

const start = performance.now()
// One user namespace owns all networks: otherwise an ordinary user could not connect them.
using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
// The client is connected to the bridge.
using client = await base.unshare('net')
const hosts = await Promise.all(HOSTS.map(async (host) => ({ ...host, set: await base.unshare('net') })))
await client.network.apply([
  action.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.254/24'] }),
  ...hosts.map(({ name, address, set }) => {
    const peer = { set, name: 'eth0', up: true, addresses: [`${address}/24`] }
    return action.links.add({ kind: 'veth', name, master: 'br0', up: true, peer })
  }),
])
const servers = await Promise.all(
  hosts.map(({ name, set }) =>
    set.network.listen(
      createServer((_, response) => response.end(name)),
      80,
    ),
  ),
)
console.log(`${servers.length} servers on port 80 after ${(performance.now() - start).toFixed(0)} ms`)

const agent = client.network.httpAgent({ keepAlive: true })
const answers = await Promise.all(hosts.map(({ address }) => ask(address, agent)))
console.log(`${new Set(answers).size} hosts answered, from ${answers[0]} to ${answers.at(-1)}`)

const begin = performance.now()
for (let round = 0; round < ROUNDS; round += 1) await Promise.all(hosts.map(({ address }) => ask(address, agent)))
const rate = (ROUNDS * hosts.length * 1_000) / (performance.now() - begin)
console.log(`${rate.toFixed(0)} requests/s, client and servers in this process`)

agent.destroy()
for (const server of servers) server.close()
for (const { set } of hosts) set.close()

function ask(host: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host, agent }, (response) => resolve(text(response))).once('error', reject)
  })
}
