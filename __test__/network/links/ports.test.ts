/** Links as ports of bridges and bonds: `ip` and `bridge` show the settings that nsset makes, and nsset reads theirs. */
import type { BondMode, BridgePort, Link, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipLink, isMadeBy, outputOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await ip(set, 'link add br0 type bridge')
  await ip(set, 'link add p0 type veth peer name h0')
  await ip(set, 'link set p0 master br0')
  return set
}

/** Each setting, with another value than its default, and how `ip -d -j` prints it. */
const SETTINGS: [BridgePort, Record<string, unknown>][] = [
  [{ cost: 77 }, { cost: 77 }],
  [{ priority: 9 }, { priority: 9 }],
  [{ hairpin: true }, { hairpin: true }],
  [{ isolated: true }, { isolated: true }],
  [{ learning: false }, { learning: false }],
  [{ flood: false }, { flood: false }],
  [{ multicastFlood: false }, { mcast_flood: false }],
  [{ broadcastFlood: false }, { bcast_flood: false }],
  [{ multicastToUnicast: true }, { mcast_to_unicast: true }],
  [{ multicastRouter: 2 }, { multicast_router: 2 }],
  [{ fastLeave: true }, { fastleave: true }],
  [{ guard: true }, { guard: true }],
  [{ rootBlock: true }, { root_block: true }],
  [{ neighbourSuppression: true }, { neigh_suppress: true }],
  [{ proxyArp: true }, { proxy_arp: true }],
  [{ proxyArpWifi: true }, { proxy_arp_wifi: true }],
  [{ locked: true }, { locked: true }],
  [{ vlanTunnel: true }, { vlan_tunnel: true }],
  [{ groupForwardMask: 0x4000 }, { group_fwd_mask: '0x4000' }],
]

describe('the port of a bridge', () => {
  for (const [setting, printed] of SETTINGS) {
    test(`has ${JSON.stringify(setting)}, as ip shows it`, async () => {
      using set = await lab()
      const { links } = set.network
      const before = (await links.get('p0')).bridgePort
      await links.set('p0', { bridgePort: setting })
      const { linkinfo } = await ipLink(set, 'p0')
      expect(linkinfo).toMatchObject({ info_slave_kind: 'bridge' })
      expect(linkinfo?.info_slave_data).toMatchObject(printed)
      expect((await links.get('p0')).bridgePort).toEqual({ ...before, ...setting })
    })
  }

  test('gets them when it is created, and when it joins its bridge', async () => {
    using set = await lab()
    const { links } = set.network
    const bridgePort = { hairpin: true, isolated: true }
    const made = await links.add({ kind: 'veth', name: 'p1', master: 'br0', bridgePort, peer: { name: 'h1' } })
    expect(made.bridgePort).toMatchObject({ ...bridgePort, state: 'disabled' })
    await links.set('h1', { master: 'br0', up: true, bridgePort: { learning: false } })
    const printed = JSON.parse(await outputOf(set, 'bridge', '-j -d link show'))
    expect(printed).toContainEqual(expect.objectContaining({ ifname: 'h1', learning: false }))
    await links.ensure({ kind: 'veth', name: 'p1', bridgePort: { hairpin: false }, peer: { name: 'h1' } })
    expect((await links.get('p1')).bridgePort).toMatchObject({ hairpin: false, isolated: true })
  })

  test('is created again from a list', async () => {
    using set = await lab()
    const { links } = set.network
    await ip(set, 'link set p0 type bridge_slave hairpin on isolated on cost 9')
    const before = await ipLink(set, 'p0')
    const link = await links.get('p0')
    await links.delete('p0')
    await links.add({ ...(link as Extract<typeof link, { kind: 'veth' }>), peer: { name: 'h0' } })
    const { hairpin, isolated, cost } = before.linkinfo?.info_slave_data ?? {}
    expect((await ipLink(set, 'p0')).linkinfo?.info_slave_data).toMatchObject({ hairpin, isolated, cost })
  })

  test('keeps everything if a change fails', async () => {
    using set = await lab()
    const { links } = set.network
    await ip(set, 'link set p0 type bridge_slave hairpin on')
    const before = await ipLink(set, 'p0')
    const wrong = { mtu: 1300, master: null, bridgePort: { isolated: true } }
    const failure = await failureOf(() => links.set('p0', wrong))
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain("'bridgePort' cannot be set, because the link has no master")
    expect(await ipLink(set, 'p0')).toEqual(before)
    const ofBond = await failureOf(() => links.set('p0', { bondPort: { queueId: 1 } }))
    expect(ofBond.message).toContain('the link is the port of a bridge')
  })
})

describe('a bridge', () => {
  test('changes its settings, and undoes them if another change fails', async () => {
    using set = await lab()
    const { links } = set.network
    const changes = { ageingTime: 60_000, groupForwardMask: 8, igmpVersion: 3, multicastQuerier: true }
    await links.set('br0', { kind: 'bridge', ...changes })
    const data = { ageing_time: 6000, group_fwd_mask: '0x8', mcast_igmp_version: 3, mcast_querier: 1 }
    expect((await ipLink(set, 'br0')).linkinfo?.info_data).toMatchObject(data)
    expect(await links.get('br0')).toMatchObject({ kind: 'bridge', ...changes })
    const wrong = { kind: 'bridge', ageingTime: 70_000, addresses: ['ff02::1/64'] } as const
    expect(await failureOf(() => links.set('br0', wrong))).toMatchObject({ code: 'EADDRNOTAVAIL' })
    expect((await ipLink(set, 'br0')).linkinfo?.info_data).toMatchObject(data)
    // Bits 0 to 2 are reserved.
    const reserved = await failureOf(() => links.set('br0', { kind: 'bridge', groupForwardMask: 1 }))
    expect(reserved).toMatchObject({ code: 'EINVAL' })
    const other = await failureOf(() => links.set('p0', { kind: 'bridge', stp: true }))
    expect(other.message).toContain("the link 'p0' is a veth, not a bridge")
  })
})

describe('a bond', () => {
  test('has all of its options, and its ports have theirs', async ({ skip }) => {
    using set = await lab()
    if (!(await isMadeBy(set, 'ip', 'link add x type bond'))) skip('this kernel has no bond')
    const { links } = set.network
    await links.add({
      ...{ kind: 'bond', name: 'bo0', mode: 'active-backup', monitorInterval: 100, upDelay: 200, downDelay: 300 },
      ...{ primaryReselect: 'failure', failoverMac: 'active', resendIgmp: 3, peerNotifications: 4, minLinks: 1 },
      ...{ allPortsActive: true, learningPacketInterval: 7, peerNotifyDelay: 200 },
    })
    expect((await ipLink(set, 'bo0')).linkinfo?.info_data).toMatchObject({
      ...{ mode: 'active-backup', miimon: 100, updelay: 200, downdelay: 300, primary_reselect: 'failure' },
      ...{ fail_over_mac: 'active', resend_igmp: 3, num_peer_notif: 4, min_links: 1, all_slaves_active: 1 },
      ...{ lp_interval: 7, peer_notify_delay: 200 },
    })
    await links.set('h0', { master: 'bo0', up: true, bondPort: { queueId: 1 } })
    expect((await links.get('h0')).bondPort).toMatchObject({ queueId: 1, state: 'backup' })
    await links.add({ kind: 'bond', name: 'bo1', arpInterval: 500, arpIpTargets: ['10.0.0.1', '10.0.0.2'] })
    const { arp_interval, arp_ip_target } = (await ipLink(set, 'bo1')).linkinfo?.info_data ?? {}
    expect({ arp_interval, arp_ip_target }).toEqual({ arp_interval: 500, arp_ip_target: ['10.0.0.1', '10.0.0.2'] })
    const again = await links.get('bo1')
    await links.delete('bo1')
    await links.add(again as Extract<typeof again, { kind: 'bond' }>)
    expect(await links.get('bo1')).toMatchObject({ arpIpTargets: ['10.0.0.1', '10.0.0.2'] })
  })

  test('has a primary port, and another one in use', async ({ skip }) => {
    using set = await lab()
    if (!(await isMadeBy(set, 'ip', 'link add x type bond'))) skip('this kernel has no bond')
    const { links } = set.network
    await ip(set, 'link add p1 type veth peer name h1')
    await links.set('p0', { master: null })
    const mode = { mode: 'active-backup', monitorInterval: 100, primary: 'h0' } as const
    await links.add({ kind: 'bond', name: 'bo0', up: true, ...mode })
    for (const port of ['h0', 'h1']) {
      await links.set(port.replace('h', 'p'), { up: true })
      await links.set(port, { master: 'bo0', up: true })
    }
    const shown = async () => (await ipLink(set, 'bo0')).linkinfo?.info_data ?? {}
    expect(await shown()).toMatchObject({ primary: 'h0' })
    await links.set('bo0', { kind: 'bond', primary: 'h1' })
    const read = await links.get('bo0')
    expect(read).toMatchObject({ primary: { index: (await links.get('h1')).index } })
    await links.set('bo0', { kind: 'bond', primary: null })
    expect(await shown()).not.toHaveProperty('primary')
    for (const port of ['h0', 'h1']) {
      const choose = async () => {
        await links.set('bo0', { kind: 'bond', activePort: port }).catch(() => undefined)
        return (await shown())['active_slave']
      }
      // The bond checks the carriers of its ports every 100 ms.
      await expect.poll(choose, { timeout: 5_000 }).toBe(port)
    }
    // A failure puts back that there was no primary port.
    const wrong = { kind: 'bond', primary: 'h0', addresses: ['ff02::1/64'] } as const
    expect(await failureOf(() => links.set('bo0', wrong))).toMatchObject({ code: 'EADDRNOTAVAIL' })
    expect(await shown()).not.toHaveProperty('primary')
    expect(await failureOf(() => links.set('bo0', { kind: 'bond', primary: 'none0' }))).toMatchObject({
      code: 'ENODEV',
    })
    await links.delete('bo0')
    await links.add(read as Extract<Link, { kind: 'bond' }>)
    expect(await shown()).toMatchObject({ mode: 'active-backup' })
  })

  const others = ['balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'] as const
  test.for<BondMode>(['balance-rr', 'active-backup', ...others])(
    'of mode %s is made from what was read of another',
    async (mode, { skip }) => {
      using set = await lab()
      if (!(await isMadeBy(set, 'ip', 'link add x type bond'))) skip('this kernel has no bond')
      const { links } = set.network
      const { statistics: _, ...first } = await links.add({ kind: 'bond', name: 'bo0', mode })
      await links.delete('bo0')
      await links.add(first as Extract<Link, { kind: 'bond' }>)
      const { statistics: __, ...second } = await links.get('bo0')
      expect(second).toEqual(first)
    },
  )
})
