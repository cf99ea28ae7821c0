/** `network.publish` and `network.forward` with UDP: each client has a source of its own, and gets its own answers. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Forwarding, NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/guards/resources.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

describe('datagrams', () => {
  let set: NamespaceSet
  beforeAll(() => {
    set = anyonesSet(['net'], { loopback: true })
  })
  afterAll(() => set.close())

  /** Answers with the port that it has received from, and the datagram. */
  async function echo(family: 4 | 6 = 4): Promise<Socket & AsyncDisposable> {
    const socket = set.network.createSocket(`udp${family}`)
    socket.on('message', (message, from) => socket.send(`${from.port} ${message}`, from.port, from.address))
    socket.bind(0, family === 4 ? '127.0.0.1' : '::1')
    await once(socket, 'listening')
    return socket as Socket & AsyncDisposable
  }

  async function ask(socket: Socket, message: string | Buffer, port: number, host: string): Promise<[string, string]> {
    socket.send(message, port, host)
    const [answer, from] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [
      Buffer,
      RemoteInfo,
    ]
    return [answer.toString(), from.address]
  }

  function publish(server: Socket, options: { host?: string; idleTimeout?: number } = {}): Promise<Forwarding> {
    const { port, address } = server.address()
    return set.network.publish({ port: 0, protocol: 'udp', to: { port, host: address }, ...options })
  }

  for (const [family, host] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const) {
    test(`of two clients have two sources (IPv${family})`, async () => {
      const server = await echo(family)
      await using forwarding = await publish(server, { host })
      const [one, two] = [createSocket(`udp${family}`), createSocket(`udp${family}`)]
      const port = forwarding.port as number
      const answers = [
        await ask(one, 'a', port, host),
        await ask(two, 'b', port, host),
        await ask(one, 'c', port, host),
      ]
      const sources = answers.map(([answer]) => answer.split(' ')[0])
      expect(answers.map(([answer]) => answer.split(' ')[1])).toEqual(['a', 'b', 'c'])
      expect(sources[2]).toBe(sources[0])
      expect(sources[1]).not.toBe(sources[0])
      expect(forwarding.statistics()).toMatchObject({ connections: 2, open: 2, failed: 0, bytesToTarget: 3 })
      for (const socket of [one, two, server]) socket.close()
    })
  }

  test('are answered from the address that the client has used', async () => {
    const server = await echo()
    await using forwarding = await publish(server, { host: '0.0.0.0' })
    const client = createSocket('udp4')
    const [, from] = await ask(client, 'x', forwarding.port as number, '127.0.0.9')
    expect(from).toBe('127.0.0.9')
    for (const socket of [client, server]) socket.close()
  })

  test('of IPv4 arrive at a listener of both families', async () => {
    const server = await echo()
    await using forwarding = await publish(server, { host: '::' })
    const client = createSocket('udp4')
    const [, from] = await ask(client, 'x', forwarding.port as number, '127.0.0.8')
    expect(from).toBe('127.0.0.8')
    for (const socket of [client, server]) socket.close()
  })

  test('have any length, up to the largest', async () => {
    const server = set.network.createSocket('udp4')
    server.on('message', (message, from) => server.send(message, from.port, from.address))
    await once(server.bind(0, '127.0.0.1'), 'listening')
    await using forwarding = await publish(server)
    const client = createSocket('udp4')
    for (const length of [0, 1, 1_500, 65_507]) {
      const [answer] = await ask(client, Buffer.alloc(length, 'x'), forwarding.port as number, '127.0.0.1')
      expect(answer).toHaveLength(length)
    }
    for (const socket of [client, server]) socket.close()
  })

  test('that the target refuses are lost, and the next ones arrive from the same source', async () => {
    const free = await echo()
    const { port, address: host } = free.address()
    await using forwarding = await set.network.publish({ port: 0, protocol: 'udp', to: { port, host } })
    const client = createSocket('udp4')
    const [before] = await ask(client, 'a', forwarding.port as number, '127.0.0.1')
    free.close()
    client.send('b', forwarding.port as number, '127.0.0.1')
    expect(
      await eventually(
        () => forwarding.statistics().bytesToTarget,
        (bytes) => bytes === 2,
      ),
    ).toBe(2)
    const again = set.network.createSocket('udp4')
    again.on('message', (message, from) => again.send(`${from.port} ${message}`, from.port, from.address))
    await once(again.bind(port, host), 'listening')
    const [after] = await ask(client, 'a', forwarding.port as number, '127.0.0.1')
    expect(after).toBe(before)
    expect(forwarding.statistics()).toMatchObject({ connections: 1, open: 1, failed: 0 })
    for (const socket of [client, again]) socket.close()
  })

  test('of a client that was silent have another source', async () => {
    const server = await echo()
    await using forwarding = await publish(server, { idleTimeout: 50 })
    const client = createSocket('udp4')
    const [first] = await ask(client, 'x', forwarding.port as number, '127.0.0.1')
    expect(
      await eventually(
        () => forwarding.statistics().open,
        (open) => open === 0,
      ),
    ).toBe(0)
    const [second] = await ask(client, 'x', forwarding.port as number, '127.0.0.1')
    expect(second).not.toBe(first)
    for (const socket of [client, server]) socket.close()
  })

  test('reach a server outside from a client inside', async () => {
    const server = createSocket('udp4')
    server.on('message', (message, from) => server.send(`${message}, too`, from.port, from.address))
    await once(server.bind(0, '127.0.0.1'), 'listening')
    await using forwarding = await set.network.forward({
      port: 53,
      protocol: 'udp',
      to: { port: server.address().port },
    })
    expect(forwarding.addresses).toEqual([{ protocol: 'udp', address: '127.0.0.1', port: 53 }])
    const client = set.network.createSocket('udp4')
    expect(await ask(client, 'hello', 53, '127.0.0.1')).toEqual(['hello, too', '127.0.0.1'])
    for (const socket of [client, server]) socket.close()
  })

  test('of more clients than are remembered are answered, and the oldest client is forgotten', async () => {
    const server = await echo()
    await using forwarding = await publish(server)
    const clients = Array.from({ length: 1_100 }, () => createSocket('udp4'))
    for (const client of clients) {
      const [answer] = await ask(client, 'x', forwarding.port as number, '127.0.0.1')
      expect(answer).toMatch(/ x$/)
    }
    const { connections, open } = forwarding.statistics()
    expect(connections).toBe(1_100)
    expect(open).toBeLessThanOrEqual(1_025)
    for (const socket of [...clients, server]) socket.close()
  })
})
