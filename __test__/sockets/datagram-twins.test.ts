/** The sockets of `network.createSocket` beside Node's own: each scene is the same with both. */
import dgram from 'node:dgram'
import type { Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { aMoment, closed, eventsOf, fieldsOf, listening, type Maker, received } from '../setup/sockets/datagrams.ts'

describe.each(OWNERS)('in a network of %s', (owner) => {
  let wire: JoinedSets
  let network: Network
  beforeAll(async () => {
    wire = await joinedSets(owner)
    network = wire.here.network
  })
  afterAll(() => wire[Symbol.dispose]())

  /** The same scene with Node's own socket outside and with ours inside; what is seen of both is the same. */
  function twins(name: string, scene: (maker: Maker) => unknown): void {
    test(name, async () => {
      const outside = await scene(dgram)
      expect(outside, 'a scene says what it saw').not.toBeUndefined()
      expect(await scene(network)).toEqual(outside)
    })
  }

  describe('it tells as Node does', () => {
    twins('of a bind, later and once', async (maker) => {
      const socket = maker.createSocket({ type: 'udp4' })
      const events = eventsOf(socket)
      socket.bind(0, '127.0.0.1', () => events.push('called back'))
      events.push('bind has returned')
      await aMoment()
      await closed(socket)
      return events
    })

    twins('of a port that is in use', async (maker) => {
      const one = maker.createSocket({ type: 'udp4' })
      one.bind(24_117, '127.0.0.1')
      await listening(one)
      const socket = maker.createSocket({ type: 'udp4' })
      const events = eventsOf(socket)
      socket.bind(24_117, '127.0.0.1', () => events.push('called back'))
      await aMoment()
      // After that it can be bound elsewhere, and the callback of the first bind is not called for the second.
      socket.bind(0, '127.0.0.1')
      await aMoment()
      await closed(socket)
      await closed(one)
      return events
    })

    twins('of an address that is not there', async (maker) => {
      const socket = maker.createSocket({ type: 'udp4' })
      const events = eventsOf(socket)
      socket.bind(0, '203.0.113.7')
      await aMoment()
      socket.bind(4200, '203.0.113.7')
      await aMoment()
      await closed(socket)
      return events
    })

    twins('of an address of the other family', async (maker) => {
      const socket = maker.createSocket({ type: 'udp4' })
      const events = eventsOf(socket)
      socket.bind(0, '::1')
      await aMoment()
      await closed(socket)
      return events
    })

    twins('of a second bind', async (maker) => {
      const socket = maker.createSocket({ type: 'udp4' })
      socket.bind()
      const first = fieldsOf(await failureOf(() => socket.bind()))
      await listening(socket)
      const second = fieldsOf(await failureOf(() => socket.bind(4300)))
      await closed(socket)
      return [first, second]
    })

    twins('of a second bind while the first looks up a name', async (maker) => {
      const lookup: dgram.SocketOptions['lookup'] = (_name, _options, callback) => {
        setTimeout(callback, 20, null, '127.0.0.1', 4)
      }
      const socket = maker.createSocket({ type: 'udp4', lookup })
      const events = eventsOf(socket)
      socket.bind(0, 'here.test')
      events.push(fieldsOf(await failureOf(() => socket.bind(0))))
      await aMoment()
      await closed(socket)
      return events
    })

    twins('of a bind to an unknown name', async (maker) => {
      const lookup: dgram.SocketOptions['lookup'] = (_name, _options, callback) => {
        setTimeout(callback, 20, Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), '', 4)
      }
      const socket = maker.createSocket({ type: 'udp4', lookup })
      const events = eventsOf(socket)
      socket.bind(0, 'here.test')
      await aMoment()
      await closed(socket)
      return events
    })

    twins('of nothing when it is closed during a bind', async (maker) => {
      const seen: unknown[] = []
      for (const address of ['127.0.0.1', '203.0.113.7']) {
        const socket = maker.createSocket({ type: 'udp4' })
        const events = eventsOf(socket)
        socket.bind(0, address)
        socket.close()
        await aMoment()
        seen.push(events)
      }
      return seen
    })

    twins('of nothing when it is closed while a bind looks up a name', async (maker) => {
      const seen: unknown[] = []
      for (const answer of [[null, '127.0.0.1', 4], [new Error('unknown')], [null, '203.0.113.7', 4]] as const) {
        const lookup: dgram.SocketOptions['lookup'] = (_name, _options, callback) => {
          setTimeout(callback as () => void, 20, ...(answer as unknown as []))
        }
        const socket = maker.createSocket({ type: 'udp4', lookup })
        const events = eventsOf(socket)
        socket.bind(0, 'here.test')
        socket.close()
        await aMoment()
        seen.push(events, fieldsOf(await failureOf(() => socket.bind(0))))
      }
      return seen
    })

    twins('of what was sent while a bind looks up a name, before it closes', async (maker) => {
      const target = maker.createSocket({ type: 'udp4' })
      target.bind(0, '127.0.0.1')
      await listening(target)
      const lookup: dgram.SocketOptions['lookup'] = (name, _options, callback) => {
        // Node looks up where it sends to as well, and does not wait for that.
        if (name === 'here.test') setTimeout(callback, 20, null, '127.0.0.1', 4)
        else callback(null, name, 4)
      }
      const socket = maker.createSocket({ type: 'udp4', lookup })
      const events = eventsOf(socket)
      socket.bind(0, 'here.test')
      socket.send('late', target.address().port, '127.0.0.1', (error, bytes) => events.push([error, bytes]))
      socket.close()
      events.push((await received(target))[0])
      await closed(target)
      return events.map((event) => JSON.stringify(event)).toSorted()
    })

    twins('of a signal', async (maker) => {
      const controller = new AbortController()
      const socket = maker.createSocket({ type: 'udp4', signal: controller.signal })
      const events = eventsOf(socket)
      socket.bind(0, '127.0.0.1')
      await listening(socket)
      controller.abort()
      await aMoment()
      const early = maker.createSocket({ type: 'udp4', signal: AbortSignal.abort() })
      const earlyEvents = eventsOf(early)
      await aMoment()
      return [
        events,
        earlyEvents,
        fieldsOf(await failureOf(() => early.bind())),
        fieldsOf(await failureOf(() => socket.bind())),
      ]
    })

    twins('of what makes no sense before it is bound', async (maker) => {
      const calls: ((socket: dgram.Socket) => unknown)[] = [
        (socket) => socket.setTTL(3),
        (socket) => socket.setBroadcast(true),
        (socket) => socket.setMulticastTTL(3),
        (socket) => socket.getRecvBufferSize(),
        (socket) => socket.address(),
        (socket) => socket.remoteAddress(),
        (socket) => socket.disconnect(),
        (socket) => socket.addMembership('no group'),
        (socket) => socket.addMembership(undefined as unknown as string),
        (socket) => socket.send('x', 0),
        (socket) => socket.connect(0),
      ]
      const seen: unknown[] = []
      for (const call of calls) {
        const socket = maker.createSocket({ type: 'udp4' })
        seen.push(fieldsOf(await failureOf(() => call(socket))))
        await closed(socket)
        seen.push(fieldsOf(await failureOf(() => call(socket))))
      }
      return seen
    })

    twins('of options that make no sense', async (maker) => {
      const wrong = [{ type: 'udp5' }, {}, undefined, null, { type: 'udp4', signal: 1 }, { type: 'udp4', lookup: 1 }]
      const seen: unknown[] = []
      for (const options of wrong) {
        seen.push(fieldsOf(await failureOf(() => maker.createSocket(options as unknown as dgram.SocketOptions))))
      }
      return seen
    })

    twins('of options that are set', async (maker) => {
      const socket = maker.createSocket({ type: 'udp4' })
      socket.bind(0, '127.0.0.1')
      await listening(socket)
      socket.setBroadcast(true)
      socket.setMulticastLoopback(true)
      socket.setMulticastInterface('127.0.0.1')
      const seen = [socket.setTTL(7), socket.setMulticastTTL(9), fieldsOf(await failureOf(() => socket.setTTL(256)))]
      socket.ref().unref()
      await closed(socket)
      return seen
    })
  })
})
