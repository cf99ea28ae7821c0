/**
 * A Node.js process for each tenant, each with its own network, as an ordinary user: all serve port 80 of
 * 127.0.0.1 at the same time. `npx tsx examples/fork-per-namespace.ts`.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type NamespaceChildProcess, NamespaceSet } from 'nsset'

const TENANTS = ['amber', 'blue', 'cyan']

if (process.send === undefined) await manage()
else serve(process.argv[2] ?? '')

/** Outside: creates the networks, starts the processes, and sends a request to each of them. */
async function manage(): Promise<void> {
  // One user namespace for all of them: networks that it owns can be connected.
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const children = await Promise.all(TENANTS.map((tenant) => start(base, tenant)))
  for (const child of children) {
    child.send('http://127.0.0.1/hello')
    const [answer] = await once(child, 'message')
    console.log(answer)
  }
  await Promise.all(children.map((child) => child[Symbol.asyncDispose]()))
}

/** A process that listens. It keeps the network alive, so that the set can be closed. */
async function start(base: NamespaceSet, tenant: string): Promise<NamespaceChildProcess> {
  using set = await base.unshare('net', { loopback: true })
  const child = set.fork(import.meta.filename, [`${tenant}, ${set.id('net')},`], { deathSignal: 'SIGKILL' })
  await once(child, 'message')
  return child
}

/** Inside: the whole of Node.js, with its own lo. */
function serve(tenant: string): void {
  const server = createServer((request, response) => response.end(`${tenant} serves ${request.url} on port 80`))
  server.listen(80, '127.0.0.1', () => process.send?.('listening'))
  process.on('message', async (url: string) => process.send?.(await (await fetch(url)).text()))
}
