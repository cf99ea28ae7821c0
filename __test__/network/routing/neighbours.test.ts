/** `set.network.neighbours`: `ip neighbour` reads what nsset adds, and nsset reads and deletes what `ip neighbour` adds. */
import type { NamespaceSet, Neighbour, NeighbourSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, untyped, value } from '../../setup/sets/failure.ts'

const MAC = '02:00:00:00:00:09'

/** Two links that are up, with a network of both families. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = ['link add a0 type veth peer name b0']
  for (const name of ['a0', 'b0']) lines.push(`link set ${name} up`)
  lines.push('address add 10.0.0.1/24 dev a0', 'address add fd00::1/64 dev a0 nodad')
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

/** The neighbours and proxies of `a0` as text, without those of multicast groups. */
async function neighboursOfIp(set: NamespaceSet): Promise<string[]> {
  const texts = [await ip(set, 'neighbour show nud all dev a0'), await ip(set, 'neighbour show proxy dev a0')]
  const lines = texts.join('').trim().split('\n')
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !/^(ff02|22[49]\.|fe80)/.test(line))
}

const isOurs = ({ address }: Neighbour) => !/^(ff02|22[49]\.|fe80)/.test(address)

/** Those that nsset lists, without times. */
async function listed(set: NamespaceSet) {
  const neighbours = (await set.network.neighbours.list('a0')).filter(isOurs)
  return neighbours.map(({ statistics: _, ...neighbour }) => neighbour)
}

/** A neighbour: spec, the arguments of `ip neighbour add`, and what nsset reads. */
type Entry = [spec: NeighbourSpec, words: string, result: Partial<Neighbour>]

const ENTRIES: Entry[] = [
  [
    { address: '10.0.0.9', mac: MAC },
    `10.0.0.9 lladdr ${MAC}`,
    { address: '10.0.0.9', family: 'IPv4', mac: MAC, state: 'permanent' },
  ],
  [
    { address: 'fd00::9', mac: MAC, router: true },
    `fd00::9 lladdr ${MAC} router`,
    { address: 'fd00::9', family: 'IPv6', mac: MAC, router: true, state: 'permanent' },
  ],
  [{ address: '10.0.0.9', mac: MAC, state: 'stale' }, `10.0.0.9 lladdr ${MAC} nud stale`, { state: 'stale' }],
  [
    { address: '10.0.0.9', mac: MAC, state: 'reachable' },
    `10.0.0.9 lladdr ${MAC} nud reachable`,
    { state: 'reachable' },
  ],
  [{ address: '10.0.0.9', mac: MAC, state: 'noarp' }, `10.0.0.9 lladdr ${MAC} nud noarp`, { state: 'noarp' }],
  [
    { address: '10.0.0.9', mac: MAC, state: 'stale', externallyLearned: true, protocol: 4 },
    `10.0.0.9 lladdr ${MAC} nud stale extern_learn protocol static`,
    { externallyLearned: true, protocol: 4 },
  ],
  [{ address: '10.0.0.9', proxy: true }, 'proxy 10.0.0.9', { address: '10.0.0.9', proxy: true, state: 'none' }],
  [
    { address: 'fd00::9', proxy: true, router: true },
    'proxy fd00::9 router',
    { address: 'fd00::9', proxy: true, router: true, family: 'IPv6' },
  ],
]

test('a proxy stays when its link loses its carrier, also one that was listed and added again', async () => {
  using set = await lab()
  const { neighbours, links } = set.network
  await neighbours.add('a0', { address: '10.0.0.7', proxy: true })
  await neighbours.add('a0', { address: '10.0.0.8', proxy: true })
  const again = (await neighbours.list('a0')).find(({ address }) => address === '10.0.0.8')
  if (again === undefined) throw new Error('the proxy is not listed')
  await neighbours.delete('a0', again)
  await neighbours.add('a0', again)
  // The kernel deletes this one with the carrier.
  await neighbours.add('a0', { address: '10.0.0.9', mac: MAC, state: 'stale' })

  await links.set('b0', { up: false })
  const signal = AbortSignal.timeout(10_000)
  const left = await set.network.until(
    async () => {
      const ours = (await neighbours.list('a0')).filter(isOurs).map(({ address }) => address)
      return ours.includes('10.0.0.9') ? undefined : ours
    },
    { parts: 'neighbours', signal },
  )
  expect(left?.toSorted()).toEqual(['10.0.0.7', '10.0.0.8'])
})

describe('a neighbour', () => {
  for (const [spec, words, result] of ENTRIES) {
    test(`${words}: nsset and ip add and read the same`, async () => {
      using set = await lab()
      const { neighbours, links } = set.network
      const { index } = await links.get('a0')

      await ip(set, `neighbour add ${words} dev a0`)
      const [printed, read] = [await neighboursOfIp(set), await listed(set)]
      expect(printed).toHaveLength(1)
      expect(read).toMatchObject([{ link: { index }, ...result }])
      await neighbours.delete('a0', spec)
      expect(await listed(set)).toEqual([])

      await neighbours.add('a0', spec)
      expect(await neighboursOfIp(set)).toEqual(printed)
      expect(await listed(set)).toEqual(read)
      for (const neighbour of await neighbours.list('a0')) {
        if (!isOurs(neighbour)) continue
        await neighbours.delete(neighbour.link, neighbour)
        await neighbours.add(neighbour.link, neighbour)
        await neighbours.replace(neighbour.link, neighbour)
      }
      expect(await neighboursOfIp(set)).toEqual(printed)
    })
  }

  test('is found without a request on the link', async () => {
    using set = await lab()
    await set.network.neighbours.add('a0', { address: '10.0.0.9', mac: MAC })
    expect(await ip(set, 'neighbour get 10.0.0.9 dev a0')).toContain(`lladdr ${MAC}`)
  })
})

describe('add() and replace()', () => {
  test('add() refuses a neighbour that exists, and replace() changes it', async () => {
    using set = await lab()
    const { neighbours } = set.network
    await neighbours.add('a0', { address: '10.0.0.9', mac: MAC })
    const failure = await failureOf(() => neighbours.add('a0', { address: '10.0.0.9', mac: '02:00:00:00:00:0a' }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', target: '10.0.0.9 of a0' })
    expect(failure.message).toContain('replace it')
    await neighbours.replace('a0', { address: '10.0.0.9', mac: '02:00:00:00:00:0a' })
    expect(await listed(set)).toMatchObject([{ mac: '02:00:00:00:00:0a' }])
  })
})

describe('list()', () => {
  test('returns those of all links, or of one, with times and multicast groups', async () => {
    using set = await lab()
    const { neighbours, links } = set.network
    for (const name of ['a0', 'b0']) await neighbours.add(name, { address: '10.0.0.9', mac: MAC })
    const all = (await neighbours.list()).filter(({ address }) => address === '10.0.0.9')
    expect(all.map(({ link }) => link.index).toSorted()).toEqual(
      (await links.list())
        .filter(({ name }) => name !== 'lo')
        .map(({ index }) => index)
        .toSorted(),
    )
    expect(all[0]?.statistics).toEqual({
      confirmed: expect.any(Number),
      used: expect.any(Number),
      updated: expect.any(Number),
      probes: expect.any(Number),
    })
    expect(await failureOf(() => neighbours.list('none0'))).toMatchObject({ code: 'ENODEV' })
  })

  test('returns all of many', async () => {
    using set = await lab()
    const lines = Array.from(
      { length: 900 },
      (_, count) => `neighbour add 10.0.${1 + (count >> 8)}.${count & 0xff} lladdr ${MAC} dev a0`,
    )
    await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
    expect(await listed(set)).toHaveLength(lines.length)
  })
})

test('delete() of a missing neighbour fails', async () => {
  using set = await lab()
  const failure = await failureOf(() => set.network.neighbours.delete('a0', { address: '10.0.0.77' }))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT' })
  expect(failure.message).toContain('it does not exist')
})

describe('invalid arguments throw', () => {
  const add = (neighbour: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.neighbours.add('lo', untyped<NeighbourSpec>(neighbour))
  }
  const cases: Case[] = [
    ['no address', add({ mac: MAC }), value('neighbour.address', 'is required')],
    ['an address with a prefix', add({ address: '10.0.0.1/24' }), value('neighbour.address')],
    ['a family that differs', add({ address: '10.0.0.1', family: 'IPv6' }), value('neighbour.family')],
    [
      'a hardware address with other digits',
      add({ address: '10.0.0.1', mac: '02:00:00:00:00:0g' }),
      value('neighbour.mac'),
    ],
    ['an unknown state', add({ address: '10.0.0.1', state: 'up' }), value('neighbour.state', "'reachable'")],
    ['a misspelt option', add({ address: '10.0.0.1', lladdr: MAC }), value("'lladdr'")],
  ]
  refuses(cases)
})
