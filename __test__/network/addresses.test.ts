/** `set.network.addresses`: `ip` reads what nsset adds, and nsset reads what `ip` adds. */
import { type Address, type AddressSpec, action, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { type IpAddress, ip, ipAddresses } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, untyped, value } from '../setup/sets/failure.ts'

/** A network with a link that is up. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await ip(set, 'link add br0 up type bridge')
  return set
}

/** The addresses of a link, without those that the kernel assigns. */
async function listed(set: NamespaceSet, name: string): Promise<Address[]> {
  const addresses = await set.network.addresses.list(name)
  return addresses.filter(({ address }) => !address.startsWith('fe80:'))
}

/** An address: spec, `ip` command, `ip` JSON, and what nsset reads. */
type Entry = [spec: AddressSpec, command: string, json: Partial<IpAddress> & object, result: Partial<Address>]

const four = { family: 'IPv4', scope: 'global', label: 'br0', permanent: true, tentative: false } as const
const six = { family: 'IPv6', scope: 'global', permanent: true, duplicate: false } as const

const ENTRIES: Entry[] = [
  [
    '10.0.0.1/24',
    '10.0.0.1/24',
    { family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global' },
    { ...four, cidr: '10.0.0.1/24', address: '10.0.0.1' },
  ],
  ['10.0.0.1', '10.0.0.1', { local: '10.0.0.1', prefixlen: 32 }, { ...four, cidr: '10.0.0.1/32' }],
  ['10.0.0.1/31', '10.0.0.1/31', { local: '10.0.0.1', prefixlen: 31 }, { ...four, cidr: '10.0.0.1/31' }],
  ['10.0.0.1/0', '10.0.0.1/0', { local: '10.0.0.1', prefixlen: 0 }, { ...four, cidr: '10.0.0.1/0' }],
  [
    { cidr: '192.0.2.1/28', broadcast: '192.0.2.15' },
    '192.0.2.1/28 broadcast 192.0.2.15',
    { local: '192.0.2.1', prefixlen: 28, broadcast: '192.0.2.15' },
    { ...four, cidr: '192.0.2.1/28', broadcast: '192.0.2.15' },
  ],
  [
    { cidr: '10.2.0.1/32', peer: '10.2.0.2' },
    '10.2.0.1 peer 10.2.0.2/32',
    { local: '10.2.0.1', address: '10.2.0.2', prefixlen: 32 },
    { ...four, cidr: '10.2.0.1/32', address: '10.2.0.1', peer: '10.2.0.2' },
  ],
  [
    { cidr: '10.0.0.1/24', scope: 'link' },
    '10.0.0.1/24 scope link',
    { scope: 'link' },
    { ...four, scope: 'link', cidr: '10.0.0.1/24' },
  ],
  [
    { cidr: '10.0.0.1/24', scope: 'site' },
    '10.0.0.1/24 scope site',
    { scope: 'site' },
    { ...four, scope: 'site', cidr: '10.0.0.1/24' },
  ],
  [
    { cidr: '10.0.0.1/24', scope: 'host' },
    '10.0.0.1/24 scope host',
    { scope: 'host' },
    { ...four, scope: 'host', cidr: '10.0.0.1/24' },
  ],
  [
    { cidr: '10.0.0.1/24', scope: 100 },
    '10.0.0.1/24 scope 100',
    { scope: '100' },
    { ...four, scope: 100, cidr: '10.0.0.1/24' },
  ],
  [
    '127.5.0.1/16',
    '127.5.0.1/16',
    { local: '127.5.0.1', prefixlen: 16, scope: 'host' },
    { ...four, scope: 'host', cidr: '127.5.0.1/16' },
  ],
  [
    'fd00::1/64',
    'fd00::1/64',
    { family: 'inet6', local: 'fd00::1', prefixlen: 64, scope: 'global' },
    { ...six, cidr: 'fd00::1/64', address: 'fd00::1' },
  ],
  ['2001:db8::1', '2001:db8::1', { local: '2001:db8::1', prefixlen: 128 }, { ...six, cidr: '2001:db8::1/128' }],
  ['fd00::1/064', 'fd00::1/64', { local: 'fd00::1', prefixlen: 64 }, { ...six, cidr: 'fd00::1/64' }],
  [
    { cidr: 'fd00::1/64', noDuplicateDetection: true },
    'fd00::1/64 nodad',
    { local: 'fd00::1', nodad: true } as object,
    { ...six, cidr: 'fd00::1/64', tentative: false },
  ],
  [
    { cidr: 'fd00::1/128', peer: 'fd00::2' },
    'fd00::1 peer fd00::2/128',
    { local: 'fd00::1', address: 'fd00::2', prefixlen: 128 },
    { ...six, cidr: 'fd00::1/128', address: 'fd00::1', peer: 'fd00::2' },
  ],
]

/** Without what changes by itself. */
const settled = <A extends object>(addresses: A[]): A[] =>
  addresses.map((address) => ({ ...address, tentative: undefined }))

describe('an address', () => {
  for (const [spec, command, json, result] of ENTRIES) {
    test(`${JSON.stringify(spec).replaceAll('"', '')}: nsset and ip add and read the same`, async () => {
      using set = await lab()
      const { addresses } = set.network
      const { index } = await set.network.links.get('br0')

      await ip(set, `address add ${command} dev br0`)
      const [printed, read] = [await ipAddresses(set, 'br0'), await listed(set, 'br0')]
      expect(read).toMatchObject([{ ...result, link: { index } }])
      await addresses.delete('br0', spec)
      expect(await ipAddresses(set, 'br0')).toEqual([])

      await addresses.add('br0', spec)
      expect(await ipAddresses(set, 'br0')).toMatchObject([json])
      expect(settled(await ipAddresses(set, 'br0'))).toEqual(settled(printed))
      expect(settled(await listed(set, 'br0'))).toEqual(settled(read))
      await ip(set, `address delete ${command.replace(' nodad', '')} dev br0`)
      expect(await listed(set, 'br0')).toEqual([])
    })
  }

  test('has the label that ip set', async () => {
    using set = await lab()
    await ip(set, 'address add 192.0.2.1/28 brd + dev br0 label br0:web')
    expect(await listed(set, 'br0')).toMatchObject([{ label: 'br0:web', broadcast: '192.0.2.15' }])
  })

  test('is not permanent when ip gave it a lifetime', async () => {
    using set = await lab()
    await ip(set, 'address add 10.0.0.1/24 dev br0 valid_lft 100 preferred_lft 100')
    await ip(set, 'address add fd00::1/64 dev br0 valid_lft 100 preferred_lft 100')
    expect(await listed(set, 'br0')).toMatchObject([{ permanent: false }, { permanent: false }])
  })
})

describe('an address that the other end has, too', () => {
  test('is tentative during duplicate address detection, and duplicate afterwards', async () => {
    using set = anyonesSet(['net'])
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using here = await base.unshare('net')
    using there = await base.unshare('net')
    set.close()
    const address = 'fd00::1/64'
    const peer = { name: 'right', set: there, up: true, addresses: [{ cidr: address, noDuplicateDetection: true }] }
    await here.network.links.add({ kind: 'veth', name: 'left', up: true, peer })
    await here.network.addresses.add('left', address)
    expect(await listed(here, 'left')).toMatchObject([{ cidr: address, tentative: true, duplicate: false }])
    const end = Date.now() + 20_000
    for (;;) {
      const [found] = await listed(here, 'left')
      if (found?.duplicate === true || Date.now() > end) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(await listed(here, 'left')).toMatchObject([{ cidr: address, duplicate: true }])
    expect(await ipAddresses(here, 'left')).toMatchObject([{ local: 'fd00::1', dadfailed: true }])
    expect(await listed(there, 'right')).toMatchObject([{ cidr: address, tentative: false, duplicate: false }])
  })
})

describe('list()', () => {
  test('returns those of one link, by any reference, or all, as ip does', async () => {
    using set = await lab()
    const { addresses, links } = set.network
    await ip(set, 'link add br1 up type bridge')
    await links.set('lo', { up: true })
    await links.set('br1', { alias: 'one' })
    for (const count of [1, 2, 3]) await ip(set, `address add 10.0.${count}.1/24 dev br0`)
    await ip(set, 'address add 10.1.0.1/24 dev br1')
    const { index } = await links.get('br1')
    for (const reference of ['br1', { index }, { alias: 'one' }, () => 'br1']) {
      const own = (await addresses.list(reference)).filter(({ family }) => family === 'IPv4')
      expect(own).toMatchObject([{ cidr: '10.1.0.1/24', link: { index } }])
    }
    const all = (await addresses.list()).map(({ link, cidr }) => `${link.index} ${cidr}`).sort()
    const printed = JSON.parse(await ip(set, '-j address show')) as { ifindex: number; addr_info: IpAddress[] }[]
    const printedOfAll = printed.flatMap(({ ifindex, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => `${ifindex} ${local}/${prefixlen}`),
    )
    expect(all).toEqual(printedOfAll.sort())
    expect(all).toContain('1 127.0.0.1/8')
  })

  test('returns all of many', async () => {
    using set = await lab()
    const cidrs = Array.from({ length: 500 }, (_, count) => `10.${count >> 8}.${count & 0xff}.1/32`)
    await set.network.links.set('br0', { addresses: cidrs })
    expect((await listed(set, 'br0')).map(({ cidr }) => cidr)).toEqual(cidrs)
    expect(await ipAddresses(set, 'br0')).toHaveLength(cidrs.length)
  })
})

describe('the kernel rejects', () => {
  const cases: [what: string, call: (set: NamespaceSet) => unknown, code: string, words: string][] = [
    ['an existing address', ({ network }) => network.addresses.add('br0', '10.0.0.1/24'), 'EEXIST', '10.0.0.1/24 of'],
    [
      'the deletion of a missing address',
      ({ network }) => network.addresses.delete('br0', '10.9.9.9/24'),
      'EADDRNOTAVAIL',
      'does not have',
    ],
    [
      'an address of a missing link',
      ({ network }) => network.addresses.add('missing', '10.0.0.1/24'),
      'ENODEV',
      'missing',
    ],
    [
      'an address of a missing index',
      ({ network }) => network.addresses.add({ index: 999 }, '10.0.0.1/24'),
      'ENODEV',
      '999',
    ],
    ['a list of a missing link', ({ network }) => network.addresses.list({ index: 999 }), 'ENODEV', '999'],
    ['a multicast address', ({ network }) => network.addresses.add('br0', 'ff02::1/64'), 'EADDRNOTAVAIL', 'ff02::1/64'],
  ]
  for (const [what, call, code, words] of cases) {
    test(what, async () => {
      using set = await lab()
      await ip(set, 'address add 10.0.0.1/24 dev br0')
      const failure = await failureOf(() => call(set))
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
      expect(failure.message).toContain(words)
      expect(await ipAddresses(set, 'br0')).toHaveLength(1)
    })
  }

  test('mixed address families throw', async () => {
    using set = await lab()
    for (const spec of [
      { cidr: '10.0.0.1/24', peer: 'fd00::1' },
      { cidr: 'fd00::1/64', broadcast: '10.0.0.255' },
    ]) {
      const failure = await failureOf(() => set.network.addresses.add('br0', spec))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
    }
    expect(await ipAddresses(set, 'br0')).toEqual([])
  })
})

describe('ensure() and replace()', () => {
  test('add an address once', async () => {
    using set = await lab()
    const { addresses } = set.network
    for (const cidr of ['10.0.0.1/24', 'fd00::1/64']) {
      await addresses.ensure('br0', cidr)
      await addresses.ensure('br0', cidr)
      await addresses.replace('br0', cidr)
    }
    expect((await listed(set, 'br0')).map(({ cidr }) => cidr)).toEqual(['10.0.0.1/24', 'fd00::1/64'])
  })

  test('set lifetimes and flags, which ensure() keeps where it is not given any', async () => {
    using set = await lab()
    const { addresses } = set.network
    for (const cidr of ['10.0.0.1/24', 'fd00::1/64']) {
      await addresses.replace('br0', { cidr, validLifetime: 3_600_000, preferredLifetime: 1_800_000 })
      await addresses.ensure('br0', cidr)
      const [limited] = (await ipAddresses(set, 'br0')).filter(({ local }) => cidr.startsWith(local))
      expect(limited).toMatchObject({ valid_life_time: expect.any(Number), preferred_life_time: expect.any(Number) })
      expect(limited?.valid_life_time).toBeLessThanOrEqual(3600)
      await addresses.ensure('br0', { cidr, validLifetime: 7_200_000 })
      const [longer] = (await listed(set, 'br0')).filter((address) => address.cidr === cidr)
      expect(longer?.validLifetime).toBeGreaterThan(3_600_000)
      await addresses.replace('br0', cidr)
      const [forever] = (await listed(set, 'br0')).filter((address) => address.cidr === cidr)
      expect(forever).toMatchObject({ permanent: true })
    }
  })

  test('report what the kernel cannot change', async () => {
    using set = await lab()
    const { addresses } = set.network
    await addresses.add('br0', 'fd00::1/64')
    const failure = await failureOf(() => addresses.ensure('br0', 'fd00::1/48'))
    expect(failure).toMatchObject({ code: 'EEXIST', action: 'addresses.ensure' })
    expect(failure.message).toContain('the link has it as fd00::1/64')
  })
})

describe('settle', () => {
  const POLL = { timeout: 10_000, interval: 50 }

  /** Two hosts on one cable. */
  async function hosts(): Promise<NamespaceSet> {
    const set = anyonesSet(['net'])
    await ip(set, 'link add left type veth peer name right')
    for (const name of ['left', 'right']) await ip(set, `link set ${name} up`)
    return set
  }

  test('waits until duplicate address detection has ended', async () => {
    using set = await hosts()
    const { addresses } = set.network
    await addresses.add('left', 'fd00::1/64')
    expect((await listed(set, 'left'))[0]).toMatchObject({ tentative: true })
    await addresses.ensure('left', { cidr: 'fd00::1/64', settle: true })
    expect((await listed(set, 'left'))[0]).toMatchObject({ tentative: false, duplicate: false })
    await addresses.add('left', { cidr: '10.0.0.1/24', settle: true })
    set.network.sync.addresses.add('left', { cidr: 'fd00::2/64', settle: true })
    const printed = await ipAddresses(set, 'left')
    expect(printed.map(({ local, tentative = false }) => [local, tentative])).toEqual([
      ['10.0.0.1', false],
      ['fd00::2', false],
      ['fd00::1', false],
    ])
  })

  test('rejects if another host has the address, and deletes it', async () => {
    using set = await hosts()
    const { addresses } = set.network
    await addresses.add('right', { cidr: 'fd00::1/64', settle: true })
    const failure = await failureOf(() => addresses.add('left', { cidr: 'fd00::1/64', settle: true }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EADDRINUSE', target: 'fd00::1/64 of left' })
    expect(failure.message).toContain('another host on the link has the address')
    expect(await ipAddresses(set, 'left')).toEqual([])
  })

  test('ends when the signal is aborted, and deletes the address', async () => {
    using set = anyonesSet(['net'])
    // Without a carrier the detection does not begin.
    await ip(set, 'link add left up type veth peer name right')
    const controller = new AbortController()
    const add = action.addresses.add('left', { cidr: 'fd00::1/64', settle: true })
    const waiting = set.network.apply([add], { signal: controller.signal })
    await expect.poll(() => ipAddresses(set, 'left'), POLL).toHaveLength(1)
    controller.abort()
    await waiting.catch(() => undefined)
    await expect.poll(() => ipAddresses(set, 'left'), POLL).toEqual([])
  })
})

describe('invalid arguments throw', () => {
  const add = (address: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.addresses.add('lo', untyped<AddressSpec>(address))
  }
  const wrong = ['', '10.0.0.1/33', '10.0.0.1/-1', '10.0.0.1/', '10.0.0/24', '10.0.0.1/24/24', 'fd00::1/129']
  const cases = [...wrong, 'fe80::1%lo/64', ' 10.0.0.1/24', '010.0.0.1/24', '10.0.0.1/1e1', 'localhost/8']
  refuses(cases.map((cidr): Case => [`'${cidr}'`, add(cidr), value('address')]))
  refuses([
    ['a broadcast address of IPv6', add({ cidr: 'fd00::1/64', broadcast: 'fd00::ff' }), value('address.broadcast')],
    ['an unknown scope', add({ cidr: '10.0.0.1/24', scope: 'universe' }), value('address.scope')],
  ])
})
