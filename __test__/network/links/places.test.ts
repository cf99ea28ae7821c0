/** Links that are created in another network than their device, and links that move with a new name. */
import type { LinkSpec, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipAddresses, ipLink, isMadeBy, namesOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

/** A network with a veth, and another one with a bridge. Both belong to one user namespace. */
async function lab(): Promise<{ here: NamespaceSet; there: NamespaceSet }> {
  const base = anyonesSet(['net'])
  const [here, there] = [base.unshareSync('net'), base.unshareSync('net')]
  await ip(here, 'link add eth0 type veth peer name right')
  await ip(here, 'link set eth0 up')
  await ip(here, 'link set right up')
  await ip(there, 'link add br0 type bridge')
  base.close()
  return { here, there }
}

const KINDS = [
  { spec: { kind: 'macvlan', dev: 'eth0', mode: 'bridge' }, probe: 'link add link eth0 name x type macvlan' },
  { spec: { kind: 'ipvlan', dev: 'eth0', mode: 'l2' }, probe: 'link add link eth0 name x type ipvlan' },
  { spec: { kind: 'vlan', dev: 'eth0', id: 7 }, probe: 'link add link eth0 name x type vlan id 7' },
  { spec: { kind: 'vxlan', dev: 'eth0', id: 7, port: 4789 }, probe: 'link add x type vxlan id 9 dstport 4788' },
  { spec: { kind: 'macsec', dev: 'eth0' }, probe: 'link add link eth0 name x type macsec' },
  { spec: { kind: 'wireguard' }, probe: 'link add x type wireguard' },
] as const

describe('a link with its device in another network', () => {
  for (const { spec, probe } of KINDS) {
    test(`of kind ${spec.kind} can have the name of its device`, async ({ skip }) => {
      const { here, there } = await lab()
      using _here = here
      using _there = there
      if (!(await isMadeBy(here, 'ip', probe))) skip('this kernel does not have this kind')
      await ip(here, 'link delete x')
      const wanted = { ...spec, name: 'eth0', set: there, up: true, addresses: ['10.0.0.2/24'] } as LinkSpec
      const made = await here.network.links.add(wanted)
      const before = await ipLink(here, 'eth0')
      expect(await ipLink(there, 'eth0')).toMatchObject({ ifindex: made.index, linkinfo: { info_kind: spec.kind } })
      expect(await ipAddresses(there, 'eth0')).toMatchObject([{ local: '10.0.0.2' }])
      if ('dev' in spec) expect(made.dev).toMatchObject({ index: before.ifindex, netnsId: expect.any(Number) })
      expect(await here.network.links.ensure({ ...wanted, mtu: 1400 } as LinkSpec)).toMatchObject({ index: made.index })
      expect(await ipLink(there, 'eth0')).toMatchObject({ mtu: 1400 })
      expect(await ipLink(here, 'eth0')).toEqual(before)
      expect(await failureOf(() => here.network.links.add(wanted))).toMatchObject({ code: 'EEXIST' })
    })
  }

  test('is not created if a part fails, and can be in the same network', async ({ skip }) => {
    const { here, there } = await lab()
    using _here = here
    using _there = there
    if (!(await isMadeBy(here, 'ip', KINDS[0].probe))) skip('this kernel has no macvlan')
    await ip(here, 'link delete x')
    const spec = { kind: 'macvlan', dev: 'eth0', name: 'mv0', set: there } as const
    const failure = await failureOf(() => here.network.links.add({ ...spec, addresses: ['ff02::1/64'] }))
    expect(failure).toMatchObject({ code: 'EADDRNOTAVAIL' })
    expect(await failureOf(() => here.network.links.add({ ...spec, master: 'none' }))).toMatchObject({ code: 'ENODEV' })
    expect(await namesOf(there)).toEqual(['br0'])
    await here.network.links.add({ ...spec, master: 'br0', altNames: ['the-port-of-the-other-bridge'] })
    const printed = await ipLink(there, 'mv0')
    expect(printed).toMatchObject({ master: 'br0', altnames: ['the-port-of-the-other-bridge'] })
    await here.network.links.add({ ...spec, name: 'mv1', set: here })
    expect(await namesOf(here)).toContain('mv1')
  })

  test('is refused for kinds without a device', async () => {
    const { here, there } = await lab()
    using _here = here
    using _there = there
    const spec = { kind: 'bridge', name: 'br1', set: there } as unknown as LinkSpec
    expect(await failureOf(() => here.network.links.add(spec))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })
})

describe('links.move() with a name', () => {
  test('renames the link on the way, so that equal names do not collide', async () => {
    const { here, there } = await lab()
    using _here = here
    using _there = there
    const { ifindex } = await ipLink(here, 'eth0')
    await here.network.links.move('right', there, { name: 'eth0' })
    expect(await ipLink(there, 'eth0')).toMatchObject({ link_index: ifindex, linkinfo: { info_kind: 'veth' } })
    const collision = await failureOf(() => here.network.links.move('eth0', there))
    expect(collision).toMatchObject({ code: 'EEXIST', target: 'eth0' })
    expect(collision.message).toContain('`links.move` can give the link another name')
    await here.network.links.move('eth0', there, { name: 'eth1' })
    expect(await namesOf(there)).toEqual(expect.arrayContaining(['eth0', 'eth1']))
    expect(await namesOf(here)).toEqual([])
  })

  test('leaves the link where it is if the name is taken there', async () => {
    const { here, there } = await lab()
    using _here = here
    using _there = there
    const before = await ipLink(here, 'eth0')
    const failure = await failureOf(() => here.network.links.move('eth0', there, { name: 'br0' }))
    expect(failure).toMatchObject({ code: 'EEXIST', action: 'links.move', target: 'eth0' })
    expect(await ipLink(here, 'eth0')).toEqual(before)
    here.network.sync.links.move('eth0', there, { name: 'eth0' })
    expect(await namesOf(there)).toContain('eth0')
  })
})
