/** `network.sockets`: `ss` lists the same sockets. */
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import {
  action,
  type InetSocket,
  type NamespaceSet,
  type NetworkSocket,
  type SocketFilter,
  type UnixSocket,
} from 'nsset'
import { describe, expect, test } from 'vitest'
import { outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** A server and a client on lo, and the server's end of the connection. */
async function connected(set: NamespaceSet, host: string) {
  const server = await set.network.listen(net.createServer(), { port: 0, host })
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const client = set.network.connect({ host, port })
  const [socket] = (await accepted) as [Socket]
  const close = () => {
    client.destroy()
    socket.destroy()
    server.close()
  }
  return { server, port, client, socket, [Symbol.dispose]: close }
}

/** A line as `ss -Hn` prints it, without the link of an address. */
const line = ({ state, local, remote, receiveQueue, sendQueue }: InetSocket) => {
  const names: Record<string, string> = { established: 'ESTAB', unconnected: 'UNCONN', 'syn-received': 'SYN-RECV' }
  const text = ({ address, port }: { address: string; port: number | string }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const any = local.address.includes(':') ? '[::]:*' : '0.0.0.0:*'
  const far = remote === undefined ? any : text(remote)
  return [names[state] ?? state.toUpperCase(), receiveQueue, sendQueue, text(local), far].join(' ')
}

const listedBy = async (set: NamespaceSet, options: string) =>
  (await outputOf(set, 'ss', `-Hna ${options}`))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .toSorted()

describe('network.sockets.list', () => {
  test.each(['127.0.0.1', '::1'])('lists what listens and is connected at %s, as ss does', async (host) => {
    using set = anyonesSet(['net'], { loopback: true })
    using ends = await connected(set, host)
    ends.client.write('hello')
    // The queues no longer change.
    await once(ends.socket, 'readable')
    const { port } = ends
    const sockets = (await set.network.sockets.list({ protocol: 'tcp' })) as InetSocket[]
    expect(sockets.map(line).toSorted()).toEqual(await listedBy(set, '-t'))
    expect(sockets.map(({ state }) => state).toSorted()).toEqual(['established', 'established', 'listen'])
    expect(sockets.find(({ state }) => state === 'listen')).toEqual({
      protocol: 'tcp',
      family: host === '::1' ? 'IPv6' : 'IPv4',
      state: 'listen',
      local: { address: host, port },
      receiveQueue: 0,
      sendQueue: 511,
      uid: expect.any(Number),
      inode: expect.any(Number),
    })
  })

  test('lists UDP sockets', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const socket = set.network.createSocket('udp4')
    socket.bind(5353, '127.0.0.1')
    await once(socket, 'listening')
    const sockets = (await set.network.sockets.list({ protocol: 'udp' })) as InetSocket[]
    expect(sockets.map(line)).toEqual(await listedBy(set, '-u'))
    expect(sockets).toMatchObject([{ protocol: 'udp', state: 'unconnected', local: { port: 5353 } }])
    socket.close()
  })

  test('lists unix sockets of the network, with their peers', async () => {
    using set = anyonesSet(['net'])
    const path = `${temporaryDirectory()}/socket`
    const server = await set.network.listen(net.createServer(), untyped({ path: '\0abstract' }))
    const named = await set.network.listen(net.createServer(), untyped({ path })).catch(() => undefined)
    const accepted = once(server, 'connection')
    const client = set.network.connect({ path: '\0abstract' })
    const [socket] = (await accepted) as [Socket]
    const sockets = (await set.network.sockets.list({ protocol: 'unix' })) as UnixSocket[]
    // libuv before 1.46 fills the name with NULs.
    const listening = sockets.find(({ state, path }) => state === 'listen' && path?.startsWith('\0abstract') === true)
    expect(listening).toMatchObject({ protocol: 'unix', type: 'stream', inode: expect.any(Number) })
    const ends = sockets.filter(({ state }) => state === 'established')
    expect(ends.map(({ inode }) => inode).toSorted()).toEqual(ends.map(({ peer }) => peer).toSorted())
    const inodes = (await listedBy(set, '-x')).map((line) => Number(line.split(' ')[5]))
    expect(sockets.map(({ inode }) => inode).toSorted((a, b) => a - b)).toEqual(inodes.toSorted((a, b) => a - b))
    expect(await set.network.sockets.list({ path: listening?.path, state: 'listen' })).toEqual([listening])
    for (const handle of [client, socket]) handle.destroy()
    server.close()
    named?.close()
  })

  test('selects by every field', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    using ends = await connected(set, '127.0.0.1')
    const { port } = ends
    const { sockets } = set.network
    const count = async (filter: SocketFilter) => (await sockets.list(filter)).length
    expect(await count({})).toBeGreaterThanOrEqual(3)
    expect(await count({ protocol: 'tcp' })).toBe(3)
    expect(await count({ protocol: ['tcp', 'udp'], state: ['listen', 'time-wait'] })).toBe(1)
    expect(await count({ localPort: port })).toBe(2)
    expect(await count({ remotePort: port })).toBe(1)
    expect(await count({ localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' })).toBe(2)
    expect(await count({ family: 'IPv6' })).toBe(0)
    const [one] = (await sockets.list({ remotePort: port })) as [NetworkSocket]
    expect(await sockets.list({ inode: one.inode })).toEqual([one])
    expect(await count({ protocol: 'tcp', uid: one.uid as number })).toBe(3)
    expect(await count({ uid: 4_000_000_000 })).toBe(0)
  })

  test('works blocking, and as an action', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    using ends = await connected(set, '127.0.0.1')
    const filter: SocketFilter = { localPort: ends.port, state: 'listen' }
    const list = await set.network.sockets.list(filter)
    expect(list).toHaveLength(1)
    expect(set.network.sync.sockets.list(filter)).toEqual(list)
    expect(await set.network.apply([action.sockets.list(filter)])).toEqual([list])
  })
})

describe('network.sockets.destroy', () => {
  test('closes a connection', async (context) => {
    using set = anyonesSet(['net'], { loopback: true })
    using ends = await connected(set, '127.0.0.1')
    const failed = once(ends.client, 'error')
    ends.socket.on('error', () => undefined)
    const filter: SocketFilter = { protocol: 'tcp', remotePort: ends.port }
    let destroyed: InetSocket[]
    try {
      destroyed = await set.network.sockets.destroy(filter)
    } catch (error) {
      failed.catch(() => undefined)
      if ((error as { code: string }).code !== 'EOPNOTSUPP') throw error
      expect((error as Error).message).toContain('CONFIG_INET_DIAG_DESTROY')
      return context.skip('this kernel was built without CONFIG_INET_DIAG_DESTROY')
    }
    expect(destroyed).toMatchObject([{ state: 'established', remote: { port: ends.port } }])
    expect((await failed)[0]).toMatchObject({ code: expect.stringMatching(/ECONNABORTED|ECONNRESET/) })
    expect(await set.network.sockets.list(filter)).toEqual([])
  })

  test('of nothing does nothing', async () => {
    using set = anyonesSet(['net'])
    expect(await set.network.sockets.destroy({ localPort: 9 })).toEqual([])
  })
})

describe('bad input', () => {
  using set = anyonesSet(['net'])
  const { sockets } = set.network
  const cases: Case[] = [
    ['an unknown field', () => sockets.list(untyped({ localport: 1 })), value("did you mean 'localPort'")],
    ['an unknown protocol', () => sockets.list({ protocol: untyped<'tcp'>('sctp') }), value('filter.protocol')],
    ['an unknown state', () => sockets.list({ state: [untyped<'listen'>('LISTEN')] }), value('filter.state[0]')],
    ['a port out of range', () => sockets.list({ localPort: 65_536 }), range('filter.localPort')],
    ['no address', () => sockets.list({ localAddress: 'localhost' }), value('filter.localAddress')],
    ['a path of another type', () => sockets.list({ path: untyped(1) }), type('filter.path')],
    ['no filter for destroy', () => sockets.destroy(untyped(undefined)), type('filter')],
    [
      'an empty list for destroy',
      () => sockets.destroy({ protocol: [] }),
      value('filter.protocol', 'must not be empty'),
    ],
    ['an empty filter for destroy', () => sockets.destroy({}), value('filter', 'at least one field')],
    ['unix sockets for destroy', () => sockets.destroy({ protocol: 'unix' }), value('filter', 'unix')],
  ]
  refuses(cases)
  test('a closed set', async () => {
    const closed = anyonesSet(['net'])
    const { network } = closed
    closed.close()
    expect(await failureOf(() => network.sockets.list())).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  })
})
