/** A client and a server, with a router between them that can translate addresses. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { NamespaceSet } from 'nsset'

export interface NatLab extends Disposable {
  client: NamespaceSet
  router: NamespaceSet
  server: NamespaceSet
}

/** The client has 10.0.1.2, the server 10.0.2.2. The server has no route to the client. */
export async function natLab(): Promise<NatLab> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const [client, router, server] = (await Promise.all(
    [1, 2, 3].map(() => base.unshare('net', { loopback: true })),
  )) as [NamespaceSet, NamespaceSet, NamespaceSet]
  for (const [number, set] of [
    [1, client],
    [2, server],
  ] as const) {
    await router.network.links.add({
      ...{ kind: 'veth', name: `eth${number}`, up: true, addresses: [`10.0.${number}.1/24`] },
      peer: { name: 'eth0', set, up: true, addresses: [`10.0.${number}.2/24`] },
    })
  }
  await client.network.routes.add({ destination: 'default', via: '10.0.1.1' })
  await router.network.sysctls.set('net.ipv4.ip_forward', true)
  const close = () => {
    for (const set of [client, router, server]) set.close()
  }
  return { client, router, server, [Symbol.dispose]: close }
}

/** A server that says who the client is. */
export async function listen(set: NamespaceSet, port: number): Promise<Server & AsyncDisposable> {
  return set.network.listen(
    createServer((socket) => socket.end(`${socket.remoteAddress}`)),
    { port, host: '0.0.0.0' },
  )
}

/** What the server says. */
export async function ask(set: NamespaceSet, host: string, port: number, timeout = 5000): Promise<string> {
  const socket = set.network.connect({ host, port })
  socket.setTimeout(timeout, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
  await once(socket, 'connect')
  return text(socket)
}
