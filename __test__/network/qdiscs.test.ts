/** `set.network.qdiscs`: `tc` reads what nsset adds, nsset reads what `tc` adds, and packet delays are correct. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { NamespaceSet, type Qdisc, type QdiscSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, isMadeBy, outputOf, resultOf, type TcQdisc, tc, tcQdiscs } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, untyped, value } from '../setup/sets/failure.ts'

async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await ip(set, 'link add left type veth peer name right')
  return set
}

/** A queueing discipline: spec, `tc` command, options in the `tc` JSON, and what nsset reads beyond the spec. */
type Entry = [spec: QdiscSpec, command: string, json: Record<string, unknown>, result?: object]

const ENTRIES: Entry[] = [
  [
    { kind: 'netem', latency: 100, jitter: 10 },
    'netem delay 100ms 10ms',
    { delay: { delay: 0.1, jitter: 0.01, correlation: 0 }, limit: 1000 },
  ],
  [
    {
      ...{ kind: 'netem', latency: 1.6, loss: 1, duplicate: 2, corrupt: 0.5, reorder: 25 },
      ...{ rate: 10_000_000, limit: 500 },
    },
    'netem delay 1600us loss 1% duplicate 2% corrupt 0.5% reorder 25% rate 10mbit limit 500',
    {
      limit: 500,
      delay: { delay: 0.0016, jitter: 0, correlation: 0 },
      'loss-random': { loss: 0.01, correlation: 0 },
      duplicate: { duplicate: 0.02, correlation: 0 },
      corrupt: { corrupt: 0.005, correlation: 0 },
      reorder: { reorder: 0.25, correlation: 0 },
      rate: { rate: 1_250_000, packetoverhead: 0, cellsize: 0, celloverhead: 0 },
    },
  ],
  [{ kind: 'netem', loss: 100 }, 'netem loss 100%', { 'loss-random': { loss: 1, correlation: 0 } }],
  [
    // More than 32 bits of bytes per second.
    { kind: 'netem', latency: 200_000, rate: 80_000_000_000 },
    'netem delay 200s rate 80gbit',
    { delay: { delay: 200, jitter: 0, correlation: 0 } },
  ],
  [
    { kind: 'tbf', rate: 10_000_000, burst: 16_384, limit: 100_000 },
    'tbf rate 10mbit burst 16384 limit 100000',
    { rate: 1_250_000 },
  ],
  [
    { kind: 'tbf', rate: 8_000_000, burst: 10_000, limit: 100_000, peakRate: 16_000_000, peakBurst: 1540 },
    'tbf rate 8mbit burst 10000 limit 100000 peakrate 16mbit minburst 1540',
    // The JSON of tc lacks the peak rate.
    { rate: 1_000_000 },
    { peakRate: 16_000_000, peakBurst: 1540 },
  ],
  [
    { kind: 'tbf', rate: 8_000_000, burst: 10_000, latency: 50 },
    'tbf rate 8mbit burst 10000 latency 50ms',
    { rate: 1_000_000, burst: 10_000, lat: 50_000 },
    { latency: undefined, limit: 60_000 },
  ],
  [
    { kind: 'tbf', rate: 40_000_000_000, burst: 1 << 20, limit: 2 << 20 },
    'tbf rate 40gbit burst 1mb limit 2mb',
    { rate: 5_000_000_000 },
  ],
  [
    {
      ...{ kind: 'fq_codel', limit: 1000, target: 5.12, interval: 102.4, flows: 512, quantum: 1514, ecn: false },
      memoryLimit: 4 << 20,
    },
    'fq_codel limit 1000 target 5120us interval 102400us flows 512 quantum 1514 noecn memory_limit 4194304',
    { limit: 1000, flows: 512, quantum: 1514, memory_limit: 4 << 20 },
  ],
  [{ kind: 'fq_codel' }, 'fq_codel', { ecn: true }],
  [
    {
      ...{ kind: 'netem', latency: 100, jitter: 10, latencyCorrelation: 25, loss: 1, lossCorrelation: 20 },
      ...{ duplicate: 2, duplicateCorrelation: 30, corrupt: 0.5, corruptCorrelation: 10 },
      ...{ reorder: 25, reorderCorrelation: 50, gap: 5 },
      ...{ rate: 10_000_000, packetOverhead: 18, cellSize: 48, cellOverhead: 5 },
    },
    'netem delay 100ms 10ms 25% loss 1% 20% duplicate 2% 30% corrupt 0.5% 10% reorder 25% 50% gap 5 rate 10mbit 18 48 5',
    {
      delay: { delay: 0.1, jitter: 0.01, correlation: 0.25 },
      'loss-random': { loss: 0.01, correlation: 0.2 },
      reorder: { reorder: 0.25, correlation: 0.5 },
      gap: 5,
      rate: { rate: 1_250_000, packetoverhead: 18, cellsize: 48, celloverhead: 5 },
    },
  ],
  [
    { kind: 'netem', lossModel: { type: 'state', p13: 1, p31: 90, p32: 2, p23: 80, p14: 0.5 } },
    'netem loss state 1% 90% 2% 80% 0.5%',
    { 'loss-state': { p13: 0.01, p31: 0.9, p32: 0.02, p23: 0.8, p14: 0.005 } },
  ],
  [
    { kind: 'netem', lossModel: { type: 'state', p13: 10 } },
    'netem loss state 10%',
    { 'loss-state': { p13: 0.1, p31: 0.9, p32: 0, p23: 1, p14: 0 } },
    { lossModel: { type: 'state', p13: 10, p31: 90, p32: 0, p23: 100, p14: 0 } },
  ],
  [
    { kind: 'netem', lossModel: { type: 'gemodel', toBad: 1, toGood: 10, lossInBad: 70, lossInGood: 0.1 }, ecn: true },
    'netem loss gemodel 1% 10% 70% 0.1% ecn',
    { 'loss-gemodel': { p: 0.01, r: 0.1, '1-h': 0.7, '1-k': 0.001 }, ecn: true },
  ],
  [
    { kind: 'netem', latency: 16, jitter: 1.6, distribution: [-8192, 0, 8192] },
    'netem delay 16ms 1600us distribution normal',
    { delay: { delay: 0.016, jitter: 0.0016, correlation: 0 } },
    { distribution: undefined },
  ],
  [
    { kind: 'netem', slots: { minDelay: 10, maxDelay: 20, packets: 5, bytes: 3000 } },
    'netem slot 10ms 20ms packets 5 bytes 3000',
    { slot: { 'min-delay': 0.01, 'max-delay': 0.02, packets: 5, bytes: 3000 } },
  ],
  [
    { kind: 'netem', slots: { delay: 10, jitter: 2, packets: 3, distribution: [0, 1, 2] } },
    'netem slot distribution normal 10ms 2ms packets 3',
    { slot: { packets: 3 } },
    { slots: { delay: 10, jitter: 2, packets: 3 } },
  ],
  [{ kind: 'prio' }, 'prio', { bands: 3 }, { priorityMap: [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] }],
  [
    { kind: 'prio', bands: 4, priorityMap: [3, 3, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] },
    'prio bands 4 priomap 3 3 2 2 1 2 0 0 1 1 1 1 1 1 1 1',
    { bands: 4, priomap: [3, 3, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] },
  ],
  [
    {
      ...{ kind: 'fq', limit: 1000, flowLimit: 50, quantum: 3000, initialQuantum: 20_000, pacing: false },
      ...{ maxRate: 80_000_000, buckets: 2048, orphanMask: 511, lowRateThreshold: 1_000_000 },
      ...{ ceThreshold: 4, horizon: 5000, horizonDrop: false },
    },
    'fq limit 1000 flow_limit 50 quantum 3000 initial_quantum 20000 nopacing maxrate 80mbit buckets 2048 ' +
      'orphan_mask 511 low_rate_threshold 1mbit ce_threshold 4ms horizon 5s horizon_cap',
    { limit: 1000, flow_limit: 50, maxrate: 10_000_000 },
  ],
  [{ kind: 'fq' }, 'fq', {}, { pacing: true, maxRate: undefined, ceThreshold: undefined }],
  [
    { kind: 'sfq', limit: 100, quantum: 3000, perturb: 10_000, divisor: 512, flows: 64, depth: 50, headDrop: true },
    'sfq limit 100 quantum 3000 perturb 10 divisor 512 flows 64 depth 50 headdrop',
    {},
  ],
  [{ kind: 'sfq' }, 'sfq', {}, { perturb: 0, headDrop: false }],
  [
    {
      ...{ kind: 'cake', rate: 20_000_000, diffserv: 'diffserv4', isolation: 'dual-srchost', rtt: 50, target: 2.5 },
      ...{ overhead: 18, mpu: 64, linkLayer: 'atm', wash: true, ingress: true, ackFilter: 'on', splitGso: false },
      ...{ memoryLimit: 4 << 20, markMask: 0xff },
    },
    'cake bandwidth 20mbit diffserv4 dual-srchost rtt 50ms overhead 18 mpu 64 atm wash ingress ack-filter no-split-gso ' +
      'memlimit 4mb fwmark 0xff',
    { bandwidth: 2_500_000, diffserv: 'diffserv4', flowmode: 'dual-srchost', overhead: 18, mpu: 64 },
  ],
  [{ kind: 'cake' }, 'cake', { bandwidth: 'unlimited' }, { rate: undefined, overhead: undefined, splitGso: true }],
  [{ kind: 'htb', defaultClass: 0x30 }, 'htb default 30', { default: '0x30' }],
  [{ kind: 'htb' }, 'htb', { default: '0' }],
  [
    { kind: 'htb', defaultClass: 1, rateToQuantum: 7, directQueueLength: 77 },
    'htb default 1 r2q 7 direct_qlen 77',
    { r2q: 7, direct_qlen: 77 },
  ],
  [
    { kind: 'fq_codel', ceThreshold: 2.048, dropBatch: 32 },
    'fq_codel ce_threshold 2048us drop_batch 32',
    { ce_threshold: 2048, drop_batch: 32 },
  ],
  [{ kind: 'other', type: 'pfifo' }, 'pfifo', {}],
]

/** Within the precision: `tc` counts percentages in floats, and a burst in microseconds of its rate. */
function inexactly(value: unknown, name = ''): unknown {
  if (typeof value === 'number') {
    const step = name === 'burst' ? value / 500 : 1e-6
    return expect.toSatisfy((other: number) => Math.abs(other - value) <= step, `is about ${value}`)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((part) => inexactly(part))
  const parts = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(parts.map(([name, part]) => [name, inexactly(part, name)]))
}

/** The only one. */
async function only(set: NamespaceSet): Promise<Qdisc> {
  const qdiscs = await set.network.qdiscs.list('left')
  expect(qdiscs).toHaveLength(1)
  return qdiscs[0] as Qdisc
}

/** The `tc` JSON of the first. */
async function firstInTc(set: NamespaceSet): Promise<TcQdisc> {
  const [qdisc] = await tcQdiscs(set, 'left')
  return qdisc as TcQdisc
}

const isMadeByTc = (set: NamespaceSet, command: string) =>
  isMadeBy(set, 'tc', `qdisc add dev left root handle 7: ${command}`)

const nameOf = (spec: QdiscSpec) => (spec.kind === 'other' ? spec.type : spec.kind)

async function expectLacking(set: NamespaceSet, spec: QdiscSpec): Promise<void> {
  const failure = await failureOf(() => set.network.qdiscs.add('left', spec))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT', syscall: 'RTM_NEWQDISC', target: 'left' })
  expect(failure.message).toMatch(/\("Specified qdisc (kind is unknown|not found)"\)/)
  const kind = nameOf(spec)
  const hint = `the kernel has no '${kind}' queueing discipline; load the module sch_${kind}, if there is one`
  expect(failure.message).toContain(hint)
}

describe('a queueing discipline', () => {
  for (const [spec, command, json, result = {}] of ENTRIES) {
    test(`${command}: nsset and tc add and read the same, or the error names what the kernel lacks`, async () => {
      using set = await lab()
      const { qdiscs } = set.network
      if (!(await isMadeByTc(set, command))) return await expectLacking(set, spec)
      const [printed, read] = [await firstInTc(set), await only(set)]
      const { index } = await set.network.links.get('left')
      const expected = inexactly({ ...spec, ...result }) as object
      expect(read).toMatchObject({ ...expected, handle: '7:', parent: 'root', link: { index } })
      await qdiscs.delete('left')
      expect(await qdiscs.list('left')).toEqual([])

      // Since Linux 6.6 the kernel chooses a seed, and lists it.
      const again = { ...spec, ...(read.kind === 'netem' && read.seed !== undefined ? { seed: read.seed } : {}) }
      await qdiscs.add('left', { ...again, handle: '7:' } as QdiscSpec)
      expect((await firstInTc(set)).options).toMatchObject(inexactly(json) as object)
      expect(await firstInTc(set)).toEqual(inexactly(printed))
      expect(await only(set)).toEqual(inexactly(read))

      expect(await failureOf(() => qdiscs.add('left', spec))).toMatchObject({ name: 'ActionError', code: 'EEXIST' })
      // htb_qdisc_ops and sfq_qdisc_ops have no change(), and fq_codel_change() does not take a number of flows.
      const isFixed =
        spec.kind === 'htb' || spec.kind === 'sfq' || (spec.kind === 'fq_codel' && spec.flows !== undefined)
      if (!isFixed) await qdiscs.replace('left', { ...again, handle: '7:' } as QdiscSpec)
      expect(await firstInTc(set)).toEqual(inexactly(printed))
      await tc(set, 'qdisc delete dev left root')
      expect(await qdiscs.list('left')).toEqual([])
    })
  }

  test('gets a default handle and burst', async () => {
    using set = await lab()
    await set.network.qdiscs.add('left', { kind: 'tbf', rate: 8_000_000 })
    const printed = await firstInTc(set)
    expect(printed).toMatchObject({ kind: 'tbf', root: true, options: { rate: 1_000_000, burst: 10_000, lat: 50_000 } })
    expect(await only(set)).toMatchObject({ handle: printed.handle, burst: 10_000 })
  })

  test('accepts a netem latency beyond the range of tc, or the error names what the kernel lacks', async () => {
    using set = await lab()
    // More than 32 bits of the kernel's ticks.
    const spec = { kind: 'netem', latency: 600_000, jitter: 2000 } as const
    if (!(await isMadeByTc(set, 'netem'))) return await expectLacking(set, spec)
    await set.network.qdiscs.replace('left', spec)
    expect(await only(set)).toMatchObject(spec)
    // An older tc reads 32 bits of it, which the kernel saturates.
    const [all, most] = [600, (0xffffffff * 64) / 1e9]
    const isPrinted = (delay: number) => delay === all || Math.abs(delay - most) < 0.01
    const delay = expect.toSatisfy(isPrinted, `${all}, or ${most}`)
    expect((await firstInTc(set)).options).toMatchObject({ delay: { delay, jitter: 2 } })
  })

  test('of kind netem drops the same packets again with the same seed', async ({ skip }) => {
    using set = anyonesSet(['net'])
    const { links, qdiscs } = set.network
    if (!(await isMadeBy(set, 'tc', 'qdisc add dev lo root netem'))) skip('the kernel has no netem')
    await links.set('lo', { up: true })
    const received = async (seed: bigint) => {
      await qdiscs.replace('lo', { kind: 'netem', loss: 30, seed })
      const [read] = await qdiscs.list('lo')
      expect(read).toMatchObject({ kind: 'netem', loss: 30 })
      const { stdout } = await resultOf(set, 'ping', '-c 40 -i 0.01 -w 20 -W 1 127.0.0.1')
      await qdiscs.delete('lo')
      const isSeeded = read?.kind === 'netem' && read.seed !== undefined
      if (isSeeded) expect(read.seed).toBe(seed)
      return { isSeeded, numbers: [...stdout.matchAll(/icmp_seq=(\d+)/g)].map(([, number]) => number) }
    }
    const first = await received(2n ** 64n - 1n)
    if (!first.isSeeded) skip('the kernel ignores the seed, which Linux knows since 6.6')
    expect(first.numbers.length).toBeGreaterThan(0)
    expect((await received(2n ** 64n - 1n)).numbers).toEqual(first.numbers)
    expect((await received(2n ** 53n + 1n)).numbers).not.toEqual(first.numbers)
  })

  test('of kind htb cannot be changed in place, by tc neither', async () => {
    using set = await lab()
    await set.network.qdiscs.add('left', { kind: 'htb', defaultClass: 1 })
    const failure = await failureOf(() => set.network.qdiscs.replace('left', { kind: 'htb', defaultClass: 2 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EINVAL' })
    expect(failure.message).toContain('("Change operation not supported by specified qdisc")')
    expect((await resultOf(set, 'tc', 'qdisc replace dev left root htb default 2')).exitCode).toBe(2)
    expect(await only(set)).toMatchObject({ kind: 'htb', defaultClass: 1 })
  })

  test('replaces one of its own or of another kind', async () => {
    using set = await lab()
    const { qdiscs } = set.network
    const specs: QdiscSpec[] = [
      { kind: 'tbf', rate: 8_000_000 },
      { kind: 'tbf', rate: 16_000_000 },
      { kind: 'htb', defaultClass: 1 },
      { kind: 'other', type: 'pfifo' },
    ]
    for (const spec of specs) {
      await qdiscs.replace('left', spec)
      expect((await firstInTc(set)).kind).toBe(nameOf(spec))
      expect(await only(set)).toMatchObject(spec)
    }
  })

  test('can be attached to a class', async () => {
    using set = await lab()
    const { qdiscs } = set.network
    await qdiscs.add('left', { kind: 'htb', handle: '1:', defaultClass: 0x30 })
    for (const number of [30, 31]) await tc(set, `class add dev left parent 1: classid 1:${number} htb rate 1mbit`)
    await qdiscs.add('left', { kind: 'tbf', rate: 500_000, parent: '1:30', handle: 'a0:' })
    await tc(set, 'qdisc add dev left parent 1:31 handle b0: tbf rate 1mbit burst 4000 latency 50ms')
    const placeOf = ({ kind, parent, handle }: Qdisc | TcQdisc) => `${kind} ${handle} ${parent ?? 'root'}`
    const places = ['htb 1: root', 'tbf a0: 1:30', 'tbf b0: 1:31']
    expect((await qdiscs.list('left')).map(placeOf).sort()).toEqual(places)
    expect((await tcQdiscs(set, 'left')).map(placeOf).sort()).toEqual(places)
    await qdiscs.delete('left', { parent: '1:31' })
    expect((await tcQdiscs(set, 'left')).map(placeOf)).toEqual(places.slice(0, 2))
    await qdiscs.delete('left')
    expect(await qdiscs.list('left')).toEqual([])
  })

  describe('with the parent ingress', () => {
    const ingress: QdiscSpec = { kind: 'ingress' }
    const clsact: QdiscSpec = { kind: 'clsact' }

    /** A link with one of the two kinds, added by `tc`. */
    async function labWith(kind: 'ingress' | 'clsact'): Promise<NamespaceSet> {
      const set = await lab()
      await tc(set, `qdisc add dev left ${kind}`)
      return set
    }

    test.each([
      ['ingress', clsact],
      ['clsact', ingress],
      ['clsact', clsact],
    ] as const)('is the only one: beside %s', async (kind, spec) => {
      using set = await labWith(kind)
      const added = await failureOf(() => set.network.qdiscs.add('left', spec))
      expect(added.code).toBe('EEXIST')
      expect(added.message).toContain("delete it first (parent 'ingress')")
      await set.network.qdiscs.delete('left', { parent: 'ingress' })
      await set.network.qdiscs.add('left', spec)
    })

    test.each([ingress, clsact])('is listed by its kind, and added as the kind other, too', async ({ kind }) => {
      using set = await labWith(kind as 'ingress' | 'clsact')
      const { qdiscs } = set.network
      const listed = (await qdiscs.list('left')).find((qdisc) => qdisc.kind === kind) as Qdisc
      expect(listed).toMatchObject({ handle: 'ffff:', parent: 'ffff:fff1' })
      await qdiscs.delete('left', listed)
      await qdiscs.add('left', { kind: 'other', type: kind })
      expect((await qdiscs.list('left')).find((qdisc) => qdisc.kind === kind)).toEqual(listed)
    })

    test('replaces another one, and delete() deletes only a matching one', async () => {
      using set = await labWith('ingress')
      const { qdiscs } = set.network
      const deleted = await failureOf(() => qdiscs.delete('left', { parent: 'ingress', kind: 'tbf' }))
      expect(deleted.message).toContain('that parent has another queueing discipline')
      await qdiscs.replace('left', clsact)
      const kinds = async () => (await tcQdiscs(set, 'left')).map(({ kind }) => kind)
      expect(await kinds()).toContain('clsact')
      await qdiscs.replace('left', ingress)
      expect(await kinds()).toContain('ingress')
    })

    test('cannot be at the root', async () => {
      using set = await labWith('clsact')
      const failure = await failureOf(() => set.network.qdiscs.delete('left'))
      expect(failure.message).toContain("'ingress' and 'clsact' have the parent 'ingress'")
      await set.network.qdiscs.delete('left', { parent: 'ingress' })
      expect((await tcQdiscs(set, 'left')).map(({ kind }) => kind)).not.toContain('clsact')
    })

    test('cannot shape', async () => {
      using set = await lab()
      const failure = await failureOf(() =>
        set.network.qdiscs.add('left', { kind: 'tbf', rate: 1_000_000, parent: 'ingress' }),
      )
      expect(failure.message).toContain("an 'ifb' link to which a filter redirects arriving packets")
      expect(failure.message).not.toContain('built without support')
    })
  })

  test('of all links is in one list, with statistics', async () => {
    using set = await lab()
    await ip(set, 'link set lo up')
    await set.network.qdiscs.add('left', { kind: 'tbf', rate: 8_000_000 })
    await set.network.qdiscs.add('lo', { kind: 'tbf', rate: 800_000_000, burst: 100_000 })
    await outputOf(set, 'ping', '-c 3 -i 0.2 127.0.0.1')
    const listed = (await set.network.qdiscs.list()).filter(({ kind }) => kind === 'tbf')
    expect(listed.map(({ link }) => link.index)).toEqual([1, (await set.network.links.get('left')).index])
    const [printed] = JSON.parse(await tc(set, '-j -s qdisc show dev lo'))
    expect(listed[0]?.statistics).toEqual({
      bytes: printed.bytes,
      packets: printed.packets,
      queued: printed.qlen,
      backlog: printed.backlog,
      dropped: printed.drops,
      overLimits: printed.overlimits,
      requeued: printed.requeues,
    })
    expect(printed.packets).toBeGreaterThanOrEqual(6)
  })
})

describe('the counters of a kind', () => {
  const COUNTERS = [
    [{ kind: 'fq' }, 'fq', { flows: 'flows', inactive: 'inactiveFlows', throttled: 'throttledFlows' }],
    [{ kind: 'fq_codel' }, 'fq_codel', { maxpacket: 'maxPacket', new_flow_count: 'flowsCreated' }],
    [
      { kind: 'cake', rate: 100_000_000 },
      'cake bandwidth 100mbit',
      { memory_used: 'memoryUsed', memory_limit: 'memoryLimit', max_network_size: 'maxPacket' },
    ],
  ] as const satisfies [QdiscSpec, string, Record<string, string>][]

  for (const [spec, command, names] of COUNTERS) {
    test(`${spec.kind} are those of tc`, async ({ skip }) => {
      using set = await lab()
      await ip(set, 'link set lo up')
      if (!(await isMadeByTc(set, command))) skip('this kernel does not have this kind')
      await set.network.qdiscs.add('lo', spec)
      await outputOf(set, 'ping', '-c 3 -i 0.2 127.0.0.1')
      const [qdisc] = await set.network.qdiscs.list('lo')
      const [printed] = JSON.parse(await tc(set, '-j -s qdisc show dev lo'))
      const read = qdisc?.statistics as unknown as Record<string, unknown>
      for (const [ofTc, own] of Object.entries(names)) expect(read[own], own).toBe(printed[ofTc])
      expect(read['packets']).toBe(printed.packets)
      if (qdisc?.kind !== 'cake') return
      const sent = printed.tins.map((tin: { sent_packets: number }) => tin.sent_packets)
      expect(qdisc.statistics.tins.map((tin) => tin.packets)).toEqual(sent)
      expect(sent.some((count: number) => count > 0)).toBe(true)
    })
  }
})

describe('packets between two sets', () => {
  interface Wire extends Disposable {
    here: NamespaceSet
    there: NamespaceSet
  }

  /** 10.0.0.1 here, and 10.0.0.2 there. */
  async function wire(): Promise<Wire> {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    const [here, there] = [await base.unshare('net'), await base.unshare('net')]
    const peer = { name: 'eth0', set: there, up: true, addresses: ['10.0.0.2/24'] }
    await here.network.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: ['10.0.0.1/24'], peer })
    // Both know the other's MAC address, so that no packet waits for ARP.
    await outputOf(here, 'ping', '-c 1 -w 20 10.0.0.2')
    const close = () => {
      here.close()
      there.close()
    }
    return { here, there, [Symbol.dispose]: close }
  }

  const isThere = (set: NamespaceSet, command: string) => isMadeBy(set, 'tc', `qdisc replace dev eth0 root ${command}`)

  const expectNetemLacking = async (set: NamespaceSet) => {
    const failure = await failureOf(() => set.network.qdiscs.replace('eth0', { kind: 'netem', latency: 40 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT' })
    expect(failure.message).toContain('load the module sch_netem')
  }

  test('are delayed by netem, or the error names what the kernel lacks', async () => {
    using ends = await wire()
    const { here, there } = ends
    if (!(await isThere(here, 'netem delay 1ms'))) return await expectNetemLacking(here)
    for (const set of [here, there]) await set.network.qdiscs.replace('eth0', { kind: 'netem', latency: 40 })
    const output = await outputOf(here, 'ping', '-c 10 -i 0.2 10.0.0.2')
    const [, least, average] = /min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\//.exec(output) ?? []
    console.log(`round trip with 40 ms each way: ${least} ms at least, ${average} ms on average`)
    expect(Number(least)).toBeGreaterThanOrEqual(80)
    expect(Number(least)).toBeLessThan(100)
  })

  test('are lost by netem, or the error names what the kernel lacks', async () => {
    using ends = await wire()
    const { here } = ends
    if (!(await isThere(here, 'netem loss 1%'))) return await expectNetemLacking(here)
    const receivedWith = async (loss: number, count: number) => {
      await here.network.qdiscs.replace('eth0', { kind: 'netem', loss })
      const { stdout } = await resultOf(here, 'ping', `-c ${count} -i 0.02 -W 1 10.0.0.2`)
      return Number(/(\d+) received/.exec(stdout)?.[1])
    }
    expect(await receivedWith(100, 20)).toBe(0)
    expect(await receivedWith(0, 20)).toBe(20)
    const half = await receivedWith(50, 200)
    console.log(`${half} of 200 packets arrived with a loss of 50 %`)
    // Five standard deviations.
    expect(half).toBeGreaterThan(64)
    expect(half).toBeLessThan(136)
  })

  /** Node's own sockets: the receiver prints how many bytes arrived in how many milliseconds. */
  const RECEIVE = `
    const server = require('node:net').createServer((socket) => {
      let [bytes, first] = [0, 0]
      socket.on('data', (chunk) => { first ||= performance.now(); bytes += chunk.length })
      socket.on('end', () => { console.log(JSON.stringify({ bytes, time: performance.now() - first })); server.close() })
    }).listen(5001, '10.0.0.2', () => console.log('listening'))`
  const SEND = `
    const socket = require('node:net').connect(5001, '10.0.0.2')
    socket.end(Buffer.alloc(Number(process.argv[1])))`

  /** The measured rate of arrival, in bits per second. */
  async function measure({ here, there }: Wire, bytes: number): Promise<number> {
    const options = { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000 }
    const receiver = there.spawn(process.execPath, ['-e', RECEIVE], {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(receiver.stdout, 'data')
      const output = text(receiver.stdout)
      await here.execFile(process.execPath, ['-e', SEND, String(bytes)], options)
      const measured = JSON.parse(await output)
      expect(measured.bytes).toBe(bytes)
      return (8 * 1000 * measured.bytes) / measured.time
    } finally {
      receiver.kill('SIGKILL')
    }
  }

  test('have a peak rate in a tbf, whose bucket holds the largest packet of the link', async () => {
    using set = await lab()
    const { qdiscs, links } = set.network
    const tbf = { kind: 'tbf', rate: 8_000_000, burst: 10_000, limit: 100_000, peakRate: 16_000_000 } as const
    await links.set('left', { mtu: 1400 })
    await qdiscs.add('left', tbf)
    expect(await only(set)).toMatchObject({ peakRate: 16_000_000, peakBurst: 1400 + 22 })
    expect(await tc(set, '-d qdisc show dev left')).toContain('peakrate 16Mbit')
    await qdiscs.replace('left', { ...tbf, peakBurst: 3000 })
    expect(await only(set)).toMatchObject({ peakBurst: 3000 })
  })

  test('keep their full size in a tbf with only a rate, for any MTU', async () => {
    for (const [rate, mtu] of [
      [10_000_000, 65_536],
      [1_000_000, 9000],
      [8_000, 1500],
    ] as const) {
      using set = anyonesSet(['net'], { loopback: true })
      await set.network.links.set('lo', { mtu })
      await set.network.qdiscs.add('lo', { kind: 'tbf', rate })
      const receiver = set.network.createSocket('udp4')
      await new Promise<void>((resolve) => receiver.bind(9, '127.0.0.1', resolve))
      const arrived = new Promise<number>((resolve) => receiver.once('message', ({ length }) => resolve(length)))
      const sender = set.network.createSocket('udp4')
      const size = Math.min(mtu - 28, 65_507)
      sender.send(Buffer.alloc(size), 9, '127.0.0.1')
      expect(await arrived).toBe(size)
      sender.close()
      receiver.close()
    }
  })

  test('are limited to the rate of tbf, and not much below', async () => {
    using ends = await wire()
    const rate = 8_000_000
    // A burst of 32 ms: an emulated processor runs its timers late, and on a busy machine later than that.
    const least = process.env['NSSET_TEST_VM'] === undefined ? 0.75 : 0.4
    await ends.here.network.qdiscs.add('eth0', { kind: 'tbf', rate, burst: 32_000 })
    const measured = await measure(ends, 2_000_000)
    console.log(`with a rate of 8 Mbit/s: ${(measured / 1e6).toFixed(2)} Mbit/s`)
    expect(measured).toBeGreaterThan(least * rate)
    expect(measured).toBeLessThan(1.25 * rate)
    await ends.here.network.qdiscs.delete('eth0')
    expect(await measure(ends, 2_000_000)).toBeGreaterThan(1.5 * rate)
  })

  test('are limited to the rate of netem, or the error names what the kernel lacks', async () => {
    using ends = await wire()
    if (!(await isThere(ends.here, 'netem rate 1mbit'))) return await expectNetemLacking(ends.here)
    const rate = 8_000_000
    await ends.here.network.qdiscs.replace('eth0', { kind: 'netem', rate })
    const measured = await measure(ends, 2_000_000)
    console.log(`with netem's rate of 8 Mbit/s: ${(measured / 1e6).toFixed(2)} Mbit/s`)
    expect(measured).toBeGreaterThan(0.75 * rate)
    expect(measured).toBeLessThan(1.25 * rate)
  })
})

describe('the kernel rejects', () => {
  const cases: [what: string, call: (set: NamespaceSet) => unknown, code: string | RegExp, words: string][] = [
    [
      'an unknown kind',
      ({ network }) => network.qdiscs.add('left', { kind: 'other', type: 'nothing' }),
      'ENOENT',
      "'nothing'",
    ],
    ['a missing link', ({ network }) => network.qdiscs.add('missing', { kind: 'htb' }), 'ENODEV', 'missing'],
    ['a list of a missing link', ({ network }) => network.qdiscs.list({ index: 999 }), 'ENODEV', '999'],
    ['a missing class', ({ network }) => network.qdiscs.add('left', { kind: 'htb', parent: '1:1' }), 'ENOENT', '1:1'],
    [
      'the deletion of its own queueing discipline',
      ({ network }) => network.qdiscs.delete('left'),
      /ENOENT|EINVAL/,
      'root of link',
    ],
  ]
  for (const [what, call, code, words] of cases) {
    test(what, async () => {
      using set = await lab()
      const failure = await failureOf(() => call(set))
      expect(failure.name).toBe('ActionError')
      expect(failure.code, failure.message).toMatch(code)
      expect(failure.message).toContain(words)
    })
  }
})

describe('invalid arguments throw', () => {
  const add = (spec: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.qdiscs.add('lo', untyped<QdiscSpec>(spec))
  }
  const cases: Case[] = [
    ['an unsupported kind', add({ kind: 'red' }), value('spec.kind')],
    ['a correlation above 100 percent', add({ kind: 'netem', lossCorrelation: 101 }), range('spec.lossCorrelation')],
    [
      'both a loss and a model of loss',
      add({ kind: 'netem', loss: 1, lossModel: { type: 'state', p13: 1 } }),
      value('spec.loss'),
    ],
    [
      'a model of loss without its probability',
      add({ kind: 'netem', lossModel: { type: 'gemodel' } }),
      value('spec.lossModel.toBad'),
    ],
    [
      'a field of another model of loss',
      add({ kind: 'netem', lossModel: { type: 'gemodel', toBad: 1, p13: 1 } }),
      value('spec.lossModel'),
    ],
    ['an unknown model of loss', add({ kind: 'netem', lossModel: { type: 'markov' } }), value('spec.lossModel.type')],
    [
      'a distribution without a jitter',
      add({ kind: 'netem', latency: 1, distribution: [1] }),
      value('spec.distribution'),
    ],
    ['an empty distribution', add({ kind: 'netem', jitter: 1, distribution: [] }), value('spec.distribution')],
    [
      'a distribution with a number beyond 16 bits',
      add({ kind: 'netem', jitter: 1, distribution: [0, 32_768] }),
      range('spec.distribution[1]'),
    ],
    ['an overhead without a rate', add({ kind: 'netem', packetOverhead: 4 }), value('spec.packetOverhead')],
    ['a negative seed', add({ kind: 'netem', seed: -1 }), range('spec.seed')],
    ['a seed of more than 64 bits', add({ kind: 'netem', seed: 2n ** 64n }), value('spec.seed')],
    ['a prio with one band', add({ kind: 'prio', bands: 1 }), range('spec.bands')],
    ['a short map of priorities', add({ kind: 'prio', priorityMap: [0, 1] }), value('spec.priorityMap')],
    ['a hash table of another size', add({ kind: 'fq', buckets: 1000 }), value('spec.buckets')],
    ['two weights', add({ kind: 'fq', weights: [1, 2] }), value('spec.weights')],
    ['an unknown isolation', add({ kind: 'cake', isolation: 'all' }), value('spec.isolation')],
    ['an overhead that is too large', add({ kind: 'cake', overhead: 257 }), range('spec.overhead')],
    ['an option of another kind', add({ kind: 'clsact', limit: 1 }), value('spec')],
    ['a tbf without a rate', add({ kind: 'tbf' }), value('spec.rate')],
    ['a rate of zero', add({ kind: 'tbf', rate: 0 }), range('spec.rate')],
    ['a rate that is too large', add({ kind: 'tbf', rate: 1e20 }), range('spec.rate')],
    ['a loss above 100 percent', add({ kind: 'netem', loss: 100.1 }), range('spec.loss')],
    ['a negative loss', add({ kind: 'netem', loss: -1 }), range('spec.loss')],
    ['a latency that is NaN', add({ kind: 'netem', latency: Number.NaN }), range('spec.latency')],
    ['a negative latency', add({ kind: 'netem', latency: -1 }), range('spec.latency')],
    ['a peak rate below the rate', add({ kind: 'tbf', rate: 8e6, peakRate: 8e6 }), value('spec.peakRate')],
    ['a bucket of no peak rate', add({ kind: 'tbf', rate: 8e6, peakBurst: 1500 }), value('spec.peakBurst')],
    ['both a latency and a limit', add({ kind: 'tbf', rate: 8e6, latency: 5, limit: 5 }), value('spec.limit')],
    ['an invalid parent', add({ kind: 'htb', parent: 'first' }), value('spec.parent')],
    ['a handle that is too long', add({ kind: 'htb', handle: '10000:' }), value('spec.handle')],
  ]
  refuses(cases)

  test('reorder without a latency throws', async () => {
    using set = await lab()
    const failure = await failureOf(() => set.network.qdiscs.add('left', { kind: 'netem', reorder: 5 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain("'reorder' needs a 'latency'")
  })
})
