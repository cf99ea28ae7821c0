/** A bridge and its ports, as seen by bridge(8). */
import { action } from 'nsset'
import { expect, test } from 'vitest'
import { outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

interface Port {
  ifname: string
  master?: string
}

interface Entry {
  mac: string
  ifname: string
  master?: string
  state?: string
}

test('links with the bridge as master are its ports, and learn each other’s addresses', async () => {
  using set = anyonesSet(['net'])
  const [, left] = await set.network.apply([
    action.links.add({ kind: 'bridge', name: 'br0', up: true }),
    action.links.add({
      kind: 'veth',
      name: 'p0',
      master: 'br0',
      up: true,
      mac: '02:00:00:00:00:01',
      peer: { name: 'h0' },
    }),
    action.links.add({ kind: 'veth', name: 'p1', master: 'br0', up: true, peer: { name: 'h1' } }),
    action.links.add({ kind: 'veth', name: 'p2', up: true, peer: { name: 'h2' } }),
  ])
  const ports: Port[] = JSON.parse(await outputOf(set, 'bridge', '-j link show'))
  expect(ports.map(({ ifname, master }) => [ifname, master])).toEqual([
    ['p0', 'br0'],
    ['p1', 'br0'],
  ])
  const entries: Entry[] = JSON.parse(await outputOf(set, 'bridge', '-j fdb show br br0'))
  expect(entries).toContainEqual(
    expect.objectContaining({ mac: left.mac, ifname: 'p0', master: 'br0', state: 'permanent' }),
  )

  await set.network.links.set('p1', { master: null })
  const rest: Port[] = JSON.parse(await outputOf(set, 'bridge', '-j link show'))
  expect(rest.map(({ ifname }) => ifname)).toEqual(['p0'])
})
