/** VLANs of bridges and of their ports: bridge(8) shows what nsset adds, and nsset reads what bridge(8) adds. */
import type { BridgeVlan, BridgeVlanSpec, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, isMadeBy, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, type, untyped, value } from '../../setup/sets/failure.ts'

/** A bridge with VLAN filtering and a port; null if this kernel has none. */
async function lab(): Promise<NamespaceSet | null> {
  const set = anyonesSet(['net'])
  const isThere = await isMadeBy(set, 'ip', 'link add br0 type bridge vlan_filtering 1')
  if (!isThere) {
    set.close()
    return null
  }
  await ip(set, 'link add p0 type veth peer name h0')
  await ip(set, 'link set p0 master br0')
  return set
}

const LACKS = 'this kernel has no VLAN filtering of bridges'

interface Printed {
  ifname: string
  vlans: { vlan: number; vlanEnd?: number; flags?: string[] }[]
}

/** What `bridge vlan show` prints for a link, in the form of nsset. */
async function printedVlans(set: NamespaceSet, name: string): Promise<Omit<BridgeVlan, 'link'>[]> {
  const all: Printed[] = JSON.parse(await outputOf(set, 'bridge', `-j vlan show dev ${name}`))
  const vlans = all.find(({ ifname }) => ifname === name)?.vlans ?? []
  return vlans.map(({ vlan, flags = [] }) => ({
    id: vlan,
    pvid: flags.includes('PVID'),
    untagged: flags.some((flag) => /untagged/i.test(flag)),
  }))
}

describe('vlans', () => {
  test('are those that bridge(8) shows, for a port and for the bridge', async ({ skip }) => {
    using set = await lab()
    if (set === null) return skip(LACKS)
    const { vlans } = set.network
    await vlans.add('p0', { id: 10, pvid: true, untagged: true })
    await vlans.add('p0', { id: 20, to: 22 })
    await vlans.add('br0', 10)
    const ofPort = [
      { id: 1, pvid: false, untagged: true },
      { id: 10, pvid: true, untagged: true },
      ...[20, 21, 22].map((id) => ({ id, pvid: false, untagged: false })),
    ]
    expect(await printedVlans(set, 'p0')).toEqual(ofPort)
    const { index } = await set.network.links.get('p0')
    expect(await vlans.list('p0')).toEqual(ofPort.map((vlan) => ({ link: { index }, ...vlan })))
    expect((await vlans.list('br0')).map(({ id }) => id)).toEqual([1, 10])
    expect(await vlans.list()).toHaveLength(7)
    await vlans.delete('p0', { id: 21, to: 22 })
    await vlans.delete('br0', 10)
    expect((await printedVlans(set, 'p0')).map(({ id }) => id)).toEqual([1, 10, 20])
    expect((await printedVlans(set, 'br0')).map(({ id }) => id)).toEqual([1])
  })

  test('of a list are deleted and added again unchanged', async ({ skip }) => {
    using set = await lab()
    if (set === null) return skip(LACKS)
    const { vlans } = set.network
    await outputOf(set, 'bridge', 'vlan add dev p0 vid 100-103')
    await outputOf(set, 'bridge', 'vlan add dev p0 vid 7 pvid')
    const before = await printedVlans(set, 'p0')
    const listed = await vlans.list('p0')
    for (const vlan of listed) await vlans.delete('p0', vlan)
    expect(await vlans.list('p0')).toEqual([])
    for (const vlan of listed) await vlans.add('p0', vlan)
    expect(await printedVlans(set, 'p0')).toEqual(before)
  })

  test('of a link that is no port are refused', async () => {
    using set = anyonesSet(['net'])
    await ip(set, 'link add p0 type veth peer name h0')
    expect(await failureOf(() => set.network.vlans.add('p0', 10))).toMatchObject({ name: 'ActionError' })
    expect(await failureOf(() => set.network.vlans.add('none', 10))).toMatchObject({ code: 'ENODEV' })
    expect(await set.network.vlans.list('p0')).toEqual([])
  })
})

describe('vlans that cannot exist throw', () => {
  const add = (vlan: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.vlans.add('p0', untyped<BridgeVlanSpec>(vlan))
  }
  refuses([
    ['0', add(0), range('vlan')],
    ['4095', add(4095), range('vlan')],
    ['a range that ends before it begins', add({ id: 10, to: 9 }), range('vlan.to')],
    ['a text', add('10'), type('vlan')],
    ['an object without an id', add({ pvid: true }), value('vlan.id')],
  ] satisfies Case[])
})
