/** `set.network.rules`: `ip rule` reads what nsset adds, and nsset reads and deletes what `ip rule` adds. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NamespaceSet, RoutingRule, RoutingRuleSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, outputOf, resultOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, type, untyped, value } from '../../setup/sets/failure.ts'

/** The rules of a family as text, without those of the kernel. */
async function rulesOfIp(set: NamespaceSet, family: '-4' | '-6'): Promise<string[]> {
  const lines = (await ip(set, `${family} -d rule show`)).trim().split('\n')
  return lines.map((line) => line.replaceAll(/\s+/g, ' ').trim()).filter((line) => !line.includes('proto kernel'))
}

/** Those that nsset lists, without those of the kernel. */
async function listed(set: NamespaceSet): Promise<RoutingRule[]> {
  return (await set.network.rules.list()).filter(({ protocol }) => protocol !== 2)
}

/** A rule: spec, the arguments of `ip rule add`, and what nsset reads. */
type Entry = [spec: RoutingRuleSpec, words: string, result: Partial<RoutingRule>]

const ENTRIES: Entry[] = [
  [
    { priority: 100, from: '10.1.0.0/24', table: 100 },
    'priority 100 from 10.1.0.0/24 table 100',
    { family: 'IPv4', priority: 100, from: '10.1.0.0/24', action: 'lookup', table: 100 },
  ],
  [
    { priority: 100, to: '2001:db8::/32', table: 70_000 },
    'priority 100 to 2001:db8::/32 table 70000',
    { family: 'IPv6', to: '2001:db8::/32', table: 70_000 },
  ],
  [
    { priority: 100, from: '10.1.0.1', to: '192.0.2.0/24', tos: 16, table: 100 },
    'priority 100 from 10.1.0.1 to 192.0.2.0/24 tos 0x10 table 100',
    { from: '10.1.0.1/32', to: '192.0.2.0/24', tos: 16 },
  ],
  [
    { priority: 100, iif: 'eth7', oif: 'eth8', table: 100 },
    'priority 100 iif eth7 oif eth8 table 100',
    { iif: 'eth7', oif: 'eth8' },
  ],
  [{ priority: 100, fwmark: 7, table: 100 }, 'priority 100 fwmark 7 table 100', { fwmark: 7, fwmask: 0xffffffff }],
  [
    { priority: 100, fwmark: 0x10, fwmask: 0xf0, table: 100 },
    'priority 100 fwmark 0x10/0xf0 table 100',
    { fwmark: 0x10, fwmask: 0xf0 },
  ],
  [
    { priority: 100, ipProto: 'tcp', sport: 22, dport: { start: 8000, end: 8999 }, table: 100 },
    'priority 100 ipproto tcp sport 22 dport 8000-8999 table 100',
    { ipProto: 6, sport: { start: 22, end: 22 }, dport: { start: 8000, end: 8999 } },
  ],
  [
    { family: 'IPv6', priority: 100, ipProto: 'ipv6-icmp', action: 'prohibit' },
    'priority 100 ipproto ipv6-icmp prohibit',
    { family: 'IPv6', ipProto: 58, action: 'prohibit' },
  ],
  [
    { priority: 100, from: '10.0.0.0/8', action: 'blackhole' },
    'priority 100 from 10.0.0.0/8 blackhole',
    { action: 'blackhole' },
  ],
  [{ priority: 100, action: 'unreachable' }, 'priority 100 unreachable', { action: 'unreachable' }],
  [{ priority: 100, action: 'nop' }, 'priority 100 nop', { action: 'nop' }],
  [{ priority: 100, fwmark: 1, goto: 32_766 }, 'priority 100 fwmark 1 goto 32766', { action: 'goto', goto: 32_766 }],
  [
    { priority: 100, invert: true, from: '10.0.0.0/8', table: 100 },
    'priority 100 not from 10.0.0.0/8 table 100',
    { invert: true, from: '10.0.0.0/8' },
  ],
  [
    { priority: 100, table: 254, suppressPrefixLength: 0 },
    'priority 100 table main suppress_prefixlength 0',
    { table: 254, suppressPrefixLength: 0 },
  ],
  [
    { priority: 100, table: 254, suppressLinkGroup: 7 },
    'priority 100 table main suppress_ifgroup 7',
    { suppressLinkGroup: 7 },
  ],
  [{ priority: 100, tunnelId: 42, table: 100 }, 'priority 100 tun_id 42 table 100', { tunnelId: 42 }],
  [{ priority: 100, table: 100, protocol: 4 }, 'priority 100 table 100 protocol static', { protocol: 4 }],
]

describe('a rule', () => {
  for (const [spec, words, result] of ENTRIES) {
    test(`${words}: nsset and ip add and read the same`, async () => {
      using set = anyonesSet(['net'])
      const { rules } = set.network
      const family = result.family === 'IPv6' ? '-6' : '-4'

      await ip(set, `${family} rule add ${words}`)
      const [printed, read] = [await rulesOfIp(set, family), await listed(set)]
      expect(read).toMatchObject([result])
      await rules.delete(spec)
      expect(await rulesOfIp(set, family)).toEqual([])

      await rules.add(spec)
      expect(await rulesOfIp(set, family)).toEqual(printed)
      expect(await listed(set)).toEqual(read)
      const again = await failureOf(() => rules.add(spec))
      expect(again).toMatchObject({ name: 'ActionError', code: 'EEXIST' })
      expect(again.message).toContain('a rule with the same properties exists')
      for (const rule of read) await rules.delete(rule)
      expect(await rulesOfIp(set, family)).toEqual([])
    })
  }

  test('can be for the sockets of users, if the process is in the user namespace of the network', async () => {
    using set = anyonesSet(['net'])
    const { rules } = set.network
    const spec = { priority: 100, uidRange: { start: 0, end: 99 }, table: 100 }
    if (process.getuid?.() !== 0) {
      const failure = await failureOf(() => rules.add(spec))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'EPERM' })
      expect(failure.message).toContain('No permission to set uid')
      return
    }
    await rules.add(spec)
    expect(await rulesOfIp(set, '-4')).toEqual([expect.stringContaining('uidrange 0-99')])
    expect(await listed(set)).toMatchObject([spec])
    await rules.delete(spec)
    expect(await rulesOfIp(set, '-4')).toEqual([])
  })

  test('sends packets to another routing table', async () => {
    using set = anyonesSet(['net'])
    const { links, routes, rules } = set.network
    await links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
    await routes.add({ destination: 'default', via: '10.0.0.7' })
    await routes.add({ destination: 'default', via: '10.0.0.8', table: 100 })
    await rules.add({ fwmark: 5, table: 100 })
    expect(await ip(set, 'route get 192.0.2.1')).toContain('via 10.0.0.7')
    expect(await ip(set, 'route get 192.0.2.1 mark 5')).toContain('via 10.0.0.8')
  })
})

describe('list()', () => {
  test('equals that of ip, with the rules of the kernel, in the order of their priorities', async () => {
    using set = anyonesSet(['net'])
    const { rules } = set.network
    for (const priority of [300, 100, 200]) await ip(set, `rule add priority ${priority} fwmark 1 table 100`)
    const own = await rules.list({ family: 'IPv4' })
    expect(own.map(({ priority }) => priority)).toEqual([0, 100, 200, 300, 32_766, 32_767])
    expect(own[0]).toEqual({ family: 'IPv4', priority: 0, action: 'lookup', table: 255, protocol: 2 })
    expect((await rules.list()).filter(({ family }) => family === 'IPv4')).toEqual(own)
    expect((await rules.list({ family: 'IPv6' })).map(({ table }) => table)).toEqual([255, 254])
  })

  test('returns all of many', async () => {
    using set = anyonesSet(['net'])
    const lines = Array.from({ length: 2000 }, (_, count) => `rule add priority ${count + 1} fwmark ${count} table 100`)
    await outputOf(set, 'ip', '-batch -', `${lines.join('\n')}\n`)
    expect(await listed(set)).toHaveLength(lines.length)
  })
})

describe('delete()', () => {
  test('deletes the first rule with the given fields', async () => {
    using set = anyonesSet(['net'])
    for (const table of [100, 101, 102]) await ip(set, `rule add from 10.0.0.0/8 table ${table}`)
    await set.network.rules.delete({ from: '10.0.0.0/8', table: 101 })
    expect((await listed(set)).map(({ table }) => table).toSorted()).toEqual([100, 102])
    await set.network.rules.delete({ table: 102 })
    expect((await listed(set)).map(({ table }) => table)).toEqual([100])
  })

  test('of a listed rule deletes no other that has further fields', async () => {
    using set = anyonesSet(['net'])
    await ip(set, 'rule add priority 100 table 100')
    await ip(set, 'rule add priority 100 from 10.0.0.0/8 table 100')
    const [all, some] = (await listed(set)) as [RoutingRule, RoutingRule]
    await set.network.rules.delete(all)
    expect(await listed(set)).toEqual([some])
  })

  test('fails where the kernel would delete another rule, and says which', async () => {
    using set = anyonesSet(['net'])
    // The kernel refuses the second rule to `ip rule add`, and not to `ip rule restore`.
    const script = `ip rule add priority 100 table 100 && ip rule save > "$1" && ip rule del priority 100 &&
      ip rule add priority 100 from 10.0.0.0/8 table 100 && ip rule restore < "$1"`
    const file = join(mkdtempSync(join(tmpdir(), 'nsset-rules-')), 'saved')
    await set.execFile('sh', ['-c', script, 'sh', file])
    const [some, all] = (await listed(set)) as [RoutingRule, RoutingRule]
    const failure = await failureOf(() => set.network.rules.delete(all))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain('rule 100: from 10.0.0.0/8 lookup 100, which it finds first')
    await set.network.rules.delete(some)
    await set.network.rules.delete(all)
    expect(await listed(set)).toEqual([])
  })

  test('tells a rule with "not" from one without', async () => {
    using set = anyonesSet(['net'])
    await ip(set, 'rule add priority 100 not fwmark 1 table 100')
    await set.network.rules.delete({ priority: 100, fwmark: 1, invert: true })
    expect(await listed(set)).toEqual([])
  })

  test('of a missing rule fails', async () => {
    using set = anyonesSet(['net'])
    const failure = await failureOf(() => set.network.rules.delete({ priority: 4711 }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT', target: '4711:' })
    expect(failure.message).toContain('no rule has these properties')
  })
})

test('the kernel refuses a goto backwards, and nsset quotes it', async () => {
  using set = anyonesSet(['net'])
  const { stderr } = await resultOf(set, 'ip', 'rule add priority 100 goto 50')
  const failure = await failureOf(() => set.network.rules.add({ priority: 100, goto: 50 }))
  expect(failure).toMatchObject({ name: 'ActionError', code: 'EINVAL' })
  expect(stderr).toContain('Backward goto not supported')
  expect(failure.message).toContain('Backward goto not supported')
})

describe('invalid arguments throw', () => {
  const add = (rule: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.rules.add(untyped<RoutingRuleSpec>(rule))
  }
  const cases: Case[] = [
    ['no object', add('from 10.0.0.0/8'), type('rule')],
    ['families that differ', add({ from: '10.0.0.0/8', to: 'fd00::/64' }), value('rule.to', 'IPv4')],
    ['a family that differs', add({ family: 'IPv6', from: '10.0.0.0/8' }), value('rule.from', 'IPv6')],
    ['a range that ends before it starts', add({ dport: { start: 9, end: 8 } }), value('rule.dport.end')],
    ['half a range', add({ dport: { start: 9 } }), value('rule.dport.end', 'is required')],
    ['a port that is none', add({ sport: 65_536 }), range('rule.sport')],
    ['an unknown protocol', add({ ipProto: 'tpc' }), value('rule.ipProto', "'tcp'")],
    ['an unknown action', add({ action: 'accept' }), value('rule.action', "'blackhole'")],
    ['a misspelt option', add({ suppress_prefixlength: 0 }), value('suppress_prefixlength')],
    ['a link by its index', add({ iif: { index: 1 } }), type('rule.iif')],
  ]
  refuses(cases)

  test('bits after the prefix', async () => {
    const failure = await failureOf(add({ from: '10.0.0.1/24' }))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
    expect(failure.message).toContain('10.0.0.0/24')
  })
})
