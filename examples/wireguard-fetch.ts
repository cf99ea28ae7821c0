/**
 * `fetch` through a WireGuard tunnel: this process is at neither end of it, and its other requests do not use it.
 * Runs as root, and as an ordinary user, where the kernel has WireGuard: `npx tsx examples/wireguard-fetch.ts`.
 */
import { createServer } from 'node:http'
import { ActionError, action, NamespaceSet, wireguard } from 'nsset'

/** Both ends: the addresses of the cable, and of the tunnel. */
const HERE = { outer: '192.0.2.1', inner: '10.9.0.1', keys: wireguard.generateKeys() }
const THERE = { outer: '192.0.2.2', inner: '10.9.0.2', keys: wireguard.generateKeys() }
const PORT = 51820

// One user namespace owns both networks: otherwise an ordinary user could not connect them.
using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
using here = await base.unshare('net')
using there = await base.unshare('net')

/** An end of the tunnel. */
const tunnel = (own: typeof HERE, other: typeof HERE) => [
  action.links.add({ kind: 'wireguard', name: 'wg0', up: true, addresses: [`${own.inner}/24`] }),
  action.wireguard.set('wg0', {
    privateKey: own.keys.privateKey,
    listenPort: PORT,
    peers: [
      {
        publicKey: other.keys.publicKey,
        endpoint: `${other.outer}:${PORT}`,
        allowedIps: [`${other.inner}/32`],
      },
    ],
  }),
]
const peer = { set: there, name: 'eth0', up: true, addresses: [`${THERE.outer}/24`] }

try {
  await here.network.apply([
    action.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: [`${HERE.outer}/24`], peer }),
    ...tunnel(HERE, THERE),
    action.inside(there, tunnel(THERE, HERE)),
  ])
  await ask()
} catch (error) {
  if (!(error instanceof ActionError)) throw error
  console.log(`no tunnel here: ${error.message}`)
}

async function ask(): Promise<void> {
  await using server = createServer(({ socket }, response) => response.end(`hello, ${socket.remoteAddress}`))
  await there.network.listen(server, { host: THERE.inner, port: 80 })
  const answer = await here.network.fetch(`http://${THERE.inner}/`)
  console.log(await answer.text())
  const [{ endpoint, receivedBytes } = {}] = (await there.network.wireguard.get('wg0')).peers
  console.log(`${receivedBytes} bytes came through the tunnel from ${endpoint}`)
}
