/**
 * A Worker per namespace: each tenant has its own network and directory, with an HTTP server on the same port and
 * the same file, all in one process. Runs as root: an ordinary user can use `fork` instead.
 */
import { once } from 'node:events'
import { NamespaceSet } from 'nsset'

const TENANTS = ['red', 'green', 'blue']

const SERVER = `
  const { createServer } = require('node:http')
  const { readFileSync, writeFileSync } = require('node:fs')
  const { hostname } = require('node:os')
  const { parentPort, workerData } = require('node:worker_threads')

  // The same path for each tenant, with different files.
  writeFileSync('/mnt/greeting', 'Good day from ' + workerData)
  const server = createServer((_, response) => response.end(readFileSync('/mnt/greeting', 'utf8') + ' at ' + hostname()))
  server.listen(80, '127.0.0.1', () => parentPort.postMessage('listening'))
  parentPort.once('message', () => { server.close(); server.closeAllConnections() })`

const CLIENT = `
  const { parentPort } = require('node:worker_threads')
  fetch('http://127.0.0.1/').then((reply) => reply.text()).then((text) => parentPort.postMessage(text))`

const start = performance.now()
const tenants = await Promise.all(
  TENANTS.map(async (name) => {
    const set = await NamespaceSet.unshare(['net', 'uts', 'mnt'], {
      hostname: `host-of-${name}`,
      loopback: true,
      mounts: [{ type: 'tmpfs', target: '/mnt' }],
    })
    const server = set.worker(SERVER, { eval: true, workerData: name })
    await once(server, 'message')
    return { name, set, server }
  }),
)
console.log(
  `${tenants.length} servers on port 80, in one process, after ${(performance.now() - start).toFixed(0)} ms\n`,
)

for (const { name, set, server } of tenants) {
  // Only a thread inside can connect; this Worker enters the network alone.
  const client = set.worker(CLIENT, { eval: true, kinds: 'net' })
  const [text] = await once(client, 'message')
  console.log(`${name.padEnd(6)}${set.id('net')}  ${text}`)
  server.postMessage('end')
}

const outside = await fetch('http://127.0.0.1/', { signal: AbortSignal.timeout(2_000) }).then(
  () => 'another server responds on port 80',
  () => 'no server responds on port 80',
)
console.log(`\noutside, ${outside}`)
for (const { set } of tenants) set.close()
