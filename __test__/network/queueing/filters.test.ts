/** `set.network.filters`: `tc filter` reads what nsset adds, and nsset reads and deletes what `tc filter` adds. */
import type { NamespaceSet, TrafficFilter, TrafficFilterSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { isVm, outputOf, resultOf, tc } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, untyped, value } from '../../setup/sets/failure.ts'

/** A link with an htb that has a class, and a clsact; and an ifb. */
async function lab(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  await outputOf(set, 'ip', 'link add a0 up type veth peer name b0')
  await outputOf(set, 'ip', 'link set lo up')
  await tc(set, 'qdisc add dev a0 root handle 1: htb')
  await tc(set, 'class add dev a0 parent 1: classid 1:10 htb rate 1mbit')
  await tc(set, 'qdisc add dev a0 clsact')
  return set
}

/** All filters of the link as text, without counters, and without the numbers that the kernel gives to actions. */
async function filtersOfTc(set: NamespaceSet): Promise<string> {
  const texts = ['parent 1:', 'ingress', 'egress'].map((where) => tc(set, `filter show dev a0 ${where}`))
  return (
    (await Promise.all(texts))
      .join('')
      .replaceAll(/index \d+/g, 'index')
      // The number of a policer, which is another one each time.
      .replaceAll(/police 0x\w+/g, 'police')
      .replaceAll(/[ \t]+/g, ' ')
  )
}

/** What tc says of a kind of filter or action that the kernel lacks. */
const LACKING =
  /TC classifier not found|Failed to load TC action module|No such file or directory|Specified .* not found/

/** A filter: spec, the arguments of `tc filter add`, and what nsset reads. */
type Entry = [spec: TrafficFilterSpec, words: string, result: Partial<TrafficFilter>]

const ENTRIES: Entry[] = [
  [
    {
      kind: 'u32',
      parent: '1:',
      priority: 5,
      protocol: 'ip',
      class: '1:10',
      matches: [
        { value: 0x0a000000, mask: 0xff000000, offset: 16 },
        { value: 80, mask: 0xffff, offset: 20 },
      ],
    },
    'parent 1: prio 5 protocol ip u32 match u32 0x0a000000 0xff000000 at 16 match u32 80 0xffff at 20 flowid 1:10',
    { kind: 'u32', parent: '1:', priority: 5, protocol: 'ip', class: '1:10' },
  ],
  [
    {
      kind: 'u32',
      parent: 'ingress',
      priority: 7,
      matches: [{ value: 0, mask: 0, offset: 0 }],
      actions: [{ kind: 'mirred', mode: 'redirect', dev: 'lo' }],
    },
    'ingress prio 7 protocol all u32 match u32 0 0 at 0 action mirred egress redirect dev lo',
    { parent: 'ingress', protocol: 'all', priority: 7 },
  ],
  [
    {
      kind: 'u32',
      parent: 'egress',
      priority: 7,
      protocol: 'ipv6',
      matches: [{ value: 0, mask: 0, offset: 0 }],
      actions: [
        { kind: 'mirred', mode: 'mirror', dev: 'lo' },
        { kind: 'mirred', mode: 'redirect', dev: 'lo', direction: 'ingress' },
      ],
    },
    'egress prio 7 protocol ipv6 u32 match u32 0 0 at 0 action mirred egress mirror dev lo action mirred ingress redirect dev lo',
    { parent: 'egress', protocol: 'ipv6' },
  ],
  [
    { kind: 'matchall', parent: 'ingress', priority: 1, actions: [{ kind: 'gact', verdict: 'drop' }] },
    'ingress prio 1 protocol all matchall action gact drop',
    { kind: 'matchall', actions: [expect.objectContaining({ kind: 'gact', verdict: 'drop' })] as never },
  ],
  [
    {
      kind: 'flower',
      parent: '1:',
      priority: 2,
      protocol: 'ip',
      ipProto: 'tcp',
      source: '10.0.0.0/8',
      destination: '192.0.2.1',
      dport: 443,
      class: '1:10',
    },
    'parent 1: prio 2 protocol ip flower ip_proto tcp src_ip 10.0.0.0/8 dst_ip 192.0.2.1 dst_port 443 classid 1:10',
    { kind: 'flower', ipProto: 6, source: '10.0.0.0/8', destination: '192.0.2.1/32', dport: 443, class: '1:10' },
  ],
  [
    {
      kind: 'flower',
      parent: '1:',
      priority: 2,
      protocol: 'ipv6',
      destination: 'fd00::/16',
      ipProto: 'udp',
      sport: 53,
    },
    'parent 1: prio 2 protocol ipv6 flower ip_proto udp dst_ip fd00::/16 src_port 53',
    { kind: 'flower', ipProto: 17, destination: 'fd00::/16', sport: 53 },
  ],
  [
    { kind: 'flower', parent: '1:', priority: 2, protocol: 'all', destinationMac: '02:00:00:00:00:01', class: '1:10' },
    'parent 1: prio 2 protocol all flower dst_mac 02:00:00:00:00:01 classid 1:10',
    { kind: 'flower', destinationMac: '02:00:00:00:00:01' },
  ],
  [
    {
      ...{ kind: 'flower', parent: '1:', priority: 2, protocol: 'ip', ipProto: 'tcp', tos: 0x10, ttl: 64 },
      ...{ sport: { start: 1000, end: 2000 }, dport: 80, tcpFlags: { value: 2, mask: 0x12 }, fragment: false },
    },
    'parent 1: prio 2 protocol ip flower ip_proto tcp ip_tos 0x10 ip_ttl 64 src_port 1000-2000 dst_port 80 ' +
      'tcp_flags 0x2/0x12 ip_flags nofrag',
    {
      ...{ kind: 'flower', tos: 0x10, ttl: 64, sport: { start: 1000, end: 2000 }, dport: 80, fragment: false },
      tcpFlags: { value: 2, mask: 0x12 },
    },
  ],
  [
    {
      ...{ kind: 'flower', parent: '1:', priority: 2, protocol: 'ipv6', ipProto: 'ipv6-icmp' },
      ...{ icmpType: 128, icmpCode: 0, class: '1:10' },
    },
    'parent 1: prio 2 protocol ipv6 flower ip_proto icmpv6 type 128 code 0 classid 1:10',
    { kind: 'flower', icmpType: 128, icmpCode: 0 },
  ],
  [
    {
      ...{ kind: 'flower', parent: '1:', priority: 2, protocol: '802.1Q', vlan: 7, vlanPriority: 3 },
      ...{ vlanProtocol: 'ip', source: '10.0.0.0/8' },
    },
    'parent 1: prio 2 protocol 802.1Q flower vlan_id 7 vlan_prio 3 vlan_ethtype ip src_ip 10.0.0.0/8',
    { kind: 'flower', vlan: 7, vlanPriority: 3, vlanProtocol: 'ip', source: '10.0.0.0/8' },
  ],
  [
    { kind: 'fw', parent: '1:', priority: 3, handle: 7, mask: 0xff, class: '1:10' },
    'parent 1: prio 3 protocol all handle 7/0xff fw classid 1:10',
    { kind: 'fw', handle: 7, mask: 0xff, class: '1:10' },
  ],
  [
    {
      kind: 'matchall',
      parent: 'ingress',
      priority: 1,
      actions: [{ kind: 'police', rate: 1_000_000, burst: 10_000, exceed: 'drop', conform: 'pipe' }],
    },
    'ingress prio 1 protocol all matchall action police rate 1mbit burst 10000 conform-exceed drop/pipe',
    { actions: [expect.objectContaining({ kind: 'police', rate: 1_000_000, burst: 10_000 })] as never },
  ],
  [
    {
      kind: 'matchall',
      parent: 'egress',
      priority: 1,
      actions: [{ kind: 'skbedit', mark: 7, priority: 0x10010 }],
    },
    'egress prio 1 protocol all matchall action skbedit mark 7 priority 1:10',
    { actions: [expect.objectContaining({ kind: 'skbedit', mark: 7, priority: 0x10010 })] as never },
  ],
]

describe('a filter', () => {
  for (const [spec, words, result] of ENTRIES) {
    test(`${words}: nsset and tc add and read the same`, async ({ skip }) => {
      using set = await lab()
      const { filters, links } = set.network
      const { index } = await links.get('a0')
      const { exitCode, stderr } = await resultOf(set, 'tc', `filter add dev a0 ${words}`)
      if (exitCode !== 0 && !isVm && LACKING.test(stderr)) {
        const failure = await failureOf(() => filters.add('a0', spec))
        expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT' })
        expect(failure.message).toMatch(/load the module (cls|act)_/)
        return skip(`this kernel lacks the kind of filter or action: ${stderr.trim()}`)
      }
      expect(stderr).toBe('')
      const printed = await filtersOfTc(set)
      const listed = await filters.list('a0')
      expect(listed).toMatchObject([{ link: { index }, ...result }])
      const [filter] = listed as [TrafficFilter]
      await filters.delete('a0', { parent: filter.parent, priority: filter.priority, protocol: filter.protocol })
      expect(await filters.list('a0')).toEqual([])

      await filters.add('a0', spec)
      expect(await filtersOfTc(set)).toBe(printed)
      await filters.delete(filter.link, filter)
      expect(await filters.list('a0')).toEqual([])
      await filters.add(filter.link, filter)
      // The kernel changes no filter of this kind (mall_change() of net/sched/cls_matchall.c).
      const replaced = filters.replace(filter.link, filter)
      if (spec.kind === 'matchall') expect(await failureOf(() => replaced)).toMatchObject({ code: 'EEXIST' })
      else await replaced
      expect(await filtersOfTc(set)).toBe(printed)
    })
  }

  test('redirects packets to another link, and counts them', async () => {
    using set = await lab()
    const { filters, links, addresses, neighbours } = set.network
    await links.set('b0', { up: true })
    await links.add({ kind: 'ifb', name: 'ifb0', up: true })
    await addresses.add('a0', '10.0.0.1/24')
    await neighbours.add('a0', { address: '10.0.0.9', mac: '02:00:00:00:00:09' })
    const matches = [{ value: 0x0a000009, mask: 0xffffffff, offset: 16 }]
    const actions = [{ kind: 'mirred', mode: 'mirror', dev: 'ifb0' }] as const
    await filters.add('a0', { kind: 'u32', parent: 'egress', protocol: 'ip', matches, actions })
    const socket = set.network.createSocket('udp4')
    await new Promise<void>((sent) => socket.send('hello', 9, '10.0.0.9', () => socket.close(() => sent())))
    const [filter] = await filters.list('a0', { parent: 'egress' })
    expect(filter?.actions?.[0]).toMatchObject({ kind: 'mirred', verdict: 'pipe', statistics: { packets: 1 } })
  })
})

describe('list()', () => {
  test('returns the filters of qdiscs, classes and clsact, or of one parent', async () => {
    using set = await lab()
    const { filters } = set.network
    const match = 'protocol ip u32 match u32 0 0 at 0'
    await tc(set, `filter add dev a0 parent 1: prio 1 ${match} flowid 1:10`)
    await tc(set, `filter add dev a0 parent 1:10 prio 2 ${match}`)
    await tc(set, `filter add dev a0 ingress prio 3 ${match}`)
    await tc(set, `filter add dev a0 egress prio 4 ${match}`)
    const places = (await filters.list('a0')).map(({ parent, priority }) => `${parent} ${priority}`)
    expect(places.toSorted()).toEqual(['1: 1', '1:10 2', 'egress 4', 'ingress 3'])
    expect((await filters.list('a0', { parent: 'egress' })).map(({ priority }) => priority)).toEqual([4])
    expect(await filters.list('lo')).toEqual([])
    expect(await failureOf(() => filters.list('none0'))).toMatchObject({ code: 'ENODEV' })
  })
})

test('the kernel refuses a parent that is not there', async () => {
  using set = await lab()
  const spec = { kind: 'u32', parent: '9:', matches: [{ value: 0, mask: 0, offset: 0 }] } as const
  const failure = await failureOf(() => set.network.filters.add('a0', spec))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'EINVAL', target: '9: of a0' })
  expect(failure.message).toContain('the parent has to be a qdisc or class of the link')
})

describe('invalid arguments throw', () => {
  const add = (spec: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.filters.add('lo', untyped<TrafficFilterSpec>(spec))
  }
  const matchall = { kind: 'matchall', parent: '1:' }
  const flower = { kind: 'flower', parent: '1:' }
  const cases: Case[] = [
    ['an unknown kind', add({ kind: 'basic', parent: '1:' }), value('spec.kind', 'matchall, flower')],
    ['no parent', add({ kind: 'matchall' }), value('spec.parent', 'is required')],
    ['a parent that is none', add({ ...matchall, parent: 'inside' }), value('spec.parent')],
    ['a mark that is missing', add({ kind: 'fw', parent: '1:' }), value('spec.handle', 'is required')],
    ['a program that is missing', add({ kind: 'bpf', parent: '1:' }), value('spec.fd', 'is required')],
    ['a port without a protocol', add({ ...flower, protocol: 'ip', dport: 80 }), value('spec.ipProto')],
    ['an address without a protocol', add({ ...flower, source: '10.0.0.0/8' }), value('spec.protocol', "'ip'")],
    ['an address of the other family', add({ ...flower, protocol: 'ip', source: 'fd00::/8' }), value("'ipv6'")],
    [
      'a word without a mask',
      add({ kind: 'u32', parent: '1:', matches: [{ value: 1, offset: 0 }] }),
      value('matches[0].mask'),
    ],
    ['an unknown action', add({ ...matchall, actions: [{ kind: 'pedit' }] }), value('spec.actions[0].kind', 'mirred')],
    [
      'an action without a link',
      add({ ...matchall, actions: [{ kind: 'mirred', mode: 'mirror' }] }),
      value('actions[0].dev'),
    ],
    [
      'an unknown verdict',
      add({ ...matchall, actions: [{ kind: 'gact', verdict: 'accept' }] }),
      value('verdict', "'pass'"),
    ],
    ['a priority above 65535', add({ ...matchall, priority: 65_536 }), range('spec.priority')],
  ]
  refuses(cases)
})
