/** Tables, as which the native side sends lists: they become objects as any. */
import { action } from 'nsset'
import { describe, expect, test } from 'vitest'
import { readTable } from '../../src/network/actions/table.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

describe('a table', () => {
  test('has objects of several shapes in their order', () => {
    const shapes = [
      [
        { dst: 'a', dev: { index: 7 } },
        { dst: ['a', 'b', 'd'], dev: {} },
      ],
      [{ dst: 'c' }, {}],
    ] as const
    expect(readTable([[0, 2, 1, 1, 0, 1], ...shapes])).toStrictEqual([
      { dst: 'a', dev: { index: 7 } },
      { dst: 'b', dev: { index: 7 } },
      { dst: 'c' },
      { dst: 'd', dev: { index: 7 } },
    ])
  })

  test('without objects is an empty list', () => {
    expect(readTable([[]])).toStrictEqual([])
  })

  test('makes objects that share nothing, with their properties in order', () => {
    const template = { index: 1, statistics: { used: 0, updated: 5 }, names: null }
    const columns = { index: [1, 2], statistics: { used: [0, 9] }, names: [['x'], ['x']] }
    const [one, other] = readTable([
      [0, 2],
      [template, columns],
    ])
    expect(JSON.stringify(one)).toBe('{"index":1,"statistics":{"used":0,"updated":5},"names":["x"]}')
    expect(JSON.stringify(other)).toBe('{"index":2,"statistics":{"used":9,"updated":5},"names":["x"]}')
    expect(one?.['statistics']).not.toBe(other?.['statistics'])
    expect(one?.['names']).not.toBe(other?.['names'])
  })
})

describe('lists', () => {
  const DUMMIES = 70

  test('of links in several parts have the same objects as links.get()', { timeout: 60_000 }, async () => {
    using set = anyonesSet(['net'])
    const { links } = set.network
    const veth = (index: number) =>
      action.links.add({ kind: 'veth', name: `a${index}`, mtu: 1400 + index, peer: { name: `b${index}` } })
    await set.network.apply([
      action.links.add({ kind: 'bridge', name: 'br0' }),
      action.links.add({ kind: 'vxlan', name: 'vx0', id: 7, port: 4789 }),
      ...Array.from({ length: DUMMIES }, (_, index) => veth(index)),
      action.links.set('a1', { master: 'br0', alias: 'one', altNames: ['first', 'second'] }),
    ])
    const listed = await links.list()
    expect(listed).toHaveLength(2 * DUMMIES + 3)
    const one = await Promise.all(listed.map(({ index }) => links.get({ index })))
    // Equal texts have equal properties in an equal order.
    expect(listed.map((link) => JSON.stringify(link))).toStrictEqual(one.map((link) => JSON.stringify(link)))
    expect(set.network.sync.links.list()).toStrictEqual(listed)
  })

  test('have objects that can be changed without changing others', async () => {
    using set = anyonesSet(['net'])
    await set.network.apply([
      action.links.add({ kind: 'veth', name: 'a', up: true, peer: { name: 'b', up: true } }),
      action.neighbours.add('a', { address: '10.0.0.1', mac: '02:00:00:00:00:01' }),
      action.neighbours.add('a', { address: '10.0.0.2', mac: '02:00:00:00:00:02' }),
    ])
    const neighbours = await set.network.neighbours.list('a')
    const [one, other] = neighbours.filter(({ family }) => family === 'IPv4')
    if (one === undefined || other === undefined) throw new Error('both neighbours are listed')
    one.link.index = 4242
    expect(other.link.index).not.toBe(4242)
    await set.network.neighbours.delete('a', other)
    expect((await set.network.neighbours.list('a')).map(({ address }) => address)).not.toContain(other.address)
  })
})
