/** Servers of each kind that listen outside, which nothing of a set may ever reach. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'
import { certificateFor } from './certificates.ts'

export interface Traps extends AsyncDisposable {
  /** Of TCP, on all addresses of the host. */
  plain: number
  /** Of TLS. */
  secure: number
  /** Of UDP. */
  datagram: number
  /** An abstract name of unix(7). */
  name: string
  /** What has arrived since the last call, after pending packets: `['plain']`. */
  received(): Promise<string[]>
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\noutside'

export async function setTraps(): Promise<Traps> {
  const received: string[] = []
  const peers = new Set<net.Socket>()
  const trap = <S extends net.Server>(kind: string, server: S, event = 'connection'): S =>
    server
      .on('connection', (peer: net.Socket) => {
        received.push(kind)
        peers.add(peer.on('error', () => undefined))
      })
      .on(event, (peer: net.Socket) => peer.on('error', () => undefined).end(ANSWER))
  const name = `\0nsset-outside-${process.pid}`
  const plain = trap('plain', net.createServer()).listen(0, '::')
  const secure = trap('secure', tls.createServer(certificateFor('x.test')), 'secureConnection')
  secure.on('tlsClientError', () => undefined).listen(0, '::')
  const local = trap('name', net.createServer()).listen(name)
  const datagram = dgram.createSocket('udp6').on('message', (text) => received.push(`datagram ${text}`))
  datagram.bind(0, '::')
  const all = [plain, secure, local]
  await Promise.all([...all, datagram].map((each) => once(each, 'listening')))
  const portOf = (of: net.Server) => (of.address() as AddressInfo).port
  const traps = { plain: portOf(plain), secure: portOf(secure), datagram: datagram.address().port, name }
  return {
    ...traps,
    received: async () => {
      await reachAll(traps)
      // Connections are accepted in order, so that ours are the last.
      const end = Date.now() + 5_000
      while (!MARKS.every((each) => received.includes(each)) && Date.now() < end) await new Promise(setImmediate)
      const others = [...received]
      for (const each of MARKS) others.splice(others.lastIndexOf(each), 1)
      received.length = 0
      return others
    },
    [Symbol.asyncDispose]: async () => {
      datagram.close()
      for (const peer of peers) peer.destroy()
      for (const each of all) each.close()
      await Promise.all(all.map((each) => once(each, 'close')))
    },
  }
}

/** The names of our own marks. */
const MARKS = ['plain', 'secure', 'name', 'datagram mark']

async function reachAll(traps: Pick<Traps, 'plain' | 'secure' | 'datagram' | 'name'>): Promise<void> {
  for (const place of [
    { host: '127.0.0.1', port: traps.plain },
    { host: '127.0.0.1', port: traps.secure },
    { path: traps.name },
  ]) {
    const socket = net.connect(place)
    await once(socket, 'connect')
    socket.destroy()
  }
  const socket = dgram.createSocket('udp4')
  await new Promise((resolve) => socket.send('mark', traps.datagram, '127.0.0.1', resolve))
  socket.close()
}
