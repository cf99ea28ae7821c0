/** Tables: what is given comes back, `replace` does all or nothing, and tables of others stay. */
import { readFile } from 'node:fs/promises'
import { action, type FirewallRule, type FirewallTableSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'
import { isRoot } from '../../setup/sets/privilege.ts'

/** As `get` returns it: with the default values of base chains, and the elements of sets in their order. */
const TABLE = {
  family: 'inet',
  name: 'full',
  comment: 'one of everything',
  counters: { web: { comment: 'requests' }, other: {} },
  quotas: { month: { bytes: 5_000_000, over: true } },
  sets: {
    blocked: {
      type: 'ipv4_addr',
      flags: ['interval', 'timeout'],
      comment: 'who misbehaved',
      elements: ['10.0.0.0/8', '192.0.2.1-192.0.2.9', '192.0.2.10', '203.0.113.7'],
    },
    clients: {
      type: ['ipv4_addr', 'inet_service'],
      size: 100,
      elements: [
        ['10.0.0.1', 22],
        ['10.0.0.1', 80],
      ],
    },
    networks: {
      type: ['ipv4_addr', 'inet_service'],
      flags: ['interval'],
      elements: [
        ['10.0.0.0/8', '1-1024'],
        ['192.0.2.1', 8080],
      ],
    },
    marks: { type: 'mark', flags: ['interval'], elements: [1, '16-31', '256-511'] },
    services: {
      type: 'inet_service',
      data: 'verdict',
      elements: [
        { key: 22, verdict: 'accept', comment: 'ssh' },
        { key: 80, verdict: { jump: 'web' } },
      ],
    },
    links: { type: 'ifname', elements: ['eth0', 'lo'] },
    empty: { type: 'ipv6_addr', elements: [] },
  },
  chains: {
    input: {
      type: 'filter',
      hook: 'input',
      priority: 'filter',
      policy: 'drop',
      comment: 'from outside',
      rules: [
        [{ iifname: '@links' }, 'accept'],
        [{ 'ip saddr': '@blocked' }, 'drop', { comment: 'see the set' }],
        [{ 'ip saddr . tcp dport': '@clients' }, 'accept'],
        [{ 'ip saddr . tcp dport': { '!=': '@networks' } }, 'counter', { reject: 'icmpx admin-prohibited' }],
        [{ 'meta mark': '@marks' }, 'return'],
        [{ 'tcp dport': { vmap: '@services' } }],
      ],
    },
    early: { type: 'filter', hook: 'prerouting', priority: -307, policy: 'accept', rules: [['notrack']] },
    web: { rules: [[{ counter: 'web' }, { quota: 'month' }, 'drop'], ['accept']] },
  },
} as const satisfies FirewallTableSpec

describe('a table', () => {
  test('comes back as it was given, and nft sees it', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await firewall.replace('full', TABLE)
    const table = await firewall.get('full')
    expect(table).toEqual(TABLE)
    const text = await nft(set, '-s', 'list', 'ruleset')
    await firewall.replace(table, table)
    expect(await nft(set, '-s', 'list', 'ruleset')).toBe(text)
  })

  test('nft writes the same table', async () => {
    using set = anyonesSet(['net'])
    using other = anyonesSet(['net'])
    await set.network.firewall.replace('full', TABLE)
    await nftFile(other, await nft(set, '-s', 'list', 'ruleset'))
    const [one, two] = [await set.network.firewall.get('full'), await other.network.firewall.get('full')]
    expect(two).toEqual(one)
  })

  test('is listed, replaced and deleted', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    expect(await firewall.list()).toEqual([])
    await firewall.replace({ name: 'a', family: 'ip' }, { chains: { c: { rules: [['accept'], ['drop']] } } })
    await firewall.replace('a', { dormant: true })
    const tables = await firewall.list()
    expect(tables).toEqual([
      { family: 'ip', name: 'a', chains: { c: { rules: [['accept'], ['drop']] } } },
      { family: 'inet', name: 'a', dormant: true, chains: {} },
    ])
    await firewall.replace({ name: 'a', family: 'ip' }, { chains: { d: {} } })
    expect((await firewall.get({ name: 'a', family: 'ip' })).chains).toEqual({ d: { rules: [] } })
    for (const table of tables) await firewall.delete(table)
    expect(await firewall.list()).toEqual([])
    for (const call of [() => firewall.get('a'), () => firewall.delete('a'), () => firewall.counters('a')]) {
      const failure = await failureOf(call)
      expect(failure).toMatchObject({ code: 'ENOENT' })
      expect(failure.message).toContain('there is no table at all')
    }
    await firewall.replace({ name: 'nat', family: 'ip' }, {})
    await firewall.replace('filter', { sets: { blocked: { type: 'ipv4_addr' } } })
    const meant: [() => Promise<unknown>, string][] = [
      [() => firewall.get('fliter'), "did you mean 'inet filter'? there are 'ip nat', 'inet filter'"],
      [() => firewall.get('nat'), "did you mean 'ip nat'?"],
      [() => firewall.delete('filer'), "did you mean 'inet filter'?"],
      [() => firewall.counters('x'), "no such table; there are 'ip nat', 'inet filter'"],
      [() => firewall.addElements('filter', 'blokced', ['10.0.0.1']), "no such set; did you mean 'blocked'?"],
      [() => firewall.deleteElements('natt', 'blocked', []), "no such table; did you mean 'ip nat'?"],
    ]
    for (const [call, hint] of meant) {
      const failure = await failureOf(call)
      expect(failure).toMatchObject({ code: 'ENOENT' })
      expect(failure.message).toContain(hint)
    }
    await firewall.delete('filter')
    await firewall.delete({ name: 'nat', family: 'ip' })
    await firewall.delete('a', { force: true })
    expect(await nft(set, 'list', 'ruleset')).toBe('')
  })

  test('of another program is deleted if it is named', async () => {
    using set = anyonesSet(['net'])
    await nft(set, 'add table inet theirs')
    await nft(set, 'add table ip theirs')
    await set.network.firewall.delete('theirs', { force: true })
    expect(await nft(set, 'list', 'tables')).toBe('table ip theirs\n')
  })

  test('of another program stays as it is', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await nft(set, 'add table inet theirs')
    await nft(set, 'add chain inet theirs c { type filter hook input priority 0 ; }')
    await nft(
      set,
      'add rule inet theirs c jhash ip saddr . ip daddr . tcp sport . tcp dport . meta mark mod 2 0 accept',
    )
    const before = await nft(set, 'list table inet theirs')
    await firewall.replace('ours', { chains: { c: { hook: 'input' } } })
    await firewall.delete('ours')
    expect(await nft(set, 'list table inet theirs')).toBe(before)
  })

  test('with a rule that nsset cannot express is kept', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await nft(set, 'add table inet theirs')
    await nft(set, 'add chain inet theirs c')
    await nft(
      set,
      'add rule inet theirs c jhash ip saddr . ip daddr . tcp sport . tcp dport . meta mark mod 2 0 accept',
    )
    const table = await firewall.get('theirs')
    expect(table.chains['c']?.rules).toEqual([[{ raw: expect.stringMatching(/^[0-9a-f]+$/) }]])
    const before = await nft(set, 'list table inet theirs')
    await firewall.replace('theirs', table)
    expect(await nft(set, 'list table inet theirs')).toBe(before)
  })

  test('is made by actions and by blocking calls too', async () => {
    using set = anyonesSet(['net'])
    const { network } = set
    const rules = [[{ oifname: 'eth0' }, 'masquerade']] as const
    const chains = { out: { type: 'nat', hook: 'postrouting', rules } } as const
    const [, table] = await network.apply([action.firewall.replace('nat', { chains }), action.firewall.get('nat')])
    expect(table.chains['out']).toEqual({ ...chains.out, priority: 'srcnat', policy: 'accept', rules })
    expect(network.sync.firewall.list()).toEqual([table])
    network.sync.firewall.delete(table)
    network.sync.firewall.replace(table, table)
    expect(network.sync.firewall.get('nat')).toEqual(table)
  })
})

describe('a table that the kernel refuses', () => {
  test('leaves the old one, and the error names the rule', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await firewall.replace('t', { chains: { c: { rules: [['accept']] } } })
    // Masquerading is only possible in a nat chain at postrouting, and the family inet has no fwd.
    const [masquerade, forward] = [
      ['counter', 'masquerade'],
      [{ iif: 1 }, 'counter', { fwd: { device: 1 } }],
    ] as const
    const replace = (rule: FirewallRule) => {
      return failureOf(() => firewall.replace('t', { chains: { c: { hook: 'input', rules: [['accept'], rule] } } }))
    }
    const failures = [await replace(masquerade), await replace(forward)]
    expect(failures.map(({ code }) => code)).toEqual(['EOPNOTSUPP', 'ENOENT'])
    expect(failures[0]?.message).toContain("'inet t', chains.c.rules[1]: the statement is not possible at this hook")
    expect(failures[1]?.message).toContain(
      "'inet t', chains.c.rules[1][2]: the kernel has no such statement in this family",
    )
    expect((await firewall.get('t')).chains).toEqual({ c: { rules: [['accept']] } })
  })

  test('because it is too large for an ordinary user says so', async (context) => {
    if (isRoot) context.skip('root of the first user namespace has no limit')
    using set = anyonesSet(['net'])
    // A statement has at least 128 bytes, of twice this number.
    const most = Number(await readFile('/proc/sys/net/core/wmem_max', 'utf8'))
    const rule = Array.from({ length: 60 }, () => ({ log: { prefix: 'x'.repeat(127) } }))
    const rules = Array.from({ length: Math.ceil((2 * most) / 60 / 128) }, () => rule)
    const failure = await failureOf(() => set.network.firewall.replace('t', { chains: { c: { rules } } }))
    expect(failure).toMatchObject({ code: 'EMSGSIZE' })
    expect(failure.message).toContain('net.core.wmem_max')
    expect(await set.network.firewall.list()).toEqual([])
  })
})

test('thousands of rules and elements are one batch', async (context) => {
  if (!isRoot) context.skip('one message of an ordinary user can be limited to 416 KiB')
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  const rules = Array.from({ length: 5000 }, (_, index) => [{ 'tcp dport': index + 1 }, 'accept'] as const)
  const elements = Array.from(
    { length: 20_000 },
    (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
  )
  await firewall.replace('t', { chains: { c: { rules } }, sets: { s: { type: 'ipv4_addr', elements } } })
  const { chains, sets } = await firewall.get('t')
  expect(chains['c']?.rules).toEqual(rules)
  expect(sets?.['s']?.elements).toEqual(elements)
})
