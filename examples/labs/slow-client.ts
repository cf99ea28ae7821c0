/**
 * A server with a client that is 80 ms away: the cost of a new connection, and the benefit of keeping one. Runs as
 * root, and as an ordinary user, where the kernel has netem: `npx tsx examples/labs/slow-client.ts`.
 */
import { type Agent, createServer, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { ActionError, action, NamespaceSet } from 'nsset'

/** Milliseconds, round trip. */
const LATENCY = 80

// One user namespace owns both networks: otherwise an ordinary user could not connect them.
using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
using far = await base.unshare('net')
using near = await base.unshare('net')
const peer = { set: far, name: 'eth0', up: true, addresses: ['10.0.0.2/24'] }

try {
  await near.network.apply([
    action.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: ['10.0.0.1/24'], peer }),
    // Packets of the client are delayed; those of the server are not.
    action.inside(far, [action.qdiscs.add('eth0', { kind: 'netem', latency: LATENCY })]),
  ])
  await compare()
} catch (error) {
  if (!(error instanceof ActionError)) throw error
  console.log(`no latency here: ${error.message}`)
}

async function compare(): Promise<void> {
  await using server = createServer((_, response) => response.end('hello'))
  await near.network.listen(server, { host: '10.0.0.1', port: 80 })
  using lasting = disposable(far.network.httpAgent({ keepAlive: true }))
  using passing = disposable(far.network.httpAgent({ keepAlive: false }))
  await took(lasting.agent)
  console.log(`on a connection that is there  ${await took(lasting.agent)} ms`)
  console.log(`on a new connection            ${await took(passing.agent)} ms`)
}

/** Whole milliseconds of a request. */
async function took(agent: Agent): Promise<string> {
  const begin = performance.now()
  await new Promise((resolve, reject) => {
    get({ host: '10.0.0.1', agent }, (response) => resolve(text(response))).once('error', reject)
  })
  return (performance.now() - begin).toFixed(0)
}

function disposable(agent: Agent) {
  return { agent, [Symbol.dispose]: () => agent.destroy() }
}
