/** `set.network.links`: `ip` reads what nsset creates, and nsset reads what `ip` creates, for each kind and field. */
import { accessSync, constants } from 'node:fs'
import { type ActionContext, type Link, type LinkSpec, type LinkState, NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { type IpLink, ip, ipAddresses, ipLink, ipLinks, isMadeBy, namesOf, outputOf } from '../setup/oracles/iproute.ts'
import { EACH_KIND_OF_LINK, KINDS_OF_LINK, type KindOfLink, titleOf } from '../setup/oracles/kinds-of-link.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** A network with links that others can be created on or enslaved to. */
async function lab(...more: string[]): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = ['link add left type veth peer name right', 'link add br0 type bridge', ...more]
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

/** The same with links that are up: some kinds created on a link that is down stay down. */
const upLab = () => lab('link set left up', 'link set right up')

const named = (name: string, { spec }: KindOfLink, state: LinkState = {}): LinkSpec => ({ ...spec, ...state, name })

const isMadeByIp = (set: NamespaceSet, name: string, { command }: KindOfLink) =>
  isMadeBy(set, 'ip', command.replace('NAME', name))

const known = new Map<KindOfLink, boolean>()

/** Whether the kernel has a kind; `ip` tests it once. */
async function isKnown(set: NamespaceSet, entry: KindOfLink): Promise<boolean> {
  const isMade = known.get(entry) ?? (await isMadeByIp(set, 'probe', entry))
  if (isMade && !known.has(entry)) await ip(set, 'link delete probe')
  known.set(entry, isMade)
  return isMade
}

async function ipLinksCalled(set: NamespaceSet, ...names: string[]): Promise<(IpLink | undefined)[]> {
  const links = await ipLinks(set)
  return names.map((name) => links.find(({ ifname }) => ifname === name))
}

function isTunOpen(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Expects that the kernel rejects for nsset what it rejects for `ip`, and that the error names the remedy. */
async function expectLacking(set: NamespaceSet, entry: KindOfLink): Promise<void> {
  const failure = await failureOf(() => set.network.links.add(named('ours', entry)))
  if (entry.spec.kind === 'tun' && !isTunOpen()) {
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EACCES', path: '/dev/net/tun', target: 'ours' })
    expect(failure.message).toContain('has to be able to read and write it')
    return
  }
  expect(failure).toMatchObject({ name: 'ActionError', code: 'EOPNOTSUPP', syscall: 'RTM_NEWLINK', target: 'ours' })
  if (entry.lacks.includes('module')) expect(failure.message).toContain('("Unknown device type")')
  expect(failure.message).toContain(entry.lacks)
  expect(await namesOf(set)).not.toContain('ours')
}

/** The link without what is unique to each link; the carrier of a tun goes when its descriptor is closed. */
function kindly({ index, name, mac, peer, statistics, carrier, ...link }: Link): object {
  return link
}

/** The same for the JSON of `ip`; timers change meanwhile. */
function comparable(printed: IpLink | undefined): object {
  if (printed === undefined) throw new Error('ip does not show the link')
  const { ifindex, ifname, address, permaddr, linkinfo, ...link } = printed
  const data = Object.entries(linkinfo?.info_data ?? {}).filter(([name]) => !/_id$|_timer$|^ad_/.test(name))
  return { ...link, kind: linkinfo?.info_kind, data: Object.fromEntries(data) }
}

describe('the fields of a kind', () => {
  for (const entry of KINDS_OF_LINK) {
    test(`${titleOf(entry)}: nsset and ip create and read the same, or the error names what the kernel lacks`, async () => {
      using set = await lab()
      const { links } = set.network
      if (!(await isMadeByIp(set, 'theirs', entry))) return await expectLacking(set, entry)

      const { peer, dev, ...data } = { peer: undefined, dev: undefined, ...entry.spec }
      const read = await links.get('theirs')
      expect(read).toMatchObject(data)
      const [printed, left] = await ipLinksCalled(set, 'theirs', 'left')
      if (dev !== undefined) expect(read.dev).toEqual({ index: left?.ifindex })
      // ensure() accepts it as if nsset had created it.
      expect(await links.ensure(named('theirs', entry))).toMatchObject({ ...kindly(read), index: read.index })
      await links.delete('theirs')

      const made = await links.add(named('ours', entry))
      expect(kindly(made)).toEqual(kindly(read))
      const [printedOurs, deleted] = await ipLinksCalled(set, 'ours', 'theirs')
      expect(deleted).toBeUndefined()
      expect(comparable(printedOurs)).toEqual(comparable(printed))
      expect(printedOurs).toMatchObject({ ifindex: made.index, mtu: made.mtu })
      expect(printedOurs?.linkinfo?.info_data ?? {}).toMatchObject(entry.json ?? {})
    })
  }
})

describe('ARP and multicast', () => {
  test('are turned off and on, also for a new link and its peer, and back if another change fails', async () => {
    using set = await lab()
    const { links } = set.network
    const flagsOf = async (name: string) => {
      const { flags } = await ipLink(set, name)
      return ['NOARP', 'MULTICAST', 'ALLMULTI'].map((flag) => flags.includes(flag))
    }
    expect(await links.get('left')).toMatchObject({ arp: true, multicast: true, allMulticast: false })
    await links.set('left', { arp: false, multicast: false, allMulticast: true })
    expect(await flagsOf('left')).toEqual([true, false, true])
    expect(await links.get('left')).toMatchObject({ arp: false, multicast: false, allMulticast: true })
    const wrong = { arp: true, multicast: true, allMulticast: false, addresses: ['ff02::1/64'] }
    expect((await failureOf(() => links.set('left', wrong))).code).toBe('EADDRNOTAVAIL')
    expect(await flagsOf('left')).toEqual([true, false, true])
    await ip(set, 'link set left arp on multicast on allmulticast off')
    expect(await links.get('left')).toMatchObject({ arp: true, multicast: true, allMulticast: false })

    const peer = { name: 'b', multicast: false, allMulticast: true }
    await links.add({ kind: 'veth', name: 'a', arp: false, peer })
    expect([await flagsOf('a'), await flagsOf('b')]).toEqual([
      [true, true, false],
      [false, false, true],
    ])
    const listed = await links.get('a')
    await links.delete('a')
    await links.add(listed as LinkSpec)
    expect(await flagsOf('a')).toEqual([true, true, false])
    await links.ensure({ kind: 'veth', name: 'a', arp: true })
    expect(await flagsOf('a')).toEqual([false, true, false])
  })
})

describe('the fields of every kind', () => {
  const STATE = {
    alias: 'theone',
    mac: '02:00:00:00:00:0a',
    mtu: 1400,
    up: true,
    promiscuous: true,
    master: 'br0',
    altNames: ['the-one-with-an-alternative-name', 'short'],
    linkGroup: 7,
    txQueueLength: 77,
    gsoMaxSize: 32_768,
    gsoMaxSegments: 33,
    groMaxSize: 44_444,
    addresses: ['192.0.2.77/24', 'fd00::77/64'],
  } as const satisfies LinkState

  /** The fields of a link that this kind supports. */
  const stateOf = ({ refused = {}, without = [] }: KindOfLink): LinkState =>
    Object.fromEntries(
      Object.entries(STATE).filter(([field]) => !(field in refused || without.includes(field as keyof LinkState))),
    )

  /** The same without fields that are only possible at creation. */
  const changesOf = (entry: KindOfLink): LinkState =>
    Object.fromEntries(
      Object.entries(stateOf(entry)).filter(([field]) => !entry.fixed?.includes(field as keyof LinkState)),
    )

  /** What `ip` prints for a link, with nsset's field names. */
  async function stateInIp(set: NamespaceSet, name: string): Promise<Record<keyof typeof STATE, unknown>> {
    const { ifalias, address, mtu, flags, master, ...more } = await ipLink(set, name)
    const { altnames, group, txqlen, gso_max_size, gso_max_segs, gro_max_size } = more
    const addresses = (await ipAddresses(set, name)).map(({ local, prefixlen }) => `${local}/${prefixlen}`)
    const [up, promiscuous] = ['UP', 'PROMISC'].map((flag) => flags.includes(flag))
    return {
      ...{ alias: ifalias, mac: address, mtu, up, promiscuous, master, addresses },
      ...{ altNames: altnames, linkGroup: Number(group), txQueueLength: txqlen },
      ...{ gsoMaxSize: gso_max_size, gsoMaxSegments: gso_max_segs, groMaxSize: gro_max_size },
    }
  }

  for (const entry of EACH_KIND_OF_LINK) {
    const { kind } = entry.spec

    test(`a ${kind} is created with them, or the error names what the kernel lacks`, async () => {
      using set = await upLab()
      if (!(await isKnown(set, entry))) return await expectLacking(set, entry)
      const made = await set.network.links.add(named('ours', entry, stateOf(entry)))
      expect(await stateInIp(set, 'ours')).toMatchObject(stateOf(entry))
      const { master, addresses, ...plain } = stateOf(entry)
      expect(made).toMatchObject(plain)
      const br0 = (await ipLink(set, 'br0')).ifindex
      expect(made.master).toEqual(master === undefined ? undefined : { index: br0 })
      const cidrs = (await set.network.addresses.list('ours')).map(({ cidr }) => cidr)
      expect(cidrs).toEqual(expect.arrayContaining([...(addresses ?? [])]))
    })

    test(`a ${kind} gets and loses them later, or the error names what the kernel lacks`, async () => {
      using set = await upLab()
      if (!(await isMadeByIp(set, 'first', entry))) return await expectLacking(set, entry)
      const { links } = set.network
      await links.set('first', { ...changesOf(entry), name: 'second' })
      expect(await stateInIp(set, 'second')).toMatchObject(changesOf(entry))
      await links.set('second', { alias: '', up: false, promiscuous: false, master: null, mtu: 1300 })
      const now = { alias: undefined, up: false, promiscuous: false, master: undefined, mtu: 1300 }
      expect(await stateInIp(set, 'second')).toMatchObject(now)
      expect(await links.get('second')).toMatchObject({ up: false, promiscuous: false, mtu: 1300 })
    })

    test(`what ip changes in a ${kind} is read, or the error names what the kernel lacks`, async () => {
      using set = await upLab()
      if (!(await isMadeByIp(set, 'theirs', entry))) return await expectLacking(set, entry)
      const { alias, mac, mtu, master } = changesOf(entry)
      const words = ['link set theirs alias', alias, 'mtu', mtu, 'promisc on']
      if (mac !== undefined) words.push('address', mac)
      if (master !== undefined) words.push('master br0')
      await ip(set, words.join(' '))
      await ip(set, 'link set theirs up')
      const { index, ...link } = await set.network.links.get('theirs')
      const printed = await ipLink(set, 'theirs')
      expect(index).toBe(printed.ifindex)
      expect(link).toMatchObject({ alias, mtu, promiscuous: true, up: true, ...(mac === undefined ? {} : { mac }) })
      expect(link.master?.index).toBe(master === undefined ? undefined : (await ipLink(set, 'br0')).ifindex)
    })

    for (const [field, code] of Object.entries(entry.refused ?? {})) {
      test(`a ${kind} with a ${field} is rejected and not created, or the error names what the kernel lacks`, async () => {
        using set = await upLab()
        if (!(await isKnown(set, entry))) return await expectLacking(set, entry)
        const state = { [field]: STATE[field as keyof typeof STATE] }
        const failure = await failureOf(() => set.network.links.add(named('ours', entry, state)))
        expect(failure).toMatchObject({ name: 'ActionError', code })
        expect(await namesOf(set)).toEqual(['right', 'left', 'br0'])
      })
    }
  }
})

describe('running', () => {
  /** Expects the same of nsset and `ip`, once the kernel has detected the carrier: within a second or two. */
  async function untilAgreed(set: NamespaceSet, name: string, runs: boolean): Promise<void> {
    for (const end = Date.now() + 10_000; ; ) {
      const { running } = await set.network.links.get(name)
      const { flags } = await ipLink(set, name)
      const printed = flags.includes('UP') && !flags.includes('NO-CARRIER')
      if ((running === runs && printed === runs) || Date.now() > end) {
        expect({ running, printed }, name).toEqual({ running: runs, printed: runs })
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  test('is the carrier that ip shows', async () => {
    using set = await lab()
    await untilAgreed(set, 'left', false)
    await ip(set, 'link set left up')
    await untilAgreed(set, 'left', false)
    await ip(set, 'link set right up')
    for (const name of ['left', 'right']) await untilAgreed(set, name, true)
    await set.network.links.set('right', { up: false })
    for (const name of ['left', 'right']) await untilAgreed(set, name, false)
  })
})

describe('list()', () => {
  test('equals that of ip, in its order, with the links of every new network', async () => {
    using set = await lab()
    const listed = await set.network.links.list()
    const printed = JSON.parse(await ip(set, '-j -d link show')) as IpLink[]
    expect(listed.map(({ index, name, mtu }) => ({ index, name, mtu }))).toEqual(
      printed.map(({ ifindex, ifname, mtu }) => ({ index: ifindex, name: ifname, mtu })),
    )
    expect(listed[0]).toMatchObject({ kind: 'loopback', name: 'lo', index: 1, mtu: 65_536, up: false, running: false })
  })

  test('has the same statistics as ip', async () => {
    using set = await lab()
    for (const name of ['lo', 'left', 'right']) await set.network.links.set(name, { up: true })
    await set.execFile('ping', ['-c', '3', '-i', '0.2', '127.0.0.1'], { timeout: 10_000 })
    const [{ stats64 }] = JSON.parse(await ip(set, '-j -s -s link show dev lo'))
    const { statistics } = await set.network.links.get('lo')
    expect(stats64.rx.packets).toBeGreaterThanOrEqual(6)
    const { rx, tx } = stats64
    expect(statistics).toEqual({
      receivedPackets: rx.packets,
      sentPackets: tx.packets,
      receivedBytes: rx.bytes,
      sentBytes: tx.bytes,
      receiveErrors: rx.errors,
      sendErrors: tx.errors,
      receiveDropped: rx.dropped,
      sendDropped: tx.dropped,
      multicast: rx.multicast,
      collisions: tx.collisions,
      receiveLengthErrors: rx.length_errors,
      receiveOverErrors: 0,
      receiveCrcErrors: rx.crc_errors,
      receiveFrameErrors: rx.frame_errors,
      receiveFifoErrors: rx.fifo_errors,
      receiveMissed: rx.missed_errors,
      sendAborted: tx.aborted_errors,
      sendCarrierErrors: tx.carrier_errors,
      sendFifoErrors: tx.fifo_errors,
      sendHeartbeatErrors: tx.heartbeat_errors,
      sendWindowErrors: tx.window_errors,
      receiveCompressed: 0,
      sendCompressed: 0,
      receiveUnhandled: rx.nohandler ?? 0,
      receiveOtherHost: 0,
    })
  })
})

describe('ensure()', () => {
  test('creates a link once, and changes it to match its argument', async () => {
    using set = await lab()
    const { links } = set.network
    const { index } = await links.ensure({ kind: 'bridge', name: 'br1', priority: 4096 })
    for (let times = 0; times < 2; times += 1) {
      const again = await links.ensure({ kind: 'bridge', name: 'br1', up: true, mtu: 1400, addresses: ['10.0.0.1/24'] })
      expect(again).toMatchObject({ index, up: true, mtu: 1400, priority: 4096 })
    }
    expect(await ipLink(set, 'br1')).toMatchObject({ ifindex: index, mtu: 1400 })
    expect(await ipAddresses(set, 'br1')).toMatchObject([{ local: '10.0.0.1', prefixlen: 24 }])
  })

  test('rejects a link of another kind, with other settings, on another device, and leaves it unchanged', async () => {
    using set = await lab()
    const { links } = set.network
    await ip(set, 'link add vx0 type vxlan id 7 dstport 4789 dev left')
    await ip(set, 'link add link left name mv0 type macvlan mode bridge')
    const before = await Promise.all(['vx0', 'mv0'].map((name) => ipLink(set, name)))
    const different: [spec: LinkSpec, why: string][] = [
      [{ kind: 'bridge', name: 'vx0' }, 'it is a vxlan, not a bridge'],
      [{ kind: 'vxlan', name: 'vx0', id: 8, port: 4789 }, 'it is a vxlan, but with other settings'],
      [{ kind: 'vxlan', name: 'vx0', id: 7, port: 4789, dev: 'right' }, 'it was created on another device'],
      [{ kind: 'macvlan', name: 'mv0', dev: 'left', mode: 'private' }, 'it is a macvlan, but with other settings'],
      [{ kind: 'macvlan', name: 'mv0', dev: 'right', mode: 'bridge' }, 'it was created on another device'],
    ]
    for (const [spec, why] of different) {
      const failure = await failureOf(() => links.ensure({ ...spec, up: true }))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', action: 'links.ensure', target: spec.name })
      expect(failure.message).toContain(why)
    }
    expect(await Promise.all(['vx0', 'mv0'].map((name) => ipLink(set, name)))).toEqual(before)
  })

  test('rejects a tap that is a tun', async ({ skip }) => {
    if (!isTunOpen()) skip('needs a /dev/net/tun that the caller may open')
    using set = await lab()
    await ip(set, 'tuntap add t0 mode tun')
    const failure = await failureOf(() => set.network.links.ensure({ kind: 'tun', name: 't0', mode: 'tap' }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST' })
    expect((await ipLink(set, 't0')).linkinfo?.info_data).toMatchObject({ type: 'tun' })
  })
})

describe('a change that fails', () => {
  test('leaves the link unchanged', async () => {
    using set = await lab()
    const before = await ipLink(set, 'left')
    const changes = { mtu: 1234, mac: '02:00:00:00:00:05', alias: 'new', up: true, name: 'br0' }
    const failure = await failureOf(() => set.network.links.set('left', changes))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EEXIST', target: 'left' })
    expect(await ipLink(set, 'left')).toEqual(before)
  })

  test('adds none of the addresses', async () => {
    using set = await lab()
    // A link cannot have a multicast address: ipv6_add_addr() of net/ipv6/addrconf.c.
    const addresses = ['10.0.0.1/24', 'ff02::1/64']
    for (const up of [true, false]) {
      const failure = await failureOf(() => set.network.links.set('left', { up, addresses }))
      expect(failure.message).toContain('ff02::1/64')
      expect(await ipAddresses(set, 'left')).toEqual([])
      expect((await ipLink(set, 'left')).flags).not.toContain('UP')
    }
  })

  test('creates no link', async () => {
    using set = await lab()
    const { links } = set.network
    const wrong: [LinkSpec, string][] = [
      [{ kind: 'bridge', name: 'new', addresses: ['10.0.0.1/24', 'ff02::1/64'] }, 'EADDRNOTAVAIL'],
      [{ kind: 'veth', name: 'new', peer: { name: 'peer', addresses: ['ff02::1/64'] } }, 'EADDRNOTAVAIL'],
      [{ kind: 'veth', name: 'new', peer: { name: 'left' } }, 'EEXIST'],
      [{ kind: 'bridge', name: 'new', master: 'missing' }, 'ENODEV'],
      [{ kind: 'macvlan', name: 'new', dev: 'missing' }, 'ENODEV'],
      [{ kind: 'bridge', name: 'new', mtu: 20 }, 'EINVAL'],
      [{ kind: 'bridge', name: 'new', mac: '01:00:00:00:00:01' }, 'EADDRNOTAVAIL'],
      [{ kind: 'bridge', name: 'left' }, 'EEXIST'],
    ]
    for (const [spec, code] of wrong) {
      const failure = await failureOf(() => links.add(spec))
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
      expect(await namesOf(set)).toEqual(['right', 'left', 'br0'])
    }
  })
})

describe('a reference', () => {
  test('is a name, an index, an alias, a link, or a function of the context', async () => {
    using set = await lab()
    const { links } = set.network
    await ip(set, 'link set left alias wan')
    const { ifindex } = await ipLink(set, 'left')
    const references = [
      'left',
      { name: 'left' },
      { index: ifindex },
      { alias: 'wan' },
      await links.get('left'),
      () => 'left',
      async ({ network }: ActionContext) => (await network.links.list()).find(({ alias }) => alias === 'wan') ?? '',
    ]
    for (const [count, reference] of references.entries()) {
      expect(await links.get(reference)).toMatchObject({ index: ifindex, name: 'left' })
      await links.set(reference, { mtu: 1300 + count })
      expect(await ipLink(set, 'left')).toMatchObject({ mtu: 1300 + count })
    }
    for (const [count, reference] of references.entries()) {
      await links.set('right', { master: null })
      await links.set('right', { master: reference === 'left' ? 'br0' : { name: 'br0' } })
      await links.add({ kind: 'macvlan', name: `mv${count}`, dev: reference, mode: 'bridge' })
      expect(await ipLink(set, `mv${count}`)).toMatchObject({ link: 'left' })
    }
  })

  test('without a match is ENODEV, and with several matches ambiguous', async () => {
    using set = await lab()
    const { links } = set.network
    for (const name of ['left', 'right']) await ip(set, `link set ${name} alias same`)
    for (const reference of ['missing', { index: 999 }, { alias: 'nothing' }, () => 'missing']) {
      const calls = [
        () => links.get(reference),
        () => links.set(reference, { up: true }),
        () => links.set(reference, { up: true, mtu: 1400 }),
        () => links.delete(reference),
        () => set.network.addresses.list(reference),
      ]
      for (const call of calls) expect(await failureOf(call)).toMatchObject({ name: 'ActionError', code: 'ENODEV' })
    }
    for (const call of [() => links.get({ alias: 'same' }), () => links.delete({ alias: 'same' }, { force: true })]) {
      const failure = await failureOf(call)
      expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_NSSET_AMBIGUOUS', target: 'alias same' })
      expect(failure.message).toMatch(/several links have the alias 'same': (left, right|right, left)/)
    }
    expect(await namesOf(set)).toEqual(['right', 'left', 'br0'])
  })

  test('by index finds the link under another name', async () => {
    using set = await lab()
    const link = await set.network.links.get('left')
    await ip(set, 'link set left name wan')
    await set.network.links.set(link, { mtu: 1280 })
    expect(await ipLink(set, 'wan')).toMatchObject({ ifindex: link.index, mtu: 1280 })
  })
})

describe('names and aliases', () => {
  test('have as many bytes as the kernel allows', async () => {
    using set = await lab()
    const [name, alias] = ['fünfzehn-bytes', 'ä'.repeat(127)]
    await set.network.links.set('left', { name, alias })
    expect(await ipLink(set, name)).toMatchObject({ ifname: name, ifalias: alias })
    expect(await set.network.links.get({ alias })).toMatchObject({ name, alias })
  })

  test('are bytes: a space only in Unicode is not a space to the kernel', async () => {
    using set = await lab()
    for (const name of ['a\u2003b', '\u0085', 'é']) {
      await set.network.links.set('left', { name })
      expect(await set.network.links.get(name)).toMatchObject({ name })
      await set.network.links.set(name, { name: 'left' })
    }
  })

  test('that ip sets are read', async () => {
    using set = await lab()
    await ip(set, 'link set left name ünï-1.2@3')
    const alias = `a long "text" with 'quotes', \\ and ÿ`
    await set.execFile('ip', ['link', 'set', 'ünï-1.2@3', 'alias', alias], { timeout: 10_000 })
    expect(await set.network.links.get('ünï-1.2@3')).toMatchObject({ name: 'ünï-1.2@3', alias })
  })
})

describe('delete()', () => {
  test('deletes a veth with its peer, and with force succeeds when it is missing', async () => {
    using set = await lab()
    const { links } = set.network
    await links.delete('left')
    expect(await namesOf(set)).toEqual(['br0'])
    expect(await failureOf(() => links.delete('left'))).toMatchObject({ code: 'ENODEV', target: 'left' })
    for (const reference of ['left', { index: 999 }, { alias: 'nothing' }]) {
      expect(await links.delete(reference, { force: true })).toBeUndefined()
    }
  })

  test('rejects a link that is not a software device', async () => {
    using set = await lab()
    const failure = await failureOf(() => set.network.links.delete('lo', { force: true }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EOPNOTSUPP', syscall: 'RTM_DELLINK' })
  })

  test('of a link that another program deleted fails in the next action', async () => {
    using set = await lab()
    const { links } = set.network
    const bridge = await links.get('br0')
    await ip(set, 'link delete br0')
    expect(await failureOf(() => links.set(bridge, { up: true }))).toMatchObject({ code: 'ENODEV' })
  })
})

describe('move()', () => {
  test('moves a link into another set, down and without addresses', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using here = await base.unshare('net')
    using there = await base.unshare('net')
    const { links } = here.network
    await links.add({ kind: 'veth', name: 'left', peer: { name: 'right', up: true, addresses: ['10.0.0.2/24'] } })
    await links.set('right', { alias: 'thefar' })
    expect(await links.move({ alias: 'thefar' }, there)).toBeUndefined()
    expect([await namesOf(here), await namesOf(there)]).toEqual([['left'], ['right']])
    expect((await ipLink(there, 'right')).flags).not.toContain('UP')
    expect(await ipAddresses(there, 'right')).toEqual([])
    expect(await there.network.links.get('right')).toMatchObject({ kind: 'veth', up: false, alias: 'thefar' })
    // And back, with the target from a function.
    await there.network.links.move('right', () => here)
    expect(await namesOf(there)).toEqual([])
    expect((await namesOf(here)).sort()).toEqual(['left', 'right'])
  })

  test('rejects a link that cannot leave, and a name that is taken', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using here = await base.unshare('net')
    using there = await base.unshare('net')
    await ip(here, 'link add left type veth peer name right')
    await ip(here, 'link add br0 type bridge')
    await ip(there, 'link add left type bridge')
    for (const [name, code] of [
      ['lo', 'EINVAL'],
      ['br0', 'EINVAL'],
      ['left', 'EEXIST'],
      ['missing', 'ENODEV'],
    ] as const) {
      const failure = await failureOf(() => here.network.links.move(name, there))
      expect(failure).toMatchObject({ name: 'ActionError', code, target: name })
    }
    expect(await namesOf(here)).toEqual(['right', 'left', 'br0'])
  })

  asRoot('moves to a set by its name, its path and a process', 'names are mounts, which require root', async () => {
    using set = await lab()
    const name = `nsset-links-${process.pid}`
    using there = await netns.create(name)
    try {
      const child = there.spawn('sleep', ['60'], { stdio: 'ignore' })
      try {
        for (const place of [{ name }, { path: `${netns.directory}/${name}` }, { pid: child.pid as number }]) {
          await set.network.links.move('right', place)
          expect(await namesOf(there)).toEqual(['right'])
          await there.network.links.move('right', set)
        }
      } finally {
        child.kill('SIGKILL')
      }
    } finally {
      await netns.remove(name)
    }
  })

  asRoot('moves to where ip finds the link, and from where ip put it', 'ip netns requires root', async () => {
    using set = await lab()
    const name = `nsset-moved-${process.pid}`
    using there = await netns.create(name)
    try {
      await ip(set, `link set right netns ${name}`)
      expect(await there.network.links.get('right')).toMatchObject({ kind: 'veth', name: 'right' })
      const [{ link_netnsid }] = JSON.parse(await ip(set, '-j -d link show dev left'))
      expect((await set.network.links.get('left')).peer).toMatchObject({ netnsId: link_netnsid })
    } finally {
      await netns.remove(name)
    }
  })
})
