/** `links.ensure` makes everything in its argument true, or fails; a failed `links.set` leaves the link unchanged. */
import { type AddressSpec, type LinkChanges, type LinkSpec, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipAddresses, ipLink, isMadeBy, namesOf, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'

/** Three networks between which links can be created. */
async function networks(): Promise<Disposable & { host: NamespaceSet; left: NamespaceSet; right: NamespaceSet }> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  const [host, left, right] = [await base.unshare('net'), await base.unshare('net'), await base.unshare('net')]
  const close = () => {
    for (const set of [host, left, right]) set.close()
  }
  return { host, left, right, [Symbol.dispose]: close }
}

describe('ensure() of a veth', () => {
  test('creates and updates the peer', async () => {
    using lab = await networks()
    const { host, left } = lab
    await host.network.links.add({ kind: 'veth', name: 'v', up: true, peer: { set: left, name: 'eth0' } })
    await left.network.links.add({ kind: 'bridge', name: 'br0' })
    const peer = { name: 'eth0', up: true, mtu: 1400, mac: '02:00:00:00:00:09', alias: 'far', master: 'br0' }
    for (let times = 0; times < 2; times += 1) {
      const addresses = ['10.0.0.2/24']
      await host.network.links.ensure({ kind: 'veth', name: 'v', up: true, peer: { set: left, addresses, ...peer } })
      const eth0 = await ipLink(left, 'eth0')
      expect(eth0).toMatchObject({ mtu: 1400, address: '02:00:00:00:00:09', ifalias: 'far', master: 'br0' })
      expect(eth0.flags).toContain('UP')
      expect(await ipAddresses(left, 'eth0')).toMatchObject([{ local: '10.0.0.2', prefixlen: 24 }])
    }
  })

  const others: [what: string, peer: (lab: Awaited<ReturnType<typeof networks>>) => object, why: string][] = [
    ['in another network', ({ right }) => ({ set: right, name: 'eth0' }), 'its other end is in another network'],
    ['in this network', () => ({ name: 'eth0' }), 'its other end is in another network'],
    ['of another name', ({ left }) => ({ set: left, name: 'eth1' }), "its other end is called 'eth0', not 'eth1'"],
  ]
  for (const [what, peerOf, why] of others) {
    test(`rejects a peer ${what}, and nothing changes`, async () => {
      using lab = await networks()
      const { host, left, right } = lab
      const { links } = host.network
      await links.add({ kind: 'veth', name: 'v', peer: { set: left, name: 'eth0' } })
      const before = [await ipLink(host, 'v'), await ipLink(left, 'eth0')]
      const failure = await failureOf(() => links.ensure({ kind: 'veth', name: 'v', up: true, peer: peerOf(lab) }))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', target: 'v' })
      expect(failure.message).toContain(why)
      expect([await ipLink(host, 'v'), await ipLink(left, 'eth0')]).toEqual(before)
      expect(await namesOf(right)).toEqual([])
    })
  }

  test('leaves the veth unchanged when the peer cannot be created', async () => {
    using lab = await networks()
    const { host, left } = lab
    await host.network.links.add({ kind: 'veth', name: 'v', peer: { set: left, name: 'eth0' } })
    // A link that was up has another queueing discipline than one that never was.
    for (const state of ['up', 'down']) await ip(host, `link set v ${state}`)
    const before = [await ipLink(host, 'v'), await ipLink(left, 'eth0')]
    const peer = { set: left, name: 'eth0', mtu: 1400, addresses: ['10.0.0.2/24', 'ff02::1/64'] }
    const spec: LinkSpec = { kind: 'veth', name: 'v', up: true, addresses: ['10.0.0.1/24'], alias: 'near', peer }
    const failure = await failureOf(() => host.network.links.ensure(spec))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EADDRNOTAVAIL' })
    expect([await ipLink(host, 'v'), await ipLink(left, 'eth0')]).toEqual(before)
    expect(await ipAddresses(host, 'v')).toEqual([])
  })

  test('accepts the result of get()', async () => {
    using lab = await networks()
    const { host, left } = lab
    const { links } = host.network
    await links.add({ kind: 'veth', name: 'v', peer: { set: left, name: 'eth0' } })
    await links.add({ kind: 'veth', name: 'w', peer: { name: 'x' } })
    for (const name of ['v', 'w']) {
      const link = await links.get(name)
      expect(await links.ensure(link as LinkSpec & { kind: 'veth' })).toMatchObject({ index: link.index })
    }
    // A number does not say where to create a peer.
    const { peer } = await links.get('v')
    const failure = await failureOf(() => links.add({ kind: 'veth', name: 'new', peer }))
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain("give its 'set'")
  })
})

test('a link on a device of the same index in another network is not a link on this device', async ({ skip }) => {
  using lab = await networks()
  const { host, left } = lab
  if (!(await isMadeBy(host, 'ip', 'link add probe type veth'))) skip('this kernel has no veth')
  await ip(host, 'link add br0 index 77 type bridge')
  await ip(left, 'link add br0 index 77 type bridge')
  await ip(host, 'link add link br0 name mv0 type macvlan mode bridge')
  await host.network.links.move('mv0', left)
  const spec: LinkSpec = { kind: 'macvlan', name: 'mv0', dev: 'br0', mode: 'bridge' }
  const failure = await failureOf(() => left.network.links.ensure(spec))
  expect(failure).toMatchObject({ code: 'EEXIST' })
  expect(failure.message).toContain('it was created on another device')
})

test('an alternative name belongs to another link', async () => {
  using set = anyonesSet(['net'])
  await ip(set, 'link add br0 type bridge')
  await ip(set, 'link property add dev br0 altname wan')
  const ensure = await failureOf(() => set.network.links.ensure({ kind: 'bridge', name: 'wan' }))
  expect(ensure).toMatchObject({ code: 'EEXIST' })
  expect(ensure.message).toContain("another name of the link 'br0'")
  await ip(set, 'link add br1 type bridge')
  const rename = await failureOf(() => set.network.links.set('br1', { name: 'wan' }))
  expect(rename).toMatchObject({ code: 'EEXIST' })
  expect(rename.message).toContain('alternative name')
  // It may be the link's own.
  const promote = await failureOf(() => set.network.links.set('br0', { name: 'wan' }))
  expect(promote).toMatchObject({ code: 'EEXIST' })
  expect(promote.message).toContain('perhaps this one, has it as an alternative name: delete that name first')
  const add = await failureOf(() => set.network.links.add({ kind: 'bridge', name: 'wan' }))
  expect(add.message).toContain('a link with that name or alternative name exists')
})

/** A link that is up, with addresses of both families and routes through it. */
async function busy(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = [
    'link add br0 type bridge',
    'link add v0 type veth peer name v1',
    'link set v1 up',
    'link set v0 up',
    'address add 10.0.0.1/24 dev v0',
    'address add fd00::1/64 dev v0 nodad',
    'address add fd00::7/128 dev v0 nodad valid_lft 5000 preferred_lft 4000',
    'route add 10.9.0.0/16 via 10.0.0.2 mtu lock 1300',
    'route add fd09::/48 via fd00::2 metric 7',
    'route add fd0a::/48 nexthop via fd00::2 dev v0 nexthop via fd00::3 dev v0',
    'route add unreachable 10.8.0.0/16',
  ]
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  await expect.poll(() => stateOf(set), { timeout: 5000 }).toContainEqual(expect.stringContaining('local fd00::7'))
  return set
}

async function stateOf(set: NamespaceSet): Promise<string[]> {
  const words = ['link show v0', 'address show v0', '-4 route show table all', '-6 route show table all']
  const texts = await Promise.all(words.map((each) => ip(set, each)))
  return texts
    .flatMap((text) =>
      text
        .replaceAll('\n\t', ' ')
        .replaceAll(/\d+sec/g, 'sec')
        .split('\n'),
    )
    .filter((line) => !/fe80|ff00|link\/ether/.test(line))
    .sort()
}

describe('a change that fails', () => {
  const changes: LinkChanges[] = [
    { up: false, mtu: 70_000 },
    { up: false, master: 'lo' },
    { up: false, mac: '01:00:00:00:00:01' },
    { up: false, name: 'br0' },
    { up: false, addresses: ['10.0.0.9/24', 'ff02::1/64'] },
    { mtu: 1000, addresses: ['ff02::1/64'] },
    { mtu: 1000, master: 'lo', alias: 'x' },
    { name: 'new', mac: '02:00:00:00:00:05', alias: 'new', promiscuous: true, addresses: ['ff02::1/64'] },
    { addresses: ['10.0.0.8/24', 'fd00::8/64', 'fd00::1/128'] },
  ]
  for (const change of changes) {
    test(`${JSON.stringify(change)} removes no address and no route`, async () => {
      using set = await busy()
      const before = await stateOf(set)
      expect(before.join('\n')).toMatch(/fd09::\/48/)
      await expect(set.network.links.set('v0', change)).rejects.toMatchObject({ name: 'ActionError' })
      // The kernel runs duplicate address detection for restored addresses, for an unknown time.
      await expect.poll(() => stateOf(set), { timeout: 5000 }).toEqual(before)
    })
  }

  test('leaves the previous master', async () => {
    using set = await busy()
    await ip(set, 'link set v0 master br0')
    await expect(set.network.links.set('v0', { master: 'lo' })).rejects.toMatchObject({ name: 'ActionError' })
    expect(await ipLink(set, 'v0')).toMatchObject({ master: 'br0' })
  })
})

describe('an existing address', () => {
  const cases: [there: string, wanted: AddressSpec, code?: string][] = [
    ['fd00::1/128', 'fd00::1/64', 'EEXIST'],
    ['fd00::1/64', 'fd00::1/64'],
    ['fd00::1 peer fd00::2/128', 'fd00::1/128', 'EEXIST'],
    ['10.0.0.1/24', '10.0.0.1/24'],
    ['10.0.0.1/24', { cidr: '10.0.0.1/24', broadcast: '10.0.0.255' }, 'EEXIST'],
    ['10.0.0.1/24 scope link', { cidr: '10.0.0.1/24', scope: 'global' }, 'EEXIST'],
    ['10.0.0.1/24', { cidr: '10.0.0.1/24', validLifetime: 3_600_000 }],
    ['fd00::1/64', { cidr: 'fd00::1/64', validLifetime: 3_600_000, preferredLifetime: 0 }],
  ]
  for (const [there, wanted, code] of cases) {
    test(`${there} ${code === undefined ? 'matches' : 'differs from'} ${JSON.stringify(wanted)}`, async () => {
      using set = anyonesSet(['net'])
      const { links, addresses } = set.network
      await ip(set, 'link add v0 type veth peer name v1')
      await ip(set, `address add ${there} dev v0${there.includes(':') ? ' nodad' : ''}`)
      const before = await ipAddresses(set, 'v0')
      for (const call of [
        () => links.set('v0', { addresses: [wanted] }),
        () => links.ensure({ kind: 'veth', name: 'v0', addresses: [wanted] }),
      ]) {
        const failure = code === undefined ? await call().then(() => undefined) : await failureOf(call)
        expect(failure?.code).toBe(code)
        if (code !== undefined) expect(failure?.message).toContain('delete that address first')
      }
      if (code !== undefined) expect(await ipAddresses(set, 'v0')).toEqual(before)
      else if (typeof wanted !== 'string') {
        const [first] = await addresses.list('v0')
        expect(first?.permanent).toBe(false)
        expect(first?.validLifetime).toBeGreaterThan(3_500_000)
      }
    })
  }

  test('with another IPv4 prefix is another address', async () => {
    using set = anyonesSet(['net'])
    await ip(set, 'link add br0 type bridge')
    await ip(set, 'address add 10.0.0.1/24 dev br0')
    await set.network.links.ensure({ kind: 'bridge', name: 'br0', addresses: ['10.0.0.1/16'] })
    expect(await ipAddresses(set, 'br0')).toMatchObject([{ prefixlen: 24 }, { prefixlen: 16 }])
  })
})

describe('a port of a bond', () => {
  test('is brought up after it is enslaved', async ({ skip }) => {
    using set = anyonesSet(['net'])
    const { links } = set.network
    if (!(await isMadeBy(set, 'ip', 'link add bond0 type bond'))) skip('this kernel has no bond')
    await links.add({ kind: 'veth', name: 'v0', up: true, master: 'bond0', peer: { name: 'v1' } })
    expect(await links.get('v0')).toMatchObject({ up: true, master: { index: (await links.get('bond0')).index } })
    await links.set('v1', { up: true, master: 'bond0' })
    expect(await links.get('v1')).toMatchObject({ up: true, master: { index: expect.any(Number) } })
    await links.set('v1', { master: null })
    await links.set('v1', { up: true })
    const failure = await failureOf(() => links.set('v1', { master: 'bond0' }))
    expect(failure.code).toBe('EPERM')
    expect(failure.message).toContain('bring it down first')
    expect(failure.message).not.toContain('CAP_NET_ADMIN')
  })
})
