/** `set.network.classes`: `tc class` reads what nsset adds, and nsset reads and deletes what `tc class` adds. */
import type { NamespaceSet, TrafficClass, TrafficClassSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { isMadeBy, outputOf, tc } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, untyped, value } from '../../setup/sets/failure.ts'

/** A link with an htb and a class. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await outputOf(set, 'ip', 'link add a0 up type veth peer name b0')
  await tc(set, 'qdisc add dev a0 root handle 1: htb default 20')
  await tc(set, 'class add dev a0 parent 1: classid 1:1 htb rate 100mbit')
  return set
}

const classesOfTc = async (set: NamespaceSet) =>
  (await tc(set, '-d class show dev a0'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('1:10 '))

/** A class: spec, the arguments of `tc class add`, and what nsset reads. */
type Entry = [spec: TrafficClassSpec, words: string, result: Partial<TrafficClass>]

const ENTRIES: Entry[] = [
  [
    { kind: 'htb', handle: '1:10', parent: '1:1', rate: 8_000_000 },
    'parent 1:1 classid 1:10 htb rate 8mbit',
    { kind: 'htb', handle: '1:10', parent: '1:1', rate: 8_000_000, ceil: 8_000_000, burst: 1600, ceilBurst: 1600 },
  ],
  [
    { kind: 'htb', handle: '1:10', parent: '1:1', rate: 1_000_000, ceil: 50_000_000, burst: 15_000, priority: 3 },
    'parent 1:1 classid 1:10 htb rate 1mbit ceil 50mbit burst 15000 prio 3',
    { rate: 1_000_000, ceil: 50_000_000, burst: 15_000, priority: 3 },
  ],
  [
    { kind: 'htb', handle: '1:10', parent: '1:', rate: 8_000_000, quantum: 3000 },
    'parent 1: classid 1:10 htb rate 8mbit quantum 3000',
    { parent: 'root', quantum: 3000 },
  ],
  [
    { kind: 'htb', handle: '1:10', parent: '1:1', rate: 8_000_000, overhead: 24, mpu: 84 },
    'parent 1:1 classid 1:10 htb rate 8mbit overhead 24 mpu 84',
    { rate: 8_000_000, overhead: 24, mpu: 84 },
  ],
  [
    {
      kind: 'htb',
      handle: '1:10',
      rate: 40_000_000_000,
      ceil: 80_000_000_000,
      burst: 1_000_000,
      ceilBurst: 2_000_000,
      quantum: 60_000,
    },
    'parent 1: classid 1:10 htb rate 40gbit ceil 80gbit burst 1000000 cburst 2000000 quantum 60000',
    { parent: 'root', rate: 40_000_000_000, ceil: 80_000_000_000 },
  ],
]

describe('a class', () => {
  for (const [spec, words, result] of ENTRIES) {
    test(`${words}: nsset and tc add and read the same`, async () => {
      using set = await lab()
      const { classes, links } = set.network
      const { index } = await links.get('a0')

      await tc(set, `class add dev a0 ${words}`)
      const printed = await classesOfTc(set)
      expect(printed).toHaveLength(1)
      const listed = (await classes.list('a0')).find(({ handle }) => handle === '1:10') as TrafficClass
      expect(listed).toMatchObject({ link: { index }, ...result })
      await classes.delete('a0', '1:10')
      expect(await classesOfTc(set)).toEqual([])

      await classes.add('a0', spec)
      expect(await classesOfTc(set)).toEqual(printed)
      const failure = await failureOf(() => classes.add('a0', spec))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', target: '1:10 of a0' })
      await classes.delete(listed.link, listed)
      await classes.add(listed.link, listed)
      await classes.replace(listed.link, listed)
      expect(await classesOfTc(set)).toEqual(printed)
    })
  }

  test('has a qdisc, filters that lead to it, and counters', async () => {
    using set = await lab()
    const { classes, filters, qdiscs, links, addresses } = set.network
    await links.set('b0', { up: true })
    await addresses.add('a0', '10.0.0.1/24')
    await classes.add('a0', { kind: 'htb', handle: '1:10', parent: '1:1', rate: 8_000_000 })
    await qdiscs.add('a0', { kind: 'tbf', rate: 4_000_000, parent: '1:10', handle: '10:' })
    const matches = [{ value: 0x0a000009, mask: 0xffffffff, offset: 16 }]
    await filters.add('a0', { kind: 'u32', parent: '1:', protocol: 'ip', matches, class: '1:10' })
    await set.network.neighbours.add('a0', { address: '10.0.0.9', mac: '02:00:00:00:00:09' })
    const socket = set.network.createSocket('udp4')
    await new Promise<void>((sent) => socket.send('hello', 9, '10.0.0.9', () => socket.close(() => sent())))
    const [own] = (await classes.list('a0')).filter(({ handle }) => handle === '1:10')
    expect(own).toMatchObject({ leaf: '10:', statistics: { packets: 1, lends: 1, borrows: 0 } })
    expect((await tc(set, '-s class show dev a0 classid 1:10')).replaceAll(/\s+/g, ' ')).toContain('1 pkt')
  })
})

describe('list()', () => {
  test('returns the classes of all links, or of one', async () => {
    using set = await lab()
    const { classes } = set.network
    await tc(set, 'qdisc add dev b0 root handle 7: htb')
    await tc(set, 'class add dev b0 parent 7: classid 7:1 htb rate 1mbit')
    expect((await classes.list()).map(({ handle }) => handle)).toEqual(expect.arrayContaining(['1:1', '7:1']))
    expect((await classes.list('b0')).map(({ handle }) => handle)).toEqual(['7:1'])
    expect(await classes.list('lo')).toEqual([])
    expect(await failureOf(() => classes.list('none0'))).toMatchObject({ code: 'ENODEV' })
  })

  test('returns the classes of kinds that nsset does not know', async ({ skip }) => {
    using set = await lab()
    if (!(await isMadeBy(set, 'tc', 'qdisc add dev b0 root handle 7: prio bands 3'))) skip('this kernel has no prio')
    const kinds = (await set.network.classes.list('b0')).map((each) => (each.kind === 'other' ? each.type : each.kind))
    expect(kinds).toEqual(['prio', 'prio', 'prio'])
  })

  test('returns all of many', async () => {
    using set = await lab()
    const lines = Array.from(
      { length: 700 },
      (_, count) => `class add dev a0 parent 1:1 classid 1:${(count + 16).toString(16)} htb rate 1mbit`,
    )
    await outputOf(set, 'tc', '-batch -', `${lines.join('\n')}\n`)
    expect(await set.network.classes.list('a0')).toHaveLength(lines.length + 1)
  })
})

describe('the kernel refuses', () => {
  test('a class of a link without a qdisc for classes', async () => {
    using set = await lab()
    const spec = { kind: 'htb', handle: '9:1', parent: '9:', rate: 1e6 } as const
    const failure = await failureOf(() => set.network.classes.add('b0', spec))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT', target: '9:1 of b0' })
    expect(failure.message).toContain('add a qdisc that has classes')
  })

  test('to delete a class that has others below it', async () => {
    using set = await lab()
    await set.network.classes.add('a0', { kind: 'htb', handle: '1:10', parent: '1:1', rate: 1e6 })
    const failure = await failureOf(() => set.network.classes.delete('a0', '1:1'))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EBUSY' })
    expect(failure.message).toContain('delete these first')
  })
})

describe('invalid arguments throw', () => {
  const add = (spec: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.classes.add('lo', untyped<TrafficClassSpec>(spec))
  }
  const cases: Case[] = [
    ['an unknown kind', add({ kind: 'hfsc', handle: '1:1' }), value('spec.kind', 'htb, other')],
    ['no handle', add({ kind: 'htb', rate: 1e6 }), value('spec.handle', 'is required')],
    ['no rate', add({ kind: 'htb', handle: '1:1' }), value('spec.rate', 'is required')],
    ['a handle that is none', add({ kind: 'htb', handle: 'one', rate: 1e6 }), value('spec.handle')],
    ['a priority above 7', add({ kind: 'htb', handle: '1:1', rate: 1e6, priority: 8 }), range('spec.priority')],
    ['a misspelt option', add({ kind: 'htb', handle: '1:1', rate: 1e6, ciel: 2e6 }), value("'ciel'", "'ceil'")],
  ]
  refuses(cases)
})
