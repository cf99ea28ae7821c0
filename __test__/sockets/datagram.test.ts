/** `network.createSocket`: sockets of `dgram` that are inside, and in everything else are Node's own. */

import dgram from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { ip } from '../setup/oracles/iproute.ts'
import { datagramSockets, missingProgram, startInside, untilBound } from '../setup/programs/watched-program.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { aMoment, bound, closed, listening, received, using } from '../setup/sockets/datagrams.ts'

describe.each(OWNERS)('in a network of %s', (owner) => {
  let wire: JoinedSets
  let network: Network
  beforeAll(async () => {
    wire = await joinedSets(owner)
    network = wire.here.network
  })
  afterAll(() => wire[Symbol.dispose]())

  describe('bound', () => {
    const forms: [form: string, bind: (socket: dgram.Socket, listener: () => void) => void, address: string][] = [
      ['with nothing', (socket, listener) => socket.bind(listener), '0.0.0.0'],
      ['to a port', (socket, listener) => socket.bind(4001, listener), '0.0.0.0:4001'],
      ['to a port and an address', (socket, listener) => socket.bind(4002, '10.9.0.1', listener), '10.9.0.1:4002'],
      ['to an address alone', (socket, listener) => socket.bind(undefined, '10.9.0.1', listener), '10.9.0.1'],
      ['by options', (socket, listener) => socket.bind({ port: 4003, address: '10.9.0.1' }, listener), '10.9.0.1:4003'],
      ['by options without an address', (socket, listener) => socket.bind({ port: 4004 }, listener), '0.0.0.0:4004'],
      ['by empty options', (socket, listener) => socket.bind({}, listener), '0.0.0.0'],
      ['exclusively', (socket, listener) => socket.bind({ port: 4005, exclusive: true }, listener), '0.0.0.0:4005'],
    ]
    test.each(forms)('%s it is there inside, and not outside', async (_form, bind, where) => {
      await using(network.createSocket('udp4'), async (socket) => {
        await new Promise<void>((resolve) => bind(socket, resolve))
        const { address, port } = socket.address()
        expect(`${address}:${port}`).toContain(where)
        expect(await datagramSockets(wire.here)).toContain(`${address}:${port}`)
        // The same port is free there.
        await using(dgram.createSocket('udp4'), async (other) => {
          other.bind(port)
          await listening(other)
        })
      })
    })

    test('it takes a port that is in use outside', async () => {
      await using(dgram.createSocket('udp4'), async (outside) => {
        outside.bind()
        await listening(outside)
        await using(network.createSocket('udp4'), async (socket) => {
          socket.bind(outside.address().port)
          await listening(socket)
          expect(socket.address()).toEqual(outside.address())
        })
      })
    })

    test('to a name, by lookup inside', async () => {
      await using(network.createSocket('udp4'), async (socket) => {
        socket.bind(0, 'localhost')
        await listening(socket)
        expect(socket.address().address).toBe('127.0.0.1')
      })
    })

    test('to a name, by the lookup that it is given', async () => {
      const asked: unknown[] = []
      const lookup: dgram.SocketOptions['lookup'] = (name, options, callback) => {
        asked.push(name, options.family)
        callback(null, '10.9.0.1', 4)
      }
      await using(network.createSocket({ type: 'udp4', lookup }), async (socket) => {
        socket.bind(0, 'here.test')
        await listening(socket)
        expect([...asked, socket.address().address]).toEqual(['here.test', 4, '10.9.0.1'])
      })
    })

    test('to addresses of IPv6, with and without those of IPv4', async () => {
      await using(network.createSocket({ type: 'udp6' }), async (both) => {
        both.bind()
        await listening(both)
        expect(both.address()).toMatchObject({ address: '::', family: 'IPv6' })
        await using(network.createSocket('udp4'), async (socket) => {
          socket.bind(both.address().port)
          expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' })
        })
      })
      await using(network.createSocket({ type: 'udp6', ipv6Only: true }), async (six) => {
        six.bind(0, '::')
        await listening(six)
        await using(network.createSocket('udp4'), async (socket) => {
          socket.bind(six.address().port)
          await listening(socket)
        })
      })
    })

    test('to an address of a link, by its zone', async () => {
      await using(network.createSocket('udp6'), async (socket) => {
        socket.bind(4010, 'fe80::1%inner0')
        await listening(socket)
        // Not of the socket: Node would look for the link outside.
        expect(await datagramSockets(wire.here)).toContain('[fe80::1]%inner0:4010')
      })
    })

    test('with others, who want it so, too', async () => {
      const options: dgram.SocketOptions = { type: 'udp4', reuseAddr: true }
      await using(network.createSocket(options), async (one) => {
        one.bind(4100)
        await listening(one)
        await using(network.createSocket(options), async (other) => {
          other.bind(4100)
          await listening(other)
          expect((await datagramSockets(wire.here)).filter((address) => address === '0.0.0.0:4100')).toHaveLength(2)
        })
      })
    })

    test('it has the size of buffers that it is given', async () => {
      const sizes = { recvBufferSize: 20_000, sendBufferSize: 30_000 }
      await using(network.createSocket({ type: 'udp4', ...sizes }), async (socket) => {
        socket.bind()
        await listening(socket)
        // The kernel doubles them (socket(7)).
        expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([40_000, 60_000])
        socket.setRecvBufferSize(25_000)
        socket.setSendBufferSize(35_000)
        expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([50_000, 70_000])
      })
    })
  })

  describe('bound by itself', () => {
    /** It is bound inside, and nowhere outside. */
    async function expectInside(socket: dgram.Socket): Promise<void> {
      const { address, port } = socket.address() as AddressInfo
      expect(await datagramSockets(wire.here)).toContain(`${address}:${port}`)
    }

    test('when it sends', async () => {
      await using(await bound(wire.there.network), async (target) => {
        const { port } = target.address()
        await using(network.createSocket('udp4'), async (socket) => {
          socket.send('hello', port, '10.9.0.2')
          const [text, from] = await received(target)
          expect([text, from]).toEqual(['hello', `10.9.0.1:${socket.address().port}`])
          await expectInside(socket)
        })
      })
    })

    test('when it sends before it is bound explicitly, which is then too late', async () => {
      await using(network.createSocket('udp4'), async (socket) => {
        socket.send('hello', 9, '10.9.0.2')
        expect(await failureOf(() => socket.bind(0))).toMatchObject({ code: 'ERR_SOCKET_ALREADY_BOUND' })
      })
    })

    test('when it sends to a name', async () => {
      const names = JSON.stringify({ name: 'there.test' })
      const lookup: dgram.SocketOptions['lookup'] = (name, _options, callback) => {
        callback(name === JSON.parse(names).name ? null : new Error(name), '10.9.0.2', 4)
      }
      await using(await bound(wire.there.network), async (target) => {
        await using(network.createSocket({ type: 'udp4', lookup }), async (socket) => {
          socket.send('by name', target.address().port, 'there.test')
          expect((await received(target))[0]).toBe('by name')
        })
      })
    })

    test('when it connects, and is connected', async () => {
      await using(await bound(wire.there.network), async (target) => {
        const { port } = target.address()
        await using(network.createSocket('udp4'), async (socket) => {
          socket.connect(port, '10.9.0.2')
          await once(socket, 'connect')
          expect(socket.remoteAddress()).toEqual({ address: '10.9.0.2', family: 'IPv4', port })
          expect(socket.address().address).toBe('10.9.0.1')
          socket.send('connected')
          const [text, from] = await received(target)
          expect([text, from]).toEqual(['connected', `10.9.0.1:${socket.address().port}`])
          target.send('back', socket.address().port, '10.9.0.1')
          expect(await received(socket)).toEqual(['back', `10.9.0.2:${port}`])
          await expectInside(socket)
          socket.disconnect()
          expect(await failureOf(() => socket.remoteAddress())).toMatchObject({
            code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED',
          })
        })
      })
    })

    test('connected to a port without a socket, it gets the error', async () => {
      await using(network.createSocket('udp4'), async (socket) => {
        socket.connect(9, '10.9.0.2')
        await once(socket, 'connect')
        socket.send('hello?')
        const [error] = await once(socket, 'error', { signal: AbortSignal.timeout(5_000) })
        expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      })
    })

    test('when it joins a group, of which the network inside knows then', async () => {
      await using(network.createSocket('udp4'), async (socket) => {
        socket.addMembership('239.1.2.3', '10.9.0.1')
        await expectInside(socket)
        expect(await ip(wire.here, '-4 maddress show dev inner0')).toContain('239.1.2.3')
        socket.dropMembership('239.1.2.3', '10.9.0.1')
        expect(await ip(wire.here, '-4 maddress show dev inner0')).not.toContain('239.1.2.3')
      })
    })

    test('when it joins a group of IPv6', async () => {
      await using(network.createSocket('udp6'), async (socket) => {
        socket.addMembership('ff15::77')
        const own = await datagramSockets(wire.here)
        expect(own.filter((address) => address.endsWith(`:${socket.address().port}`))).not.toEqual([])
        expect(await ip(wire.here, '-6 maddress show dev inner0')).toContain('ff15::77')
      })
    })

    test('when it joins a group of one source', async () => {
      await using(network.createSocket('udp4'), async (socket) => {
        socket.addSourceSpecificMembership('10.9.0.2', '232.1.2.3', '10.9.0.1')
        await expectInside(socket)
        expect(await ip(wire.here, '-4 maddress show dev inner0')).toContain('232.1.2.3')
        socket.dropSourceSpecificMembership('10.9.0.2', '232.1.2.3', '10.9.0.1')
      })
    })
  })

  describe('over the wire', () => {
    test('a group hears what is sent to it, and who has left does not', async () => {
      await using(network.createSocket({ type: 'udp4', reuseAddr: true }), async (listener) => {
        listener.bind(4400)
        await listening(listener)
        listener.addMembership('239.4.4.4', '10.9.0.1')
        await using(wire.there.network.createSocket('udp4'), async (sender) => {
          sender.bind(0, '10.9.0.2')
          await listening(sender)
          sender.setMulticastInterface('10.9.0.2')
          sender.setMulticastTTL(1)
          sender.send('to all of you', 4400, '239.4.4.4')
          expect((await received(listener))[0]).toBe('to all of you')
          listener.dropMembership('239.4.4.4', '10.9.0.1')
          sender.send('without receivers', 4400, '239.4.4.4')
          sender.send('to you', 4400, '10.9.0.1')
          expect((await received(listener))[0]).toBe('to you')
        })
      })
    })

    test('a group of one source hears that source', async () => {
      await using(network.createSocket('udp4'), async (listener) => {
        listener.bind(4401)
        await listening(listener)
        listener.addSourceSpecificMembership('10.9.0.2', '232.4.4.4', '10.9.0.1')
        await using(wire.there.network.createSocket('udp4'), async (sender) => {
          sender.bind(0, '10.9.0.2')
          await listening(sender)
          sender.setMulticastInterface('10.9.0.2')
          sender.send('from the source', 4401, '232.4.4.4')
          expect((await received(listener))[0]).toBe('from the source')
        })
      })
    })

    test('a broadcast reaches the other end, where it is allowed', async () => {
      await using(wire.there.network.createSocket('udp4'), async (listener) => {
        listener.bind(4402)
        await listening(listener)
        await using(await bound(network), async (sender) => {
          const send = () =>
            new Promise<void>((resolve, reject) => {
              sender.send('to all hosts', 4402, '10.9.0.255', (error) => (error === null ? resolve() : reject(error)))
            })
          expect(await failureOf(send)).toMatchObject({ code: 'EACCES' })
          sender.setBroadcast(true)
          const heard = received(listener)
          await send()
          expect(await heard).toEqual(['to all hosts', `10.9.0.1:${sender.address().port}`])
        })
      })
    })

    test('IPv6 goes there and back', async () => {
      await using(await bound(wire.there.network, 'udp6'), async (target) => {
        await using(network.createSocket('udp6'), async (socket) => {
          socket.send('six', target.address().port, 'fd09::2')
          const [text, from] = await received(target)
          expect([text, from]).toEqual(['six', `fd09::1:${socket.address().port}`])
        })
      })
    })

    test('a thousand datagrams arrive', async () => {
      await using(network.createSocket({ type: 'udp4', recvBufferSize: 4_000_000 }), async (listener) => {
        const seen = new Set<string>()
        listener.on('message', (message) => seen.add(String(message)))
        listener.bind(4403)
        await listening(listener)
        await using(wire.there.network.createSocket('udp4'), async (sender) => {
          for (let count = 0; count < 1_000; count += 1) {
            await new Promise((resolve) => sender.send(String(count), 4403, '10.9.0.1', resolve))
          }
        })
        await expect.poll(() => seen.size, { timeout: 5_000 }).toBe(1_000)
      })
    })

    test('socat hears what is sent, and its answer comes back', async (context) => {
      const missing = missingProgram('socat', 'socat')
      if (missing !== undefined) return context.skip(missing)
      await using peer = startInside(wire.there, 'socat', ['UDP4-RECVFROM:4500,fork', 'EXEC:tr a-z A-Z'])
      await untilBound(wire.there, 4500)
      await using(network.createSocket('udp4'), async (socket) => {
        socket.send('shout', 4500, '10.9.0.2')
        expect(await received(socket)).toEqual(['SHOUT', '10.9.0.2:4500'])
      })
      await peer.stop()
    })

    test('what socat sends is heard', async (context) => {
      const missing = missingProgram('socat', 'socat')
      if (missing !== undefined) return context.skip(missing)
      await using(network.createSocket('udp6'), async (socket) => {
        socket.bind(4501, 'fd09::1')
        await listening(socket)
        const heard = received(socket)
        const options = { input: 'from socat', timeout: 10_000 }
        await wire.there.execFile('socat', ['-u', '-', 'UDP6-SENDTO:[fd09::1]:4501'], options)
        expect((await heard)[0]).toBe('from socat')
      })
    })

    test('the TTL is on the packet', async (context) => {
      const missing = missingProgram('socat', 'socat')
      if (missing !== undefined) return context.skip(missing)
      const args = ['-u', '-d', '-d', '-d', 'UDP4-RECVFROM:4502,ip-recvttl', 'STDOUT']
      await using peer = startInside(wire.there, 'socat', args)
      await untilBound(wire.there, 4502)
      await using(await bound(network), async (socket) => {
        socket.setTTL(42)
        socket.send('short-lived', 4502, '10.9.0.2')
        expect(await peer.prints('short-lived')).toMatch(/TTL.*42/)
      })
    })
  })

  describe('in the end', () => {
    test('nothing is left of a hundred sockets, whatever became of them', async () => {
      await using(network.createSocket('udp4'), async (taken) => {
        taken.bind(4600)
        await listening(taken)
        const before = resources()
        for (let count = 0; count < 25; count += 1) {
          const [one, two, three, four] = [1, 2, 3, 4].map(() =>
            network.createSocket('udp4').on('error', () => undefined),
          )
          one?.bind()
          two?.bind(4600)
          three?.bind(0, 'no-such-name.invalid')
          four?.addMembership('239.1.1.1', '10.9.0.1')
          for (const socket of [one, two, three, four]) socket?.close()
        }
        await aMoment()
        expect(await growthSince(before)).toEqual({})
      })
      await expect.poll(() => datagramSockets(wire.here), { timeout: 5_000 }).toEqual([])
    })

    test('a closed set makes no more sockets; those that it made go on', async () => {
      using other = await joinedSets(owner)
      await using(await bound(other.here.network), async (one) => {
        await using(await bound(other.there.network), async (two) => {
          const unbound = other.here.network.createSocket('udp4')
          const { network } = other.here
          other.here.close()
          expect(await failureOf(() => network.createSocket('udp4'))).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
          one.send('still here', two.address().port, '10.9.0.2')
          expect((await received(two))[0]).toBe('still here')
          unbound.bind()
          expect((await once(unbound, 'error'))[0]).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
          await closed(unbound)
        })
      })
    })
  })
})
