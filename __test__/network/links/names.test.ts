/** Alternative names of links: `ip` shows those that nsset gives, and a link is found by them wherever its name is. */
import { action, type NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipLink } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

const LONG = 'a-name-that-is-longer-than-fifteen-bytes'
const LONGEST = 'x'.repeat(127)

async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await ip(set, 'link add left type veth peer name right')
  return set
}

describe('alternative names', () => {
  test('are those that ip adds, and exactly those that are set', async () => {
    using set = await lab()
    const { links } = set.network
    expect((await links.get('left')).altNames).toBeUndefined()
    await ip(set, `link property add dev left altname ${LONG} altname short`)
    expect((await links.get('left')).altNames).toEqual([LONG, 'short'])
    await links.set('left', { altNames: ['short', LONGEST] })
    expect((await ipLink(set, 'left')).altnames).toEqual(['short', LONGEST])
    await links.set('left', { altNames: [] })
    expect((await ipLink(set, 'left')).altnames).toBeUndefined()
  })

  test('come with a new link and its peer, and are what ensure() makes them', async () => {
    using set = anyonesSet(['net'])
    const { links } = set.network
    const spec = { kind: 'veth', name: 'one', altNames: [LONG], peer: { name: 'two', altNames: ['second'] } } as const
    expect((await links.add(spec)).altNames).toEqual([LONG])
    expect((await ipLink(set, 'two')).altnames).toEqual(['second'])
    await links.ensure({ ...spec, altNames: ['other'] })
    expect((await ipLink(set, 'one')).altnames).toEqual(['other'])
  })

  test('refer to the link in every method, action and option', async () => {
    using set = await lab()
    using other = set.unshareSync('net')
    const { links, addresses, routes, qdiscs, sysctls } = set.network
    await links.set('left', { altNames: [LONG], up: true })
    await links.set('right', { up: true })
    const { index } = await links.get(LONG)
    expect(await links.get('left')).toMatchObject({ index })
    await links.set(LONG, { mtu: 1400 })
    await addresses.add(LONG, '10.0.0.1/24')
    expect((await addresses.list(LONG)).map(({ cidr }) => cidr)).toContain('10.0.0.1/24')
    await routes.add({ destination: '192.0.2.0/24', dev: LONG })
    await qdiscs.add(LONG, { kind: 'htb' })
    await links.add({ kind: 'macvlan', name: 'mv0', dev: LONG })
    expect(await ipLink(set, 'mv0')).toMatchObject({ link: 'left' })
    await set.network.apply([
      action.links.set(LONG, { alias: 'seen' }),
      action.links.set({ name: LONG }, { mtu: 1401 }),
    ])
    expect(await ipLink(set, 'left')).toMatchObject({ ifalias: 'seen', mtu: 1401 })

    // In sysctls, whose directories have only names.
    await sysctls.set(`net.ipv4.conf.${LONG}.proxy_arp`, true)
    expect(await sysctls.get(`net/ipv4/conf/${LONG}/proxy_arp`)).toBe('1')
    expect(await sysctls.get('net.ipv4.conf.left.proxy_arp')).toBe('1')
    expect(await sysctls.get('net.ipv4.conf.right.proxy_arp')).toBe('0')
    expect(await failureOf(() => sysctls.get('net.ipv4.conf.none.forwarding'))).toMatchObject({ code: 'ENOENT' })

    await links.delete('mv0')
    await links.move(LONG, other)
    await other.network.links.delete(LONG)
    expect(await failureOf(() => links.get('right'))).toMatchObject({ code: 'ENODEV' })
  })

  test('that another link has are refused, and nothing changes', async () => {
    using set = await lab()
    const { links } = set.network
    await links.set('right', { altNames: [LONG], alias: 'before' })
    const before = await ipLink(set, 'left')
    const failure = await failureOf(() => links.set('left', { alias: 'after', altNames: ['free', LONG] }))
    expect(failure).toMatchObject({ code: 'EEXIST', syscall: 'RTM_NEWLINKPROP', target: 'left' })
    expect(failure.message).toContain('a link has that name or alternative name')
    expect(await ipLink(set, 'left')).toEqual(before)
    const taken = await failureOf(() => links.add({ kind: 'bridge', name: 'br0', altNames: ['left'] }))
    expect(taken).toMatchObject({ code: 'EEXIST' })
    expect(await failureOf(() => links.get('br0'))).toMatchObject({ code: 'ENODEV' })
  })
})
