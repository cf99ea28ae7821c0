/** `set.network.forwardingEntries`: `bridge fdb` reads what nsset adds, and nsset reads and deletes what `bridge fdb` adds. */
import type { ForwardingEntry, ForwardingEntrySpec, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { isMadeBy, isVm, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, untyped, value } from '../../setup/sets/failure.ts'

const MAC = '02:00:00:00:00:09'
const OTHERS = '00:00:00:00:00:00'

const bridge = (set: NamespaceSet, words: string) => outputOf(set, 'bridge', words)

/** A bridge, and a port of it. */
async function switchLab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = [
    // Where bridges have VLANs, an entry without one is otherwise added for each VLAN of the port, too.
    `link add br0 type bridge${isVm ? ' vlan_default_pvid 0' : ''}`,
    'link add a0 type veth peer name b0',
    'link set a0 master br0 up',
    'link set b0 up',
    'link set br0 up',
  ]
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

/** A VXLAN, or undefined if the kernel has none. */
async function vxlanLab(): Promise<NamespaceSet | undefined> {
  const set = anyonesSet(['net'])
  if (await isMadeBy(set, 'ip', 'link add vx0 type vxlan id 42 dstport 4789')) return set
  set.close()
  return undefined
}

/** The entries for the addresses of these tests, as text. */
async function entriesOfBridge(set: NamespaceSet): Promise<string[]> {
  const lines = (await bridge(set, '-d fdb show')).split('\n').map((line) => line.trim())
  return lines.filter((line) => line.startsWith(MAC) || line.startsWith(OTHERS)).toSorted()
}

async function listed(set: NamespaceSet): Promise<Omit<ForwardingEntry, 'statistics'>[]> {
  const entries = await set.network.forwardingEntries.list()
  const ours = entries.filter(({ mac }) => mac === MAC || mac === OTHERS)
  return ours.map(({ statistics: _, ...entry }) => entry)
}

/** An entry: its link and spec, the arguments of `bridge fdb add`, and what nsset reads. */
type Entry = [spec: ForwardingEntrySpec, words: string, result: Partial<ForwardingEntry>]

const OF_BRIDGES: Entry[] = [
  [{ mac: MAC, table: 'master', state: 'static' }, `${MAC} dev a0 master static`, { table: 'master', state: 'static' }],
  [{ mac: MAC, table: 'master' }, `${MAC} dev a0 master permanent`, { table: 'master', state: 'permanent' }],
  [
    { mac: MAC, table: 'master', state: 'dynamic' },
    `${MAC} dev a0 master dynamic`,
    { table: 'master', state: 'dynamic' },
  ],
  [
    { mac: MAC, table: 'master', state: 'static', sticky: true },
    `${MAC} dev a0 master static sticky`,
    { sticky: true },
  ],
  [
    { mac: MAC, table: 'master', state: 'dynamic', externallyLearned: true },
    `${MAC} dev a0 master dynamic extern_learn`,
    { externallyLearned: true },
  ],
]

const OF_VXLANS: Entry[] = [
  [
    { mac: MAC, dst: '192.0.2.9' },
    `${MAC} dev vx0 dst 192.0.2.9`,
    { table: 'self', state: 'permanent', dst: '192.0.2.9' },
  ],
  [
    { mac: MAC, dst: '192.0.2.9', port: 4000, vni: 77 },
    `${MAC} dev vx0 dst 192.0.2.9 port 4000 vni 77`,
    { dst: '192.0.2.9', port: 4000, vni: 77 },
  ],
  [{ mac: MAC, dst: '192.0.2.9', via: 'lo' }, `${MAC} dev vx0 dst 192.0.2.9 via lo`, { via: { index: 1 } }],
  [{ mac: MAC, dst: '192.0.2.9', state: 'dynamic' }, `${MAC} dev vx0 dst 192.0.2.9 dynamic`, { state: 'dynamic' }],
  [{ mac: OTHERS, dst: '192.0.2.9' }, `${OTHERS} dev vx0 dst 192.0.2.9`, { mac: OTHERS, dst: '192.0.2.9' }],
]

async function check(set: NamespaceSet, name: string, [spec, words, result]: Entry): Promise<void> {
  const { forwardingEntries, links } = set.network
  const { index } = await links.get(name)

  await bridge(set, `fdb add ${words}`)
  const [printed, read] = [await entriesOfBridge(set), await listed(set)]
  expect(printed).toHaveLength(1)
  expect(read).toMatchObject([{ link: { index }, ...result }])
  await forwardingEntries.delete(name, spec)
  expect(await entriesOfBridge(set)).toEqual([])

  await forwardingEntries.add(name, spec)
  expect(await entriesOfBridge(set)).toEqual(printed)
  expect(await listed(set)).toEqual(read)
  // The kernel takes an entry that a program has learned again and again.
  if (spec.externallyLearned !== true)
    expect(await failureOf(() => forwardingEntries.add(name, spec))).toMatchObject({ code: 'EEXIST' })
  for (const entry of read) {
    await forwardingEntries.delete(entry.link, entry)
    await forwardingEntries.add(entry.link, entry)
    // Those with several destinations cannot be replaced.
    if (spec.mac !== OTHERS) await forwardingEntries.replace(entry.link, entry)
  }
  expect(await entriesOfBridge(set)).toEqual(printed)
}

describe('an entry of a bridge', () => {
  for (const entry of OF_BRIDGES) {
    test(`${entry[1]}: nsset and bridge add and read the same`, async () => {
      using set = await switchLab()
      await check(set, 'a0', entry)
    })
  }

  test('can be for a VLAN', async ({ skip }) => {
    using set = await switchLab()
    if (!(await isMadeBy(set, 'ip', 'link set br0 type bridge vlan_filtering 1')))
      skip('this kernel has no bridges that filter VLANs')
    await bridge(set, 'vlan add dev a0 vid 7')
    const spec = { mac: MAC, table: 'master', state: 'static', vlan: 7 } as const
    await check(set, 'a0', [spec, `${MAC} dev a0 master static vlan 7`, { vlan: 7, state: 'static' }])
  })

  test('of the bridge itself is in its own table', async () => {
    using set = await switchLab()
    const { forwardingEntries, links } = set.network
    const br0 = await links.get('br0')
    await bridge(set, `fdb add ${MAC} dev br0 self`)
    const [entry] = await listed(set)
    expect(entry).toMatchObject({ link: { index: br0.index }, master: { index: br0.index }, table: 'self' })
    await forwardingEntries.delete('br0', entry as ForwardingEntry)
    expect(await entriesOfBridge(set)).toEqual([])
    await forwardingEntries.add('br0', entry as ForwardingEntry)
    expect(await listed(set)).toEqual([entry])
  })

  test('that the bridge learned is listed with the port, and the addresses of the ports too', async () => {
    using set = await switchLab()
    const a0 = await set.network.links.get('a0')
    const own = await set.network.forwardingEntries.list('a0')
    expect(own).toContainEqual(expect.objectContaining({ mac: a0.mac, table: 'master', state: 'permanent' }))
    expect(own.every(({ link }) => link.index === a0.index)).toBe(true)
    const lasting = (await bridge(set, 'fdb show dev a0')).split('\n').filter((line) => line.includes('permanent'))
    expect(own.filter(({ state }) => state === 'permanent').map(({ mac }) => mac)).toEqual(
      lasting.map((line) => line.slice(0, MAC.length)),
    )
  })
})

describe('an entry of a VXLAN', () => {
  for (const entry of OF_VXLANS) {
    test(`${entry[1]}: nsset and bridge add and read the same`, async ({ skip }) => {
      using set = await vxlanLab()
      if (set === undefined) return skip('this kernel has no vxlan')
      await check(set, 'vx0', entry)
    })
  }

  test('can have several destinations, which append() adds and delete() names', async ({ skip }) => {
    using set = await vxlanLab()
    if (set === undefined) return skip('this kernel has no vxlan')
    const { forwardingEntries } = set.network
    for (const dst of ['192.0.2.8', '192.0.2.9']) await forwardingEntries.append('vx0', { mac: OTHERS, dst })
    expect((await listed(set)).map(({ dst }) => dst)).toEqual(['192.0.2.8', '192.0.2.9'])
    await forwardingEntries.delete('vx0', { mac: OTHERS, dst: '192.0.2.8' })
    expect(await entriesOfBridge(set)).toEqual([expect.stringContaining('192.0.2.9')])
    const failure = await failureOf(() => forwardingEntries.add('vx0', { mac: OTHERS, dst: '192.0.2.8' }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', target: `${OTHERS} of vx0` })
    expect(failure.message).toContain('append')
  })
})

test('list() returns all of many', async () => {
  using set = await switchLab()
  const macs = Array.from(
    { length: 2000 },
    (_, count) => `02:00:00:01:${(count >> 8).toString(16)}:${(count & 0xff).toString(16)}`,
  )
  await outputOf(set, 'bridge', '-batch -', macs.map((mac) => `fdb add ${mac} dev a0 master static\n`).join(''))
  const entries = await set.network.forwardingEntries.list('a0')
  expect(entries.filter(({ mac }) => mac.startsWith('02:00:00:01:'))).toHaveLength(macs.length)
})

test('a link without such a table is refused with a hint', async () => {
  using set = await switchLab()
  const failure = await failureOf(() => set.network.forwardingEntries.add('b0', { mac: MAC, table: 'master' }))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'EOPNOTSUPP' })
  expect(failure.message).toContain("'master' for the ports of a bridge")
})

describe('invalid arguments throw', () => {
  const add = (entry: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.forwardingEntries.add('lo', untyped<ForwardingEntrySpec>(entry))
  }
  const cases: Case[] = [
    ['no hardware address', add({ dst: '10.0.0.1' }), value('entry.mac', 'is required')],
    ['a short hardware address', add({ mac: '02:00' }), value('entry.mac')],
    ['another table', add({ mac: MAC, table: 'both' }), value('entry.table', "'self', 'master'")],
    ['an unknown state', add({ mac: MAC, state: 'local' }), value('entry.state', "'permanent'")],
    ['a destination with a prefix', add({ mac: MAC, dst: '10.0.0.1/32' }), value('entry.dst')],
    ['a misspelt option', add({ mac: MAC, vid: 7 }), value("'vid'")],
  ]
  refuses(cases)
})
