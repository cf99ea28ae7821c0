/** Measures beside busy programs on the same processor, and prints the figures: see suites/busy.ts. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { NamespaceSet } from 'nsset'
import { interleave, microsecondsOf } from './measure.ts'
import type { BusyFigures } from './suites/busy.ts'

const ROUNDS = 200
const HOST = '127.0.0.1'

using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
const server = createServer((socket) => socket.on('error', () => undefined).resume())
await set.network.listen(server, { host: HOST, port: 0 })
const { port } = server.address() as AddressInfo

async function connect(): Promise<void> {
  const socket = set.network.connect({ host: HOST, port })
  await once(socket, 'connect')
  socket.destroy()
}

const figures: BusyFigures = await interleave(
  {
    'unshareSync(user), close()': () =>
      microsecondsOf(() => NamespaceSet.unshareSync('user', { mapUser: 'root' }).close()),
    "execFile('true') in user+net": () => microsecondsOf(() => set.execFile('true')),
    'connect() in user+net': () => microsecondsOf(connect),
    spawnSync: () => microsecondsOf(() => spawnSync('true')),
  },
  ROUNDS,
)
server.close()
console.log(JSON.stringify(figures))
