/** `set.network.offload`: ethtool(8) shows what nsset changes, and nsset reads what ethtool changes. */
import type { NamespaceSet, Offload } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, type, untyped, value } from '../../setup/sets/failure.ts'

async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await ip(set, 'link add left type veth peer name right')
  return set
}

interface Printed {
  active: boolean
  fixed: boolean | null
}

/** What `ethtool -k` prints: groups by their long names, and features by those of the kernel. */
async function printedBy(set: NamespaceSet, name: string): Promise<Record<string, Printed>> {
  const [printed] = JSON.parse(await outputOf(set, 'ethtool', `--json -k ${name}`))
  return printed
}

/** The groups, and what ethtool calls them. */
const GROUPS = {
  receiveChecksum: 'rx-checksumming',
  transmitChecksum: 'tx-checksumming',
  scatterGather: 'scatter-gather',
  tso: 'tcp-segmentation-offload',
  gso: 'generic-segmentation-offload',
  gro: 'generic-receive-offload',
  lro: 'large-receive-offload',
  receiveVlan: 'rx-vlan-offload',
  transmitVlan: 'tx-vlan-offload',
  ntuple: 'ntuple-filters',
  receiveHash: 'receive-hashing',
} as const satisfies Partial<Record<keyof Offload, string>>

describe('what a link offloads', () => {
  for (const name of ['lo', 'left']) {
    test(`is what ethtool shows, for ${name}`, async () => {
      using set = await lab()
      const offload = await set.network.offload.get(name)
      const printed = await printedBy(set, name)
      for (const [group, word] of Object.entries(GROUPS)) {
        expect([group, offload[group as keyof typeof GROUPS]]).toEqual([group, printed[word]?.active])
      }
      expect(Object.keys(offload.features).length).toBeGreaterThan(10)
      for (const [feature, active] of Object.entries(offload.features)) {
        const fixed = offload.fixed.includes(feature)
        expect([feature, { active, fixed }]).toEqual([feature, expect.objectContaining(pick(printed[feature]))])
      }
    })
  }

  const pick = (printed: Printed | undefined) => ({ active: printed?.active, fixed: printed?.fixed })

  test('is changed as with ethtool, by group and by feature', async () => {
    using set = await lab()
    const { offload } = set.network
    await offload.set('left', { transmitChecksum: false, gro: false, features: { 'tx-udp-segmentation': false } })
    const printed = await printedBy(set, 'left')
    expect(printed['tx-checksumming']?.active).toBe(false)
    expect(printed['generic-receive-offload']?.active).toBe(false)
    expect(printed['tx-udp-segmentation']?.active).toBe(false)
    await outputOf(set, 'ethtool', '-K left tx on gro on sg off')
    expect(await offload.get('left')).toMatchObject({ transmitChecksum: true, gro: true, scatterGather: false })
  })

  test('is taken back as it is given', async () => {
    using set = await lab()
    const { offload } = set.network
    await outputOf(set, 'ethtool', '-K left tso off gro on')
    const before = await printedBy(set, 'left')
    const given = await offload.get('left')
    await offload.set('left', given)
    expect(await printedBy(set, 'left')).toEqual(before)
    await outputOf(set, 'ethtool', '-K left tso on gro off')
    await offload.set('left', given)
    expect(await printedBy(set, 'left')).toEqual(before)
  })

  test('stays if a part cannot be changed', async () => {
    using set = await lab()
    const { offload } = set.network
    const before = await printedBy(set, 'left')
    const unknown = await failureOf(() => offload.set('left', { gro: true, features: { 'no-such-feature': true } }))
    expect(unknown).toMatchObject({ code: 'EOPNOTSUPP', action: 'offload.set', target: 'left' })
    expect(unknown.message).toContain("does not have the feature 'no-such-feature', or cannot change it")
    expect(await failureOf(() => offload.set('left', { lro: true }))).toMatchObject({ code: 'EOPNOTSUPP' })
    // Segmentation depends on scattered packets.
    const dependent = await failureOf(() => offload.set('left', { scatterGather: false, tso: true, gro: false }))
    expect(dependent).toMatchObject({ code: 'EOPNOTSUPP' })
    expect(await printedBy(set, 'left')).toEqual(before)
    expect(await failureOf(() => offload.get('none'))).toMatchObject({ code: 'ENODEV' })
  })
})

describe('invalid changes throw', () => {
  const change = (changes: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.offload.set('lo', untyped<object>(changes))
  }
  refuses([
    ['a number', change({ tso: 1 }), type('changes.tso')],
    ['an unknown group', change({ tsoo: true }), value("Unknown option 'tsoo' of changes; did you mean 'tso'?")],
    ['a feature that is no boolean', change({ features: { 'rx-gro': 'on' } }), type('changes.features.rx-gro')],
    ['a name that no feature can have', change({ features: { 'a b': true } }), value('changes.features')],
    ['no object', change([]), type('changes')],
  ] satisfies Case[])
})
