/** A connection whose signal is aborted before it begins, reaches no server and leaves no descriptor. Node's own one would. */
import net from 'node:net'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { certificateFor } from '../setup/sockets/certificates.ts'

type Secure = { createConnection(options: object): net.Socket }

/** Mounts belong to other tests. */
const held = () => ({ ...resources(), mounts: Number.POSITIVE_INFINITY })

/** The events of a socket up to a moment after it was closed. */
async function eventsOf(socket: net.Socket): Promise<string[]> {
  const seen: string[] = []
  for (const event of ['connect', 'secureConnect', 'close']) socket.on(event, () => seen.push(event))
  socket.on('error', ({ code }: NodeJS.ErrnoException) => seen.push(String(code)))
  await new Promise((resolve) => setTimeout(resolve, 200))
  return seen
}

describe.each(OWNERS)('in a network of %s', (owner) => {
  let sets: JoinedSets
  let connections = 0
  const servers: net.Server[] = []
  beforeAll(async () => {
    sets = await joinedSets(owner)
    for (const [port, server] of [
      [7001, net.createServer()],
      [7002, tls.createServer(certificateFor('one.test'))],
    ] as const) {
      server.on('connection', (socket) => {
        connections += 1
        socket.destroy()
      })
      servers.push(await sets.there.network.listen(server, { port, host: '10.9.0.2' }))
    }
  })
  afterAll(() => {
    for (const server of servers) server.close()
    sets[Symbol.dispose]()
  })

  const lookup: net.LookupFunction = (_host, { all }, callback) =>
    all ? callback(null, [{ address: '10.9.0.2', family: 4 }]) : callback(null, '10.9.0.2', 4)

  test.each([
    ['an address', { host: '10.9.0.2' }],
    ['a name', { host: 'one.test', lookup }],
  ])('to %s', async (_, place) => {
    const signal = AbortSignal.abort()
    const agent = sets.here.network.httpsAgent({ rejectUnauthorized: false }) as unknown as Secure
    const began = [
      sets.here.network.connect({ ...place, port: 7001, signal }),
      agent.createConnection({ ...place, port: 7002, signal }),
    ]
    for (const seen of await Promise.all(began.map(eventsOf))) expect(seen).toEqual(['ABORT_ERR', 'close'])
    for (const socket of began) expect([socket.destroyed, socket.connecting]).toEqual([true, false])
    expect(connections).toBe(0)
  })

  test('to a host that never responds: no descriptor is kept', async () => {
    const begin = () => sets.here.network.connect({ host: '10.9.0.77', port: 80, signal: AbortSignal.abort() })
    await eventsOf(begin())
    const before = held()
    await Promise.all(Array.from({ length: 20 }, () => eventsOf(begin())))
    expect(await growthSince(before)).toEqual({})
  })
})
