/** `network.connect` is `net.connect` inside: the same events in order, the same errors, the same properties. */
import { once } from 'node:events'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { eventuallyListed, listening, startSocat } from '../setup/oracles/peers.ts'
import { expectFailure, failureOf, untyped } from '../setup/sets/failure.ts'
import { joinedSets, OWNERS } from '../setup/sets/joined-sets.ts'
import { socketTwins } from '../setup/sockets/twins.ts'

describe('a connection has the same events and properties as Node’s own', () => {
  for (const [what, host] of [
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
    ['an address of a link', '10.9.0.1'],
    ['an IPv6 address of a link', 'fd09::1'],
  ] as const) {
    socketTwins<string>(
      `over ${what}`,
      async ({ connect, echo, end, watch, namesOf, once }, host) => {
        const server = await echo({ host, port: 7001 })
        const socket = connect({ host, port: 7001 })
        const seen = watch(socket)
        await once(socket, 'connect')
        const { localPort, ...names } = namesOf(socket) as { localPort: number }
        socket.end('hello')
        return [names, localPort > 0, await seen, await end(server)]
      },
      host,
    )
  }
  socketTwins(
    'with a listener, and settings before and after the connection',
    async ({ connect, echo, end, watch }) => {
      const server = await echo(7002)
      const order: string[] = []
      const socket = connect({ host: '127.0.0.1', port: 7002 }, () => order.push('listener'))
      order.push(`connecting ${socket.connecting} ${socket.pending} ${socket.readyState}`)
      socket.on('connect', () => order.push(`connected ${socket.connecting} ${socket.pending} ${socket.readyState}`))
      const seen = watch(socket)
      // Before the connection, these settings apply to it.
      socket.setNoDelay(true).setKeepAlive(true, 1000)
      socket.write('early')
      order.push(`written ${socket.bytesWritten} ${socket.writableLength}`)
      socket.end(' and late')
      const events = await seen
      return [order, events, socket.bytesRead, socket.bytesWritten, socket.destroyed, await end(server)]
    },
  )
  socketTwins('to a name in /etc/hosts', async ({ connect, echo, end, watch }) => {
    const server = await echo({ host: '127.0.0.1', port: 7003 })
    const socket = connect({ host: 'localhost', family: 4, port: 7003 })
    socket.on('connect', () => socket.end('hello'))
    return [await watch(socket), await end(server)]
  })
  socketTwins('to a name from the caller’s lookup, in each form', async ({ connect, echo, end, watch }) => {
    const server = await echo({ host: '127.0.0.1', port: 7004 })
    const calls: unknown[] = []
    const lookup = (name: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => {
      calls.push([name, options])
      setImmediate(() =>
        options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
      )
    }
    const seen: unknown[] = []
    for (const autoSelectFamily of [true, false]) {
      const socket = connect({ host: 'twin.test', port: 7004, lookup: lookup as never, autoSelectFamily })
      socket.on('connect', () => socket.end('hello'))
      seen.push(await watch(socket))
    }
    return [calls, seen, await end(server)]
  })
  socketTwins('from a local address and port', async ({ net, connect, listen, end, watch, namesOf }) => {
    const names: unknown[] = []
    const server = await listen(
      net.createServer((peer) => {
        names.push(namesOf(peer))
        // So that nothing waits for its port afterwards.
        peer.on('error', () => undefined).resetAndDestroy()
      }),
      { host: '10.9.0.1', port: 7005 },
    )
    const socket = connect({ host: '10.9.0.1', port: 7005, localAddress: '10.9.0.1', localPort: 17005 })
    const seen = await watch(socket)
    return [names, seen, await end(server)]
  })
  socketTwins('from a local port without an address', async ({ net, connect, listen, end, watch, namesOf }) => {
    const names: unknown[] = []
    const server = await listen(
      net.createServer((peer) => {
        names.push(namesOf(peer))
        peer.on('error', () => undefined).resetAndDestroy()
      }),
      { host: '::', port: 7006 },
    )
    const four = await watch(connect({ host: '127.0.0.1', port: 7006, localPort: 17006 }))
    const six = await watch(connect({ host: '::1', port: 7006, localPort: 17007 }))
    return [names, four, six, await end(server)]
  })
  socketTwins('with allowHalfOpen, ended by each side', async ({ net, connect, listen, end, watch }) => {
    const server = await listen(
      net.createServer({ allowHalfOpen: true }, (peer) =>
        peer
          .on('error', () => undefined)
          .resume()
          .end('first'),
      ),
      7007,
    )
    const seen: unknown[] = []
    for (const allowHalfOpen of [true, false]) {
      const socket = connect({ host: '127.0.0.1', port: 7007, allowHalfOpen })
      socket.on('end', () => setTimeout(() => socket.end('second'), 20))
      socket.on('error', () => undefined)
      seen.push(socket.allowHalfOpen, (await watch(socket)).length)
    }
    return [seen, await end(server)]
  })
  socketTwins('that reads into a buffer of the caller', async ({ connect, echo, end, watch }) => {
    const server = await echo(7008)
    const read: unknown[] = []
    const socket = connect({
      host: '127.0.0.1',
      port: 7008,
      onread: {
        buffer: Buffer.alloc(4),
        callback: (length, buffer) => {
          read.push([length, Buffer.from(buffer).toString('latin1', 0, length)])
          return true
        },
      },
    })
    socket.end('12345678')
    return [await watch(socket), read, await end(server)]
  })
  socketTwins('that is paused and resumed', async ({ net, connect, listen, end, once, pass }) => {
    const server = await listen(
      net.createServer((peer) => peer.end('x'.repeat(300_000))),
      7009,
    )
    const socket = connect({ host: '127.0.0.1', port: 7009 })
    await once(socket, 'connect')
    let length = 0
    socket.on('data', (chunk) => (length += chunk.length))
    socket.pause()
    await pass(50)
    const before = [socket.isPaused(), length]
    socket.resume()
    await once(socket, 'close')
    return [before, socket.isPaused(), length, await end(server)]
  })
  socketTwins('with a timeout during silence', async ({ connect, echo, end, watch }) => {
    const server = await echo(7010)
    const socket = connect({ host: '127.0.0.1', port: 7010, timeout: 50 })
    const { timeout } = socket
    socket.on('timeout', () => socket.destroy())
    return [timeout, await watch(socket), await end(server)]
  })
  socketTwins('again, after it has ended', async ({ connect, echo, end, watch }) => {
    const server = await echo(7011)
    const place = { host: '127.0.0.1', port: 7011 }
    const socket = connect(place, () => socket.end('first'))
    const first = await watch(socket)
    socket.connect(place, () => socket.end('second'))
    return [first, await watch(socket), await end(server)]
  })
  socketTwins('with ref() and unref()', async ({ connect, echo, end, watch }) => {
    const server = await echo(7012)
    const socket = connect({ host: '127.0.0.1', port: 7012 })
    socket.unref().ref()
    const address = socket.address()
    socket.on('connect', () => socket.end())
    return [address, await watch(socket), await end(server)]
  })
  socketTwins('that its peer resets', async ({ net, connect, listen, end, watch, pass }) => {
    const server = await listen(
      net.createServer(async (peer) => {
        await pass(30)
        peer.resetAndDestroy()
      }),
      7013,
    )
    return [await watch(connect({ host: '127.0.0.1', port: 7013 })), await end(server)]
  })
  socketTwins('that transfers megabytes in both directions', async ({ connect, echo, end, once }) => {
    const server = await echo({ host: '10.9.0.1', port: 7014 })
    const socket = connect({ host: '10.9.0.1', port: 7014 })
    const block = Buffer.alloc(1 << 20)
    for (let index = 0; index < block.length; index += 1) block[index] = (index * 31) & 0xff
    let length = 0
    let isSame = true
    socket.on('data', (chunk) => {
      for (let index = 0; index < chunk.length; index += 997) {
        isSame &&= chunk[index] === block[(length + index) & 0xfffff]
      }
      length += chunk.length
    })
    for (let count = 0; count < 32; count += 1) if (!socket.write(block)) await once(socket, 'drain')
    socket.end()
    await once(socket, 'close')
    return [length, isSame, socket.bytesRead, socket.bytesWritten, await end(server)]
  })
})

describe('an empty path is ignored:', () => {
  for (const path of ['', null]) {
    socketTwins(
      `${JSON.stringify(path)}, beside a port`,
      async ({ connect, echo, end, watch }, path) => {
        const server = await echo({ host: '127.0.0.1', port: 7020 })
        const place = { path, host: '127.0.0.1', port: 7020 } as { port: number }
        const socket = connect(place, () => socket.end('hello'))
        return [await watch(socket), await end(server)]
      },
      path,
    )
  }
})

describe('the error equals Node’s own', () => {
  socketTwins('for a port without a listener', async ({ connect, watch }) => [
    await watch(connect({ host: '127.0.0.1', port: 7100 })),
    await watch(connect({ host: '::1', port: 7100 })),
    await watch(connect({ host: 'localhost', port: 7100 })),
    await watch(connect({ host: 'localhost', port: 7100, autoSelectFamily: false, family: 4 })),
  ])
  socketTwins('for an address without a route', async ({ connect, watch }) => [
    await watch(connect({ host: '192.0.2.1', port: 80 })),
    await watch(connect({ host: '2001:db8::1', port: 80 })),
  ])
  socketTwins('for an unreachable host', async ({ connect, watch }) => [
    await watch(connect({ host: '10.66.0.1', port: 80 })),
    await watch(connect({ host: 'fd66::1', port: 80 })),
  ])
  socketTwins('from an address that is not inside', async ({ connect, watch }) => [
    await watch(connect({ host: '127.0.0.1', port: 7101, localAddress: '192.0.2.2' })),
    await watch(connect({ host: '::1', port: 7101, localAddress: '2001:db8::2', localPort: 7102 })),
  ])
  socketTwins('from a port in use', async ({ connect, echo, end, watch }) => {
    const server = await echo({ host: '127.0.0.1', port: 7103 })
    const seen = await watch(connect({ host: '127.0.0.1', port: 7103, localAddress: '127.0.0.1', localPort: 7103 }))
    return [seen, await end(server)]
  })
  socketTwins('from an address of the other family', async ({ connect, watch, failure }) => [
    await watch(connect({ host: '127.0.0.1', port: 7104, localAddress: '::1' })),
    await failure(() => connect({ host: '127.0.0.1', port: 7104, localAddress: 'nonsense' })),
  ])
  socketTwins('for a name that the caller’s lookup does not know', async ({ connect, watch }) => {
    const unknown = (name: string, _: object, callback: (error: Error) => void) =>
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', hostname: name }))
    return watch(connect({ host: 'unknown.test', port: 80, lookup: unknown as never }))
  })
  socketTwins('for a lookup with invalid results', async ({ connect, watch }) => {
    const seen: unknown[] = []
    for (const [address, family] of [
      ['nonsense', 4],
      ['127.0.0.1', 5],
    ]) {
      const lookup = (_: string, __: object, callback: (...args: unknown[]) => void) => callback(null, address, family)
      seen.push(await watch(connect({ host: 'odd.test', port: 80, lookup: lookup as never, autoSelectFamily: false })))
    }
    return seen
  })
  socketTwins('for an invalid port, address, lookup or family', async ({ connect, failure }) => [
    await failure(() => connect({ port: 65_536 })),
    await failure(() => connect({ port: -1 })),
    await failure(() => connect({ port: 'http' as never })),
    await failure(() => connect({} as never)),
    await failure(() => connect({ host: 'name.test', port: 80, lookup: 'dns' as never })),
    await failure(() => connect({ host: '127.0.0.1', port: 80, localPort: 'x' as never })),
    await failure(() => connect({ port: 80, autoSelectFamily: 1 as never })),
    await failure(() => connect({ port: 80, timeout: 'long' as never })),
    await failure(() => connect({ path: 5 as never })),
  ])
  socketTwins('for an empty path without a port', async ({ connect, watch, failure }) => [
    await watch(connect({ path: '' })),
    await failure(() => connect({ path: null as never })),
  ])
})

describe('a host that never responds', () => {
  socketTwins('is waited for until the caller’s timeout', async ({ connect, watch }) => {
    const socket = connect({ host: '10.9.0.77', port: 80, timeout: 60 })
    const seen = watch(socket)
    socket.on('timeout', () => socket.destroy(new Error('too long')))
    return [await seen, socket.connecting, socket.destroyed]
  })
  // aborted.test.ts has signals that are aborted before: Node connects all the same.
  socketTwins('is given up on abort', async ({ connect, watch }) => {
    const late = new AbortController()
    const socket = connect({ host: '10.9.0.77', port: 80, signal: late.signal })
    const seen = watch(socket)
    setTimeout(() => late.abort(new Error('enough')), 40)
    return await seen
  })
  socketTwins('is given up when the caller destroys the socket', async ({ connect, watch, pass }) => {
    const seen: unknown[] = []
    for (const error of [undefined, new Error('of the caller')]) {
      const socket = connect({ host: '10.9.0.77', port: 80 })
      const events = watch(socket)
      await pass(10)
      seen.push(socket.destroy(error) === socket, await events)
    }
    return seen
  })
})

describe('with addresses of two families', () => {
  socketTwins('the one that responds is chosen', async ({ connect, echo, end, watch, namesOf }) => {
    const server = await echo({ host: '127.0.0.1', port: 7200 })
    const lookup = (_: string, __: object, callback: (...args: unknown[]) => void) =>
      callback(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const socket = connect({ host: 'both.test', port: 7200, autoSelectFamily: true, lookup: lookup as never })
    const names: unknown[] = []
    socket.on('connect', () => {
      const { localPort, ...rest } = namesOf(socket) as { localPort: number }
      names.push(rest, localPort > 0, socket.autoSelectFamilyAttemptedAddresses)
      socket.end('hello')
    })
    return [await watch(socket), names, await end(server)]
  })
  socketTwins('the one that does not respond is abandoned after a while', async ({ connect, echo, end, watch }) => {
    const server = await echo({ host: '::1', port: 7201 })
    const lookup = (_: string, __: object, callback: (...args: unknown[]) => void) =>
      callback(null, [
        { address: '10.9.0.77', family: 4 },
        { address: '::1', family: 6 },
      ])
    const socket = connect({
      ...{ host: 'both.test', port: 7201, lookup: lookup as never },
      ...{ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 50 },
    })
    socket.on('connect', () => socket.end('hello'))
    return [await watch(socket), socket.autoSelectFamilyAttemptedAddresses, await end(server)]
  })
  socketTwins('neither responds: the error has both', async ({ connect, watch }) => {
    const lookup = (_: string, __: object, callback: (...args: unknown[]) => void) =>
      callback(null, [
        { address: '::1', family: 6 },
        { address: '10.66.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    return watch(connect({ host: 'both.test', port: 7202, autoSelectFamily: true, lookup: lookup as never }))
  })
  socketTwins('each attempt uses the caller’s local port', async ({ net, connect, listen, end, watch }) => {
    const server = await listen(
      net.createServer((peer) => peer.resetAndDestroy()),
      { host: '127.0.0.1', port: 7203 },
    )
    const lookup = (_: string, __: object, callback: (...args: unknown[]) => void) =>
      callback(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const place = { host: 'both.test', port: 7203, lookup: lookup as never, autoSelectFamily: true }
    return [await watch(connect({ ...place, localPort: 17203 })), await end(server)]
  })
})

describe('an address with a zone', () => {
  socketTwins('uses the link inside', async ({ net, connect, listen, end, watch }) => {
    const server = await listen(
      net.createServer((peer) => peer.end('hello')),
      { host: '::', port: 7300 },
    )
    return [await watch(connect({ host: 'fe80::1%inner0', port: 7300 })), await end(server)]
  })
  socketTwins('may have no listener', ({ connect, watch }) => watch(connect({ host: 'fe80::1%inner0', port: 7301 })))
})

describe('unix(7) sockets', () => {
  socketTwins('an abstract name', async ({ connect, echo, end, watch, placeOf }) => {
    const server = await echo({ path: '\0nsset-twin' })
    const place = placeOf(server)
    const socket = connect({ path: '\0nsset-twin' }, () => socket.end('hello'))
    return [place, await watch(socket), await end(server)]
  })
  socketTwins('an abstract name without a listener', ({ connect, watch }) => watch(connect({ path: '\0nsset-unused' })))
  socketTwins('a path without a listener', ({ connect, watch }) => watch(connect({ path: '/nonexistent/nsset.sock' })))
})

describe('calls that differ from Node’s', () => {
  test('reject invalid options, and a closed set', async () => {
    const { here, there } = await joinedSets(OWNERS[0] as never)
    const { network } = here
    expectFailure(await failureOf(() => network.connect(untyped(undefined))), ['TypeError', 'ERR_INVALID_ARG_TYPE'])
    expectFailure(await failureOf(() => network.connect(untyped(80))), ['TypeError', 'ERR_INVALID_ARG_TYPE'])
    here.close()
    there.close()
    for (const options of [{ port: 80 }, { path: '\0name' }]) {
      expectFailure(await failureOf(() => network.connect(options)), ['TypeError', 'ERR_NSSET_CLOSED', 'closed'])
    }
  })
  test('keep a socket open after its set is closed, but do not reconnect it', async () => {
    const { here, there } = await joinedSets(OWNERS[0] as never)
    const server = await there.network.listen(
      net.createServer((peer) => peer.pipe(peer)),
      { host: '10.9.0.2', port: 7400 },
    )
    const place = { host: '10.9.0.2', port: 7400 }
    const socket = here.network.connect(place)
    await once(socket, 'connect')
    here.close()
    there.close()
    socket.end('hello')
    expect(await text(socket)).toBe('hello')
    if (!socket.closed) await once(socket, 'close')
    const [error] = await once(socket.connect(place), 'error').catch((error) => [error])
    expectFailure(error, ['TypeError', 'ERR_NSSET_CLOSED', 'closed'])
    server.close()
  })
})

/** Servers and clients of other programs. */
describe('over a veth', () => {
  for (const owner of OWNERS) {
    test(`a socat server echoes (${owner})`, async () => {
      using sets = await joinedSets(owner)
      const { here, there } = sets
      for (const [type, host] of [
        ['TCP4-LISTEN:7500,bind=10.9.0.2', '10.9.0.2'],
        ['TCP6-LISTEN:7500,bind=[fd09::2]', 'fd09::2'],
        ['TCP6-LISTEN:7500,bind=[fe80::2%outer0]', 'fe80::2%inner0'],
      ] as const) {
        const socat = startSocat(there, [`${type},reuseaddr`, 'EXEC:cat'])
        await listening(there, 7500)
        const socket = here.network.connect({ host, port: 7500 })
        socket.end('through the veth')
        expect(await text(socket), host).toBe('through the veth')
        expect((await once(socat, 'exit'))[0]).toBe(0)
      }
    })
    test(`an abstract name belongs to its network (${owner})`, async () => {
      using sets = await joinedSets(owner)
      const { here, there } = sets
      const socat = startSocat(here, ['ABSTRACT-LISTEN:nsset-socat,unix-tightsocklen=1', 'EXEC:cat'])
      await eventuallyListed(here, '@nsset-socat')
      // Node 20 pads names with NULs: then it is another name, inside and outside.
      if (!process.versions.uv?.startsWith('1.46.')) {
        const [error] = await once(there.network.connect({ path: '\0nsset-socat' }), 'error')
        expect(error).toMatchObject({ code: 'ECONNREFUSED' })
        const socket = here.network.connect({ path: '\0nsset-socat' })
        socket.end('hello')
        expect(await text(socket)).toBe('hello')
        await once(socat, 'exit')
      } else {
        const [error] = await once(here.network.connect({ path: '\0nsset-socat' }), 'error')
        expect(error).toMatchObject({ code: 'ECONNREFUSED' })
        socat.kill()
        await once(socat, 'exit')
      }
    })
  }
})
