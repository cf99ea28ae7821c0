/** `network.capture`: a stream of pcapng, which tcpdump reads. */
import { getEventListeners, once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type CaptureOptions, NamespaceSet, type PacketCapture } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { growthSince } from '../../setup/guards/growth.ts'
import { eventually, resources } from '../../setup/guards/resources.ts'
import { ip, ipLink, outputOf } from '../../setup/oracles/iproute.ts'
import { type CapturedFile, compiledByTcpdump, readCapture, tcpdump } from '../../setup/oracles/packets/pcapng.ts'
import { askPlainNode } from '../../setup/programs/plain-node.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, expectFailure, failureOf, range, refuses, type, untyped, value } from '../../setup/sets/failure.ts'
import { isRoot } from '../../setup/sets/privilege.ts'

/** Sends a datagram, which the kernel has delivered when this resolves. */
async function send(set: NamespaceSet, text: string | Buffer, port = 9, host = '127.0.0.1'): Promise<void> {
  const socket = set.network.createSocket('udp4')
  await new Promise<void>((resolve, reject) => {
    socket.send(text, port, host, (error) => (error ? reject(error) : resolve()))
  })
  socket.close()
}

/** Ends a capture, and returns what it has. */
async function fileOf(capture: PacketCapture): Promise<CapturedFile> {
  capture.stop()
  return readCapture(await buffer(capture))
}

/** What the datagrams say. */
const texts = ({ packets }: CapturedFile, headers = 42) =>
  packets.map(({ bytes }) => bytes.subarray(headers).toString().replace(/\0+$/, ''))

/** Two sets and a cable: `a` is in the first, with 10.0.0.1, and `b` in the second, with 10.0.0.2. */
async function cabled(): Promise<[NamespaceSet, NamespaceSet]> {
  const set = anyonesSet(['net'], { loopback: true })
  const other = await set.unshare(['net'])
  set.network.sync.links.add({
    kind: 'veth',
    name: 'a',
    up: true,
    addresses: ['10.0.0.1/24'],
    peer: { name: 'b', up: true, addresses: ['10.0.0.2/24'], set: other },
  })
  return [set, other]
}

describe('network.capture', () => {
  test('tcpdump reads the packets, in their order', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp port 9' })
    for (const text of ['one', 'two', 'three']) await send(set, text)
    capture.stop()
    const file = await buffer(capture)
    const lines = tcpdump(file, '-t')
    expect(lines.map((line) => line.replace(/127\.0\.0\.1\.\d+ >/, 'SENDER >'))).toEqual(
      [3, 3, 5].map((length) => `IP SENDER > 127.0.0.1.9: UDP, length ${length}`),
    )
    const read = readCapture(file)
    expect(texts(read)).toEqual(['one', 'two', 'three'])
    expect(read.linkType).toBe(1)
    expect(read.options.get(2)?.toString()).toBe('lo')
    expect(read.options.get(11)?.toString()).toBe('\0udp port 9')
  })

  test('says which packets it captures, and how many there were', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp port 9' })
    await send(set, 'one')
    await eventually(
      () => capture.statistics(),
      ({ received }) => received === 1,
    )
    expect(inspect({ capture })).toBe("{ capture: PacketCapture(lo, 'udp port 9', 1 received, 0 dropped) }")
    capture.destroy()
    await once(capture, 'close')
    expect(String(capture)).toBe("PacketCapture(lo, 'udp port 9', 1 received, 0 dropped)")
    await using all = set.network.capture('any')
    expect(String(all)).toMatch(/^PacketCapture\(any, \d+ received, 0 dropped\)$/)
    const program = Buffer.from([6, 0, 0, 0, 0xff, 0xff, 0, 0])
    await using filtered = set.network.capture('lo', { filter: program })
    expect(String(filtered)).toBe('PacketCapture(lo, a program of BPF, 0 received, 0 dropped)')
  })

  test('has the times of the kernel in nanoseconds', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp' })
    const before = BigInt(Date.now()) * 1_000_000n
    for (let count = 0; count < 20; count++) await send(set, 'x')
    const after = BigInt(Date.now() + 1) * 1_000_000n
    const { packets, options } = await fileOf(capture)
    expect(options.get(9)).toEqual(Buffer.from([9]))
    const times = packets.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b)))
    expect(times.every((time) => time >= before && time <= after)).toBe(true)
    expect(times.some((time) => time % 1000n !== 0n)).toBe(true)
  })

  test('the last block has what was received and dropped', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp' })
    for (let count = 0; count < 5; count++) await send(set, 'x')
    expect(capture.statistics()).toEqual({ received: 5, dropped: 0 })
    const { statistics, packets } = await fileOf(capture)
    expect(packets).toHaveLength(5)
    expect([4, 5].map((code) => statistics?.get(code)?.readBigUInt64LE())).toEqual([5n, 0n])
    expect(capture.statistics()).toEqual({ received: 5, dropped: 0 })
  })

  test('captures a part of each packet, with the whole length', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp', snapLength: 50 })
    await send(set, Buffer.alloc(1000, 'x'))
    const { packets, snapLength } = await fileOf(capture)
    expect(snapLength).toBe(50)
    expect(packets.map(({ bytes, length }) => [bytes.length, length])).toEqual([[50, 1042]])
  })

  test('takes a program of BPF, here one of tcpdump', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const options = (expression: string): CaptureOptions => ({ filter: compiledByTcpdump(expression), snapLength: 60 })
    const matching = set.network.capture('lo', options('udp[2:2] = 9 and udp[8] = 0x78'))
    const others = set.network.capture('lo', { ...options('udp[8] != 0x78'), direction: 'in' })
    await send(set, `x${'y'.repeat(100)}`)
    await send(set, 'z')
    const file = await fileOf(matching)
    expect(file.packets.map(({ bytes, length }) => [bytes.length, length])).toEqual([[60, 143]])
    expect(texts(await fileOf(others))).toEqual(['z'])
  })

  test('captures one direction of a link, and writes it to each packet', async () => {
    const [set, other] = await cabled()
    using _ = other
    using __ = set
    const filter = 'icmp or udp'
    const captures = (['in', 'out', 'both'] as const).map((direction) =>
      set.network.capture('a', { filter, direction }),
    )
    await outputOf(set, 'ping', '-c 1 10.0.0.2')
    const files = await Promise.all(captures.map(fileOf))
    // ICMP: 8 is a request, 0 a reply.
    expect(files.map(({ packets }) => packets.map(({ bytes, flags }) => [bytes[34], flags & 3]))).toEqual([
      [[0, 1]],
      [[8, 2]],
      [
        [8, 2],
        [0, 1],
      ],
    ])
  })

  test("'any' captures on all links", async () => {
    const [set, other] = await cabled()
    using _ = other
    using __ = set
    const capture = set.network.capture('any', { filter: 'icmp' })
    await outputOf(set, 'ping', '-c 1 10.0.0.2')
    await outputOf(set, 'ping', '-c 1 127.0.0.1')
    capture.stop()
    const file = await buffer(capture)
    const read = readCapture(file)
    expect(read.linkType).toBe(276)
    const links = set.network.sync.links.list().map(({ name, index }) => [index, name])
    // The header of LINUX_SLL2: the index is at 4.
    const names = read.packets.map(({ bytes }) => new Map(links as [number, string][]).get(bytes.readUInt32BE(4)))
    expect(names).toEqual(['a', 'a', 'lo', 'lo'])
    expect(tcpdump(file, '-t').filter((line) => line.includes('ICMP echo'))).toHaveLength(4)
  })

  test('puts the VLAN tag back that the kernel has taken out', async () => {
    const [set, other] = await cabled()
    using _ = other
    using __ = set
    const captures = ['vlan 100', 'vlan 101', 'udp port 9'].map((filter) => set.network.capture('a', { filter }))
    const frame = (id: number) =>
      Buffer.concat([
        Buffer.from('ffffffffffff0200000000018100', 'hex'),
        Buffer.from([0, id]),
        Buffer.from('08004500001d0000000040110000c0a80001c0a80002', 'hex'),
        Buffer.from('0009000900090000', 'hex'),
        Buffer.from('x'),
      ])
    await other.execFile('socat', ['-u', '-', 'INTERFACE:b'], { input: frame(100), timeout: 10_000 })
    for (const capture of captures) {
      if (captures.indexOf(capture) !== 1)
        await eventually(capture.statistics.bind(capture), ({ received }) => received === 1)
    }
    const [tagged, otherTag, udp] = await Promise.all(captures.map(fileOf))
    expect(tagged?.packets.map(({ bytes }) => bytes)).toEqual([frame(100)])
    expect(otherTag?.packets).toEqual([])
    expect(udp?.packets.map(({ bytes }) => bytes)).toEqual([frame(100)])
  })

  test('begins a packet of a link without Ethernet at its IP header', async (context) => {
    await using set = anyonesSet(['net'])
    const arguments_ = ['-d', '-d', 'TUN:10.9.0.1/24,tun-name=tun0,iff-no-pi,iff-up', 'PIPE']
    const socat = set.spawn('socat', arguments_, { stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    socat.stderr.on('data', (text) => (output += String(text)))
    const isThere = () => set.network.sync.links.list().some(({ name, running }) => name === 'tun0' && running)
    await eventually(isThere, (yes) => yes || socat.exitCode !== null)
    if (socat.exitCode !== null) return context.skip(`socat cannot open /dev/net/tun: ${output}`)
    const capture = set.network.capture('tun0', { filter: 'udp', direction: 'out' })
    await send(set, 'hello', 9, '10.9.0.2')
    const file = await fileOf(capture)
    expect(file.linkType).toBe(101)
    expect(texts(file, 28)).toEqual(['hello'])
    socat.kill('SIGKILL')
  })

  test('finds its link by an alternative name, an index and an alias', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { index } = set.network.sync.links.get('lo')
    await ip(set, 'link set lo alias home')
    await ip(set, `link property add dev lo altname ${'l'.repeat(60)}`)
    for (const ref of [{ index }, { alias: 'home' }, 'l'.repeat(60), () => 'lo'] as const) {
      const capture = set.network.capture(ref, { filter: 'udp' })
      await send(set, 'x')
      const { packets, options } = await fileOf(capture)
      expect([packets.length, options.get(2)?.toString()]).toEqual([1, 'lo'])
    }
  })

  test('several captures of a link are independent', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const [first, second] = [
      set.network.capture('lo', { filter: 'udp' }),
      set.network.capture('lo', { filter: 'udp port 10' }),
    ]
    await send(set, 'a', 9)
    await send(set, 'b', 10)
    expect(texts(await fileOf(first))).toEqual(['a', 'b'])
    await send(set, 'c', 10)
    expect(texts(await fileOf(second))).toEqual(['b', 'c'])
  })

  test('is read while it runs', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp port 9' })
    const chunks: Buffer[] = []
    capture.on('data', (chunk: Buffer) => chunks.push(chunk))
    const count = () => readCapture(Buffer.concat(chunks)).packets.length
    await once(capture, 'data')
    expect(count()).toBe(0)
    for (let sent = 1; sent <= 3; sent++) {
      await send(set, 'x')
      expect(await eventually(count, (now) => now === sent)).toBe(sent)
    }
    capture.destroy()
  })

  test('does not miss packets at a high rate', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp port 9', bufferSize: 64 << 20 })
    const file = buffer(capture)
    // Without a receiver, each datagram would be refused.
    const receiver = set.network.createSocket('udp4')
    receiver.bind(9, '127.0.0.1')
    await once(receiver, 'listening')
    const socket = set.network.createSocket('udp4')
    socket.connect(9, '127.0.0.1')
    await once(socket, 'connect')
    const count = 50_000
    for (let sent = 0; sent < count; sent += 1000) {
      for (let each = 0; each < 1000; each++) socket.send(String(sent + each), () => {})
      await new Promise(setImmediate)
    }
    await eventually(capture.statistics.bind(capture), ({ received }) => received === count)
    capture.stop()
    const read = readCapture(await file)
    expect(capture.statistics()).toEqual({ received: count, dropped: 0 })
    expect(texts(read)).toEqual(Array.from({ length: count }, (_, index) => String(index)))
    socket.close()
    receiver.close()
  }, 60_000)
})

describe('a capture that nothing reads', () => {
  test('keeps what fits, and counts what the kernel drops', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp port 9', bufferSize: 1 << 20 })
    const datagram = Buffer.alloc(8000, 'x')
    while (capture.statistics().dropped < 100) {
      for (let count = 0; count < 100; count++) await send(set, datagram)
    }
    const memory = process.memoryUsage().rss
    for (let count = 0; count < 1000; count++) await send(set, datagram)
    expect(process.memoryUsage().rss - memory).toBeLessThan(100 << 20)
    const { packets, statistics } = await fileOf(capture)
    const { received, dropped } = capture.statistics()
    expect(packets.length).toBe(received - dropped)
    expect(packets.length * datagram.length).toBeLessThan(6 << 20)
    expect(statistics?.get(5)?.readBigUInt64LE()).toBe(BigInt(dropped))
  }, 60_000)

  test('does not keep Node.js running, and a read that waits does, unless it is unreferenced', async () => {
    const program = (reads: string) => `
      import { NamespaceSet } from 'nsset'
      const set = NamespaceSet.unshareSync(${isRoot ? "'net'" : "['user', 'net'], { mapUser: 'root' }"})
      const capture = set.network.capture('lo', { filter: 'udp' })
      process.on('exit', () => console.log(JSON.stringify('ended')))
      ${reads}`
    expect(await askPlainNode(program(''))).toBe('ended')
    expect(await askPlainNode(program('capture.unref().resume()'))).toBe('ended')
    expect(await askPlainNode(program('capture.resume(); setTimeout(() => capture.stop(), 100)'))).toBe('ended')
  })
})

describe('a capture ends', () => {
  test('with its link, after the packets of it', async () => {
    const [set, other] = await cabled()
    using _ = other
    using __ = set
    const [capture, any] = [set.network.capture('a', { filter: 'icmp' }), set.network.capture('any')]
    await outputOf(set, 'ping', '-c 1 10.0.0.2')
    await ip(set, 'link delete dev a')
    const { packets, statistics } = readCapture(await buffer(capture))
    expect(packets).toHaveLength(2)
    expect(statistics).toBeDefined()
    await send(set, 'later')
    expect(texts(await fileOf(any), 48)).toContain('later')
  })

  test('when its link moves to another network, and not when it goes down', async () => {
    const [set, other] = await cabled()
    using _ = other
    using __ = set
    const capture = set.network.capture('a', { filter: 'icmp' })
    set.network.sync.links.set('a', { up: false })
    await sleep(50)
    set.network.sync.links.set('a', { up: true })
    // The other end gets its carrier back, and answers.
    await outputOf(set, 'ping', '-c 1 -w 10 10.0.0.2')
    set.network.sync.links.move('a', other)
    const { packets } = readCapture(await buffer(capture))
    expect(packets.length).toBeGreaterThanOrEqual(2)
  })

  test('with its set', async () => {
    const set = anyonesSet(['net'], { loopback: true })
    const capture = set.network.capture('lo', { filter: 'udp' })
    const reading = buffer(capture)
    await send(set, 'last')
    set.close()
    expect(texts(readCapture(await reading))).toEqual(['last'])
  })

  test('with a signal without a reason, as an AbortError', async () => {
    using set = anyonesSet(['net'])
    const controller = new AbortController()
    const capture = set.network.capture('lo', { signal: controller.signal })
    const failed = once(capture, 'error')
    controller.abort(null)
    expect((await failed)[0]).toMatchObject({ name: 'AbortError', cause: null })
  })

  test('many with one signal, to which Node.js sees one listener', async () => {
    using set = anyonesSet(['net'])
    const controller = new AbortController()
    const { signal } = controller
    const captures = Array.from({ length: 12 }, () => set.network.capture('lo', { signal, bufferSize: 1024 * 1024 }))
    const watchers = Array.from({ length: 12 }, () => set.network.watch('links', { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    for (const capture of captures.slice(0, 6)) capture.destroy()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    const failed = captures.slice(6).map((capture) => once(capture, 'error'))
    controller.abort(new Error('enough'))
    for (const [error] of await Promise.all(failed)) expect(error).toBe(signal.reason)
    for (const watcher of watchers) expect(await failureOf(() => watcher.next())).toBe(signal.reason)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('with the signal, whose reason destroys the stream', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const controller = new AbortController()
    const capture = set.network.capture('lo', { signal: controller.signal })
    const reading = failureOf(() => buffer(capture))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await reading).toBe(reason)
    expect(await failureOf(() => set.network.capture('lo', { signal: controller.signal }))).toBe(reason)
  })

  test('a destroyed capture has ended when it is closed', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    await fileOf(set.network.capture('lo'))
    const before = resources()
    const capture = set.network.capture('lo', { promiscuous: true })
    expect(capture.constructor.name).toBe('PacketCapture')
    capture.resume()
    await capture[Symbol.asyncDispose]()
    expect(resources().descriptors).toBe(before.descriptors)
    expect((await ipLink(set, 'lo')).promiscuity).toBe(0)
  })

  test('and leaves nothing behind', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    await fileOf(set.network.capture('lo'))
    const before = resources()
    const captures = Array.from({ length: 20 }, () => set.network.capture('lo', { bufferSize: 1 << 20 }))
    expect(resources().descriptors - before.descriptors).toBe(20)
    for (const [index, capture] of captures.entries()) {
      if (index % 2 === 0) capture.destroy()
      else await fileOf(capture)
    }
    expect(await growthSince(before)).toEqual({})
    await expect(
      (async () => {
        for await (const _ of set.network.capture('lo')) break
      })(),
    ).resolves.toBeUndefined()
    expect(await growthSince(before)).toEqual({})
  })
})

describe('bad input', () => {
  const set = anyonesSet(['net'])
  const { network } = set
  afterAll(() => set.close())
  const capture = (options: unknown) => () => network.capture('lo', untyped<CaptureOptions>(options))
  const cases: Case[] = [
    ['a link that does not exist', () => network.capture('eth9'), ['ActionError', 'ENODEV', 'eth9']],
    ['an index that does not exist', () => network.capture({ index: 999 }), ['ActionError', 'ENODEV']],
    ['a reference of another type', () => network.capture(untyped<string>(7)), type('ref')],
    ['an unknown option', capture({ fliter: 'tcp' }), value("did you mean 'filter'")],
    ['a syntax error', capture({ filter: 'tcp port 80 or hots' }), value('options.filter', "'hots'", 'position 15')],
    ['parentheses that are not closed', capture({ filter: '(tcp' }), value("expected ')'", 'position 4')],
    ['a name of a host', capture({ filter: 'host example.org' }), value('names are not resolved', 'position 5')],
    ['a filter of another type', capture({ filter: 80 }), type('options.filter')],
    [
      'a filter that is too long',
      capture({ filter: Array.from({ length: 900 }, (_, port) => `port ${port}`).join(' or ') }),
      value('4096 instructions'),
    ],
    ['an empty program', capture({ filter: new Uint8Array(0) }), value('options.filter', '8 bytes')],
    ['a part of an instruction', capture({ filter: new Uint8Array(12) }), value('options.filter', '12 bytes')],
    ['a program that is too long', capture({ filter: new Uint8Array(8 * 4097) }), value('1 to 4096 instructions')],
    [
      'a program that does not end',
      capture({ filter: new Uint8Array(8) }),
      ['NamespaceError', 'EINVAL', 'SO_ATTACH_FILTER'],
    ],
    ['a snap length of 0', capture({ snapLength: 0 }), range('options.snapLength')],
    ['a snap length that is too large', capture({ snapLength: 262_145 }), range('options.snapLength')],
    ['a snap length that is no number', capture({ snapLength: '60' }), type('options.snapLength')],
    ['a buffer that is too small', capture({ bufferSize: 4096 }), range('options.bufferSize')],
    ['an unknown direction', capture({ direction: 'inout' }), value('options.direction', "'both'")],
    ['promiscuous of another type', capture({ promiscuous: 1 }), type('options.promiscuous')],
    ['promiscuous for all links', () => network.capture('any', { promiscuous: true }), value('options.promiscuous')],
    ['a signal that is none', capture({ signal: {} }), type('options.signal')],
  ]
  refuses(cases)

  test('a test of hardware addresses on a link without them', async () => {
    const failure = await failureOf(() => network.capture('any', { filter: 'arp or ether host 02:00:00:00:00:01' }))
    expectFailure(failure, value('no Ethernet header', 'position 7'))
  })

  test('a closed set', async () => {
    const closed = anyonesSet(['net'])
    const { network } = closed
    closed.close()
    expectFailure(await failureOf(() => network.capture('lo')), ['TypeError', 'ERR_NSSET_CLOSED'])
  })

  test.runIf(!isRoot)('a network to which the caller has no rights', async () => {
    using own = NamespaceSet.current('net')
    expectFailure(await failureOf(() => own.network.capture('lo')), ['NamespaceError', 'EPERM'])
  })
})
