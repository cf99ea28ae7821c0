/**
 * `delete` and `add` accept every item of a list, which identifies that very item: random routes, addresses, links and
 * queueing disciplines created by ip(8) and tc(8) are deleted and added again, and ip and tc show the same as before.
 * The text forms are compared: the JSON of iproute2 loses locks of metrics, and options of some queueing disciplines.
 */
import fc from 'fast-check'
import type { NamespaceSet, Qdisc, Route } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, isMadeBy, isVm, outputOf, resultOf, tc } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

// The same seed in every run, so that only a change can cause a failure; another seed tests other values.
fc.configureGlobal({ seed: Number(process.env['NSSET_TEST_SEED'] ?? 1) })

const numRuns = isVm ? 10 : 60

/** Two links that are up, each with a network of both families. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = ['link add a0 type veth peer name b0', 'link set lo up']
  for (const [number, name] of ['a0', 'b0'].entries()) {
    lines.push(`link set ${name} up`, `address add 10.0.${number}.1/24 dev ${name}`)
    lines.push(`address add fd00:${number}::1/64 dev ${name} nodad`)
  }
  await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
  return set
}

/** One route per line, sorted. The remaining lifetime changes meanwhile. */
async function routesOfIp(set: NamespaceSet): Promise<string[]> {
  const texts = await Promise.all(['-4', '-6'].map((family) => ip(set, `-d ${family} route show table all`)))
  const lines = texts
    .join('')
    .replaceAll('\n\t', ' ')
    .replaceAll(/expires \d+sec/g, 'expires')
    .trim()
    .split('\n')
  // Link-local addresses and their routes appear after duplicate address detection.
  return lines
    .filter((line) => !/fe80|ff00|proto kernel/.test(line))
    .map((line) => line.replaceAll(/ +/g, ' ').trim())
    .sort()
}

const isOurs = ({ protocol }: Route) => protocol !== 2

const maybe = (option: string, values: readonly (string | number)[]) =>
  fc.option(fc.constantFrom(...values)).map((value) => (value === null ? '' : `${option} ${value}`))

/** Mostly valid arguments for ip(8), which rejects the others. */
const routeWords = fc
  .record({
    six: fc.boolean(),
    type: fc.constantFrom('', '', '', 'blackhole', 'unreachable', 'prohibit', 'throw', 'local', 'multicast', 'anycast'),
    destination: fc.nat(7),
    way: fc.constantFrom('dev', 'via', 'via dev', 'onlink', 'nexthop', 'none'),
    options: fc.tuple(
      maybe('metric', [1, 77, 4_000_000_000]),
      maybe('table', [100, 70_000]),
      maybe('proto', ['static', 'dhcp', 'ra', 'bird', 'redirect', 200]),
      maybe('mtu', ['1300', 'lock 1280']),
      maybe('advmss', [1000, 'lock 900']),
      maybe('hoplimit', [7]),
      maybe('initcwnd', [20]),
      maybe('rto_min', ['300ms']),
      maybe('rtt', ['40ms']),
      maybe('quickack', [1]),
      maybe('congctl', ['reno', 'lock cubic']),
    ),
    four: fc.tuple(
      maybe('scope', ['global', 'link', 150]),
      maybe('src', ['10.0.0.1']),
      maybe('tos', ['0x10']),
      maybe('realm', ['5/7']),
    ),
    sixth: fc.tuple(maybe('pref', ['low', 'high']), maybe('expires', [1000]), maybe('src', ['fd00:0::1'])),
  })
  .map(({ six, type, destination, way, options, four, sixth }) => {
    const to = (
      six
        ? ['default', '2001:db8::/32', '2001:db8::1', '2001:db8:1::/48', 'fd77::/64']
        : ['default', '192.0.2.0/24', '192.0.2.1', '203.0.113.0/24', '10.5.0.0/16']
    )[destination % 5]
    const gateway = (count: number, net = 0) => (six ? `fd00:${net}::${count}` : `10.0.${net}.${count}`)
    const ways: Record<string, string> = {
      dev: 'dev a0',
      via: `via ${gateway(9)}`,
      'via dev': `via ${gateway(9)} dev a0`,
      onlink: `via ${six ? '2001:db8:9::1' : '172.16.9.1'} dev a0 onlink`,
      nexthop: `nexthop via ${gateway(9)} dev a0 weight 3 nexthop via ${gateway(9, 1)} dev b0 nexthop via ${gateway(8)} onlink dev a0`,
      none: '',
    }
    // The attributes that all next hops share come first.
    const words = [...options, ...(six ? sixth : four)].filter((word) => word !== '')
    return `${six ? '-6' : '-4'} route add ${type} ${to} ${words.join(' ')} ${ways[way]}`.replaceAll(/ +/g, ' ').trim()
  })

describe('routes', () => {
  test('created by ip are deleted and added again unchanged', async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(fc.array(routeWords, { minLength: 1, maxLength: 8 }), async (commands) => {
        using set = await lab()
        const { routes } = set.network
        for (const command of commands) if ((await resultOf(set, 'ip', command)).exitCode === 0) made++
        const before = await routesOfIp(set)
        const listed = (await routes.list()).filter(isOurs)
        expect(listed).toHaveLength(before.filter((line) => line !== '').length)
        for (const route of [...listed].reverse()) await routes.delete(route)
        expect((await routesOfIp(set)).filter((line) => line !== '')).toEqual([])
        for (const route of listed) await routes.add(route)
        expect(await routesOfIp(set)).toEqual(before)
        for (const route of listed) await routes.replace(route)
        expect(await routesOfIp(set)).toEqual(before)
      }),
      { numRuns },
    )
    expect(made).toBeGreaterThan(numRuns)
  })

  test('of any protocol are deleted, with as many fields as are given', async () => {
    using set = await lab()
    const { routes } = set.network
    const lines = ['kernel', 'boot', 'static', 'dhcp', 'ra', 'bird'].map(
      (name, number) => `10.${5 + number}.0.0/16 via 10.0.0.9 proto ${name}`,
    )
    for (const line of lines) await ip(set, `route add ${line}`)
    await ip(set, '-6 route add fd77::/64 via fd00:0::9 proto ra')
    for (const [number] of lines.entries()) await routes.delete({ destination: `10.${5 + number}.0.0/16`, dev: 'a0' })
    await routes.delete({ destination: 'fd77::/64', dev: 'a0' })
    await routes.delete({ destination: '10.0.0.0/24' })
    const left = (await routes.list({ table: 254 })).map(({ destination }) => destination)
    expect(left.filter((destination) => /^(10\.[05]|fd77)/.test(destination))).toEqual(['10.0.1.0/24'])
  })

  test('that differ from the argument stay, even where the kernel does not compare the field', async () => {
    using set = await lab()
    const { routes } = set.network
    for (const [family, destination] of [
      ['-4', '192.0.2.0/24'],
      ['-6', '2001:db8::/32'],
    ] as const) {
      await ip(set, `${family} route add unreachable ${destination} metric 9 proto static`)
      for (const other of [
        { type: 'unicast' },
        { metric: 8 },
        { protocol: 3 },
        { table: 100 },
        { source: family === '-4' ? '10.0.0.1' : 'fd00:0::1' },
      ] as const) {
        expect(await failureOf(() => routes.delete({ destination, ...other }))).toMatchObject({ code: 'ESRCH' })
      }
      await routes.delete({ destination, type: 'unreachable', protocol: 4 })
    }
    expect((await routes.list()).filter(isOurs)).toEqual([])
  })

  test('with several next hops list them, and are added with them', async () => {
    using set = await lab()
    const { routes } = set.network
    const { index } = await set.network.links.get('a0')
    const ways = [
      { via: '10.0.0.9', dev: 'a0', weight: 3 },
      { via: '10.0.1.9', dev: 'b0' },
    ]
    await routes.add({ destination: 'default', nextHops: ways })
    expect(await ip(set, 'route show default')).toMatch(
      /nexthop via 10\.0\.0\.9 dev a0 weight 3 *\n\s*nexthop via 10\.0\.1\.9 dev b0 weight 1/,
    )
    await ip(set, '-6 route add default nexthop via fd00:0::9 dev a0 nexthop via fd00:1::9 dev b0 weight 200')
    const [four, six] = (await routes.list({ table: 254 })).filter(({ destination }) => destination === 'default')
    expect(four).toMatchObject({
      family: 'IPv4',
      nextHops: [{ via: '10.0.0.9', dev: { index }, weight: 3 }, { weight: 1 }],
    })
    expect(six).toMatchObject({
      family: 'IPv6',
      nextHops: [
        { via: 'fd00::9', weight: 1 },
        { via: 'fd00:1::9', weight: 200 },
      ],
    })
    const both = { destination: 'default', via: '10.0.0.9', nextHops: ways }
    expect(await failureOf(() => routes.add(both))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  test('with a group of next hops are deleted and added again, too', async ({ skip }) => {
    using set = await lab()
    const { routes } = set.network
    const { exitCode, stderr } = await resultOf(set, 'ip', 'nexthop add id 11 via 10.0.0.9 dev a0')
    if (exitCode !== 0) skip(`this kernel has no next hop objects: ${stderr}`)
    await ip(set, 'nexthop add id 12 via 10.0.1.9 dev b0')
    await ip(set, 'nexthop add id 20 group 11,3/12')
    await ip(set, 'route add 192.0.2.0/24 nhid 20')
    await ip(set, 'route add 192.0.3.0/24 nhid 11')
    const before = await routesOfIp(set)
    const listed = (await routes.list()).filter(isOurs)
    expect(listed).toMatchObject([
      {
        nextHopId: 20,
        nextHops: [
          { via: '10.0.0.9', weight: 3 },
          { via: '10.0.1.9', weight: 1 },
        ],
      },
      { nextHopId: 11, via: '10.0.0.9' },
    ])
    for (const route of listed) await routes.delete(route)
    expect((await routes.list()).filter(isOurs)).toEqual([])
    for (const route of listed) await routes.add(route)
    expect(await routesOfIp(set)).toEqual(before)
  })

  test('through a lightweight tunnel keep it', async ({ skip }) => {
    using set = await lab()
    const { routes } = set.network
    const { exitCode, stderr } = await resultOf(
      set,
      'ip',
      'route add 192.0.2.0/24 encap ip id 7 dst 10.0.0.9 via 10.0.0.9 dev a0',
    )
    if (exitCode !== 0) skip(`this kernel has no lightweight IP tunnels: ${stderr}`)
    const before = await routesOfIp(set)
    const [route] = (await routes.list()).filter(isOurs)
    expect(route).toMatchObject({ encap: { type: 'ip', data: expect.stringMatching(/^[0-9a-f]+$/) } })
    await routes.delete(route as Route)
    await routes.add(route as Route)
    expect(await routesOfIp(set)).toEqual(before)
  })
})

const addressWords = fc
  .record({
    four: fc.boolean(),
    host: fc.integer({ min: 1, max: 6 }),
    prefix: fc.constantFrom(24, 32, 16),
    peer: fc.boolean(),
    options: fc.tuple(
      maybe('metric', [5]),
      maybe('valid_lft', ['forever', '3600 preferred_lft 1800', '3600 preferred_lft 0']),
    ),
    rest: fc.tuple(maybe('broadcast', ['10.3.0.255']), maybe('scope', ['link', 'host', 150]), maybe('label', ['a0:x'])),
    flags: fc.subarray(['nodad', 'home', 'noprefixroute', 'optimistic']),
  })
  .map(({ four, host, prefix, peer, options, rest, flags }) => {
    const own = four ? `10.3.0.${host}` : `fd03::${host}`
    const length = four ? prefix : prefix * 4
    const of = peer
      ? `${own} peer ${four ? '10.4.0' : 'fd04:'}${four ? '.' : ':'}${host}/${length}`
      : `${own}/${length}`
    const words = [...options, ...(four ? [...rest, flags.includes('noprefixroute') ? 'noprefixroute' : ''] : flags)]
    return `address add ${of} dev a0 ${words.filter((word) => word !== '').join(' ')}`.trim()
  })

/** The addresses of a link without link-local ones, with lifetimes in units of a hundred seconds. */
async function addressesOfIp(set: NamespaceSet): Promise<string[]> {
  const text = await ip(set, '-d address show dev a0')
  const entries = text
    .split(/\n(?= {4}inet)/)
    .slice(1)
    .map((entry) => entry.replaceAll(/\s+/g, ' ').trim())
  return entries
    .filter((entry) => !entry.includes('fe80'))
    .map((entry) =>
      entry.replaceAll(/(\d+)\d\dsec/g, '$1').replaceAll(/ (tentative|dadfailed|secondary|temporary)/g, ''),
    )
    .map((entry) => entry.replace(/(valid_lft|preferred_lft) (35|17)\b/g, '$1 about'))
    .sort()
}

describe('addresses', () => {
  test('created by ip are deleted and added again unchanged', async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(fc.array(addressWords, { minLength: 1, maxLength: 5 }), async (commands) => {
        using set = await lab()
        const { addresses } = set.network
        for (const command of commands) if ((await resultOf(set, 'ip', command)).exitCode === 0) made++
        const before = await addressesOfIp(set)
        const listed = (await addresses.list('a0')).filter(({ cidr }) => !cidr.startsWith('fe80'))
        expect(listed).toHaveLength(before.length)
        // Deleting a primary address deletes the secondary ones of its network.
        for (const address of [...listed].reverse()) await addresses.delete('a0', address)
        expect(await addressesOfIp(set)).toEqual([])
        for (const address of listed) await addresses.add('a0', address)
        expect(await addressesOfIp(set)).toEqual(before)
      }),
      { numRuns },
    )
    expect(made).toBeGreaterThan(numRuns)
  })

  test('have the family and the address of their cidr', async () => {
    using set = await lab()
    for (const wrong of [{ family: 'IPv6' }, { address: '10.3.0.2' }] as const) {
      const failure = await failureOf(() => set.network.addresses.add('a0', { cidr: '10.3.0.1/24', ...wrong }))
      expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    }
  })
})

const QDISCS = [
  'root tbf rate 5mbit burst 32kb latency 50ms',
  'root handle 1: htb default 10',
  'root handle 5: fq_codel limit 100 target 7ms interval 90ms quantum 1000 noecn',
  'root handle 8: netem delay 10ms 2ms loss 1% limit 77',
  'root handle 8: pfifo limit 33',
  'root handle 9: bfifo limit 3333',
  'root handle 9: prio bands 4',
  'root sfq perturb 10 limit 100',
  'root handle 3: sfq limit 300 redflowlimit 100000 min 8000 max 60000 probability 0.2 ecn',
  'root handle 4: fq limit 500 flow_limit 20 quantum 2000 maxrate 5mbit buckets 512 horizon 2s',
  'root handle 4: cake bandwidth 9mbit besteffort flows wash overhead 8 memlimit 1mb',
  'root handle 4: cake raw rtt 20ms ack-filter-aggressive',
  'root handle 8: netem delay 10ms 2ms 30% loss gemodel 1% 20% 80% 2% duplicate 1% 5% rate 1mbit 4 48 5',
  'root handle 8: netem loss state 3% 80% reorder 5% 10% gap 3 delay 1ms slot 5ms 9ms packets 4',
  'clsact',
  'ingress',
]

/** Without statistics. */
const qdiscsOfTc = async (set: NamespaceSet) =>
  (await tc(set, '-d qdisc show dev a0'))
    .replaceAll(/direct_packets_stat \d+/g, '')
    .split('\n')
    .filter((line) => !/^qdisc (noqueue|mq) /.test(line))

describe('queueing disciplines', () => {
  for (const words of QDISCS) {
    test(`${words} is deleted and added again unchanged`, async ({ skip }) => {
      using set = await lab()
      const { qdiscs } = set.network
      if (!(await isMadeBy(set, 'tc', `qdisc add dev a0 ${words}`))) skip('this kernel does not have this kind')
      const before = await qdiscsOfTc(set)
      const listed = await qdiscs.list('a0')
      const [qdisc] = listed.filter(({ handle }) => handle !== '0:')
      await qdiscs.delete('a0', qdisc)
      expect((await qdiscsOfTc(set)).filter((line) => line !== '')).toEqual([])
      await qdiscs.add('a0', qdisc as Qdisc)
      expect(await qdiscsOfTc(set)).toEqual(before)
    })
  }

  test('that differ from the argument stay', async () => {
    using set = await lab()
    const { qdiscs } = set.network
    await qdiscs.add('a0', { kind: 'tbf', rate: 1_000_000, handle: '7:' })
    for (const other of [{ handle: '8:' }, { kind: 'htb' }] as const) {
      expect(await failureOf(() => qdiscs.delete('a0', other))).toMatchObject({ name: 'ActionError' })
    }
    await qdiscs.delete('a0', { handle: '7:', kind: 'tbf' })
  })
})

const LINKS = [
  'br1 type bridge stp_state 0 forward_delay 400 priority 4096',
  'du1 type dummy',
  'mv1 link a0 type macvlan mode bridge',
  'iv1 link a0 type ipvlan mode l2',
  'vl1 link a0 type vlan id 7',
  'vx1 type vxlan id 7 dstport 4789 dev a0 remote 10.0.0.9',
  'vr1 type vrf table 100',
  'bo1 type bond mode active-backup miimon 100',
  'if1 type ifb',
  'gr1 type gretap remote 10.0.0.9 local 10.0.0.1 key 7',
  'g61 type ip6gretap remote fd00::9 local fd00::1 key 7 hoplimit 9 encaplimit none fwmark 3',
  'ms1 link a0 type macsec port 9 encrypt on replay on window 5 cipher gcm-aes-256',
  'ms1 link a0 type macsec sci 0200000000990005 validate disabled',
  'ms1 link a0 type macsec port 9 send_sci off end_station on',
  'ms1 link a0 type macsec port 9 send_sci off scb on icvlen 12',
  'gr2 type gre remote 10.0.0.9 local 10.0.0.1 encap gue encap-dport 5555 encap-csum encap-remcsum',
  'gr3 type gretap external',
  'ii1 type ipip remote 10.0.0.9 local 10.0.0.1 encap fou encap-dport 5555 encap-sport 4444',
  'si1 type sit remote 10.0.0.9 local 10.0.0.1 encap gue encap-dport 5555',
  'it1 type ip6tnl remote fd00::9 local fd00::1 encap fou encap-dport 5555',
  'it2 type ip6tnl external',
  'vx2 type vxlan dstport 4789 external',
  'ge1 type geneve external',
]

/** Without counters and random values. */
const linkOfIp = async (set: NamespaceSet, name: string) => {
  const [link] = JSON.parse(await ip(set, `-j -d link show dev ${name}`))
  const { bridge_id, root_id, gc_timer, hello_timer, tcn_timer, topology_change_timer, ad_actor_sys_prio, ...data } =
    link.linkinfo?.info_data ?? {}
  // An ip6tnl has a random one.
  const random = { permaddr: undefined }
  return { ...link, ...random, linkinfo: { ...link.linkinfo, info_data: data }, operstate: undefined, flags: undefined }
}

describe('links', () => {
  for (const words of LINKS) {
    test(`${words} is deleted and added again unchanged`, async ({ skip }) => {
      using set = await lab()
      const { links } = set.network
      const name = words.slice(0, 3)
      // A tunnel of IP packets has no hardware address.
      const address = /type (gre|ipip|sit|ip6tnl) /.test(words) ? '' : 'address 02:00:00:00:00:07 '
      const command = `link add ${address}mtu 1400 ${words}`
      if (!(await isMadeBy(set, 'ip', command))) skip('this kernel does not have this kind')
      await ip(set, `link set ${name} alias seven`)
      const before = await linkOfIp(set, name)
      const link = await links.get(name)
      await links.delete(link)
      const again = await links.add(link as Parameters<typeof links.add>[0])
      expect(again.index).toBe(link.index)
      expect(await linkOfIp(set, name)).toEqual(before)
      expect(await links.ensure(link as Parameters<typeof links.add>[0])).toMatchObject({ index: link.index })
    })
  }

  test('of tun devices are deleted and added again, too', async ({ skip }) => {
    using set = await lab()
    const { links } = set.network
    const { exitCode, stderr } = await resultOf(set, 'ip', 'tuntap add name ta1 mode tap user 7')
    if (exitCode !== 0) skip(`/dev/net/tun cannot be used here: ${stderr}`)
    const link = await links.get('ta1')
    const before = await linkOfIp(set, 'ta1')
    await links.delete(link)
    await links.add(link as Parameters<typeof links.add>[0])
    expect(await linkOfIp(set, 'ta1')).toEqual(before)
  })

  test('on a device in another network are added on that device again', async ({ skip }) => {
    using set = await lab()
    using other = set.unshareSync('net')
    if (!(await isMadeBy(set, 'ip', 'link add link a0 name mv1 type macvlan mode bridge')))
      skip('this kernel has no macvlan')
    await set.network.links.move('mv1', other)
    const link = await other.network.links.get('mv1')
    const { index } = await set.network.links.get('a0')
    expect(link.dev).toEqual({ index, netnsId: expect.any(Number) })
    await other.network.links.delete('mv1')
    await other.network.links.add(link as Parameters<typeof other.network.links.add>[0])
    expect((await other.network.links.get('mv1')).dev).toEqual(link.dev)
    // Its index belongs to another link here.
    const failure = await failureOf(() => other.network.links.get(link.dev as { index: number }))
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })
})
