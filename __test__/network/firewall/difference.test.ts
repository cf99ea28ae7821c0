/** What stays when a table is replaced: rules with their handles and counters, sets, and what packets have added to them. */
import { once } from 'node:events'
import type { FirewallChain, FirewallTableSpec, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

/** The handles of the rules of a chain, by what nft prints of each rule. */
async function handles(set: NamespaceSet, chain: string): Promise<string[]> {
  const lines = (await nft(set, '-a', '-s', 'list', 'chain', 'inet', 't', chain)).split('\n')
  return lines
    .filter((line) => /^\t\t.* # handle \d+$/.test(line) && !line.includes(' hook '))
    .map((line) => line.trim())
}

const withoutHandle = (line: string) => line.replace(/ # handle \d+$/, '')

/** Sends datagrams to a port of the set's loopback. */
async function send(set: NamespaceSet, port: number, count = 1): Promise<void> {
  const socket = set.network.createSocket('udp4')
  for (let sent = 0; sent < count; sent += 1) {
    await new Promise<void>((resolve) => socket.send('x', port, '127.0.0.1', () => resolve()))
  }
  socket.close()
  await once(socket, 'close')
}

const drop = (port: number) => [{ 'udp dport': port }, 'counter', 'drop'] as const

const output = (ports: readonly number[], more: object = {}): FirewallTableSpec => ({
  chains: { output: { hook: 'output', rules: ports.map(drop) } },
  ...more,
})

describe('rules that are equal', () => {
  test('stay with their handles and counters, wherever others are added and removed', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    await firewall.replace('t', output([1, 2, 3, 4]))
    const before = await handles(set, 'output')
    await send(set, 2, 3)
    await send(set, 4, 1)
    await firewall.replace('t', output([7, 2, 8, 9, 4, 10]))
    const after = await handles(set, 'output')
    expect(after.map(withoutHandle)).toEqual([7, 2, 8, 9, 4, 10].map((port) => `udp dport ${port} counter drop`))
    expect([after[1], after[4]]).toEqual([before[1], before[3]])
    const { rules } = await firewall.counters('t')
    expect(rules.map(({ packets }) => packets)).toEqual([0, 3, 0, 0, 1, 0])
  })

  test('stay if nothing changes', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    const table: FirewallTableSpec = {
      sets: {
        ports: { type: 'inet_service', flags: ['interval'], elements: [22, '8000-8080'] },
        services: { type: 'inet_service', data: 'verdict', elements: [{ key: 22, verdict: { jump: 'web' } }] },
      },
      counters: { web: { comment: 'the web' } },
      quotas: { month: { bytes: 1000, over: true } },
      chains: {
        input: {
          hook: 'input',
          policy: 'drop',
          rules: [
            [{ 'ct state': ['established', 'related'] }, 'accept'],
            [{ 'ip saddr': ['10.0.0.0/8', '192.0.2.1'] }, { 'tcp dport': '@ports' }, { counter: 'web' }, 'accept'],
            [
              {
                'tcp dport': {
                  vmap: [
                    [80, { jump: 'web' }],
                    ['90-99', 'drop'],
                  ],
                },
              },
            ],
            [{ 'ip saddr . tcp dport': [['10.0.0.1', 22]] }, { quota: 'month' }, 'reject', { comment: 'far' }],
            [{ 'udp dport': { vmap: '@services' } }],
            [{ 'meta mark': { '&': 0xff, '==': 1 } }, { set: { 'ct mark': 7 } }, { limit: { rate: 5 } }, 'log'],
          ],
        },
        web: { rules: [['counter', 'accept']] },
      },
    }
    await firewall.replace('t', table)
    const ruleset = await nft(set, '-a', 'list', 'ruleset')
    await firewall.replace('t', table)
    await firewall.replace('t', await firewall.get('t'))
    expect(await nft(set, '-a', 'list', 'ruleset')).toBe(ruleset)
  })

  test('are added again if the chain to which they jump is', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    const table = (comment: string): FirewallTableSpec => ({
      sets: { services: { type: 'inet_service', data: 'verdict', elements: [{ key: 9, verdict: { goto: 'web' } }] } },
      chains: {
        output: {
          hook: 'output',
          rules: [drop(5), [{ 'udp dport': 7 }, { jump: 'web' }], [{ 'udp dport': { vmap: '@services' } }]],
        },
        web: { comment, rules: [['counter', 'drop']] },
      },
    })
    await firewall.replace('t', table('one'))
    const before = await handles(set, 'output')
    await send(set, 5)
    await firewall.replace('t', table('two'))
    const after = await handles(set, 'output')
    expect(after[0]).toBe(before[0])
    expect(after.map(withoutHandle)).toEqual(before.map(withoutHandle))
    await send(set, 7)
    await send(set, 9)
    const { rules } = await firewall.counters('t')
    expect(rules.map(({ chain, packets }) => [chain, packets])).toEqual([
      ['output', 1],
      ['web', 2],
    ])
    expect(await firewall.get('t')).toMatchObject({ chains: { web: { comment: 'two' } } })
  })

  test('stay if the policy of their chain changes, and not if its hook does', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    const table = (chain: FirewallChain): FirewallTableSpec => ({ chains: { c: { ...chain, rules: [drop(5)] } } })
    await firewall.replace('t', table({ hook: 'output' }))
    const [before] = await handles(set, 'c')
    await send(set, 5)
    await firewall.replace('t', table({ hook: 'output', policy: 'drop' }))
    expect(await handles(set, 'c')).toEqual([before])
    expect(await nft(set, 'list', 'chain', 'inet', 't', 'c')).toContain('policy drop')
    await firewall.replace('t', table({ hook: 'input', priority: 'raw' }))
    expect(await nft(set, 'list', 'chain', 'inet', 't', 'c')).toMatch(/hook input priority (raw|-300); policy accept/)
    expect((await firewall.counters('t')).rules).toMatchObject([{ packets: 0 }])
  })
})

describe('counters, quotas and sets', () => {
  test('stay if they are defined equally', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    const table = (more: FirewallTableSpec): FirewallTableSpec => ({
      counters: { nine: {}, ...more.counters },
      quotas: { month: { bytes: 1e6 }, ...more.quotas },
      chains: {
        output: { hook: 'output', rules: [[{ 'udp dport': 9 }, { counter: 'nine' }, { quota: 'month' }, 'drop']] },
      },
    })
    await firewall.replace('t', table({}))
    await send(set, 9, 2)
    await firewall.replace('t', table({ counters: { other: {} } }))
    expect(await firewall.counters('t')).toMatchObject({
      counters: { nine: { packets: 2 }, other: { packets: 0 } },
      quotas: { month: 58 },
    })
    await firewall.replace('t', table({ quotas: { month: { bytes: 2e6 } } }))
    expect(await firewall.counters('t')).toMatchObject({ counters: { nine: { packets: 2 } }, quotas: { month: 0 } })
    expect((await firewall.counters('t')).counters['other']).toBeUndefined()
  })

  test('have the given elements, and equal elements keep their time', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    const table = (elements: readonly (string | { key: string; timeout: number })[]): FirewallTableSpec => ({
      sets: { blocked: { type: 'ipv4_addr', flags: ['interval', 'timeout'], elements } },
      chains: { c: { rules: [[{ 'ip saddr': '@blocked' }, 'counter', 'drop']] } },
    })
    const hour = { key: '192.0.2.0/24', timeout: 3_600_000 }
    await firewall.replace('t', table(['10.0.0.0/8', hour]))
    const [rule] = await handles(set, 'c')
    const elements = async () => (await firewall.get('t')).sets?.['blocked']?.elements ?? []
    const expires = async () =>
      ((await elements()).find((one) => typeof one === 'object') as { expires: number }).expires
    const first = await expires()
    await firewall.addElements('t', 'blocked', ['198.51.100.1'])
    await firewall.replace('t', table([hour, '203.0.113.0/24', '10.0.0.0/9']))
    expect((await elements()).map((one) => (typeof one === 'object' ? (one as { key: string }).key : one))).toEqual([
      '10.0.0.0/9',
      '192.0.2.0/24',
      '203.0.113.0/24',
    ])
    expect(await expires()).toBeLessThanOrEqual(first)
    expect(await handles(set, 'c')).toEqual([rule])
    await firewall.replace('t', table([]))
    expect(await elements()).toEqual([])
  })

  test('keep what packets have added, if they are dynamic', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { firewall } = set.network
    await nftFile(
      set,
      `table inet t {
        set seen { type inet_service; size 100; flags dynamic; }
        chain output { type filter hook output priority 0; udp dport 1-99 add @seen { udp dport } counter drop; }
      }`,
    )
    const table = await firewall.get('t')
    await send(set, 7)
    await send(set, 8)
    // The rule that adds elements is raw here, and depends on no other part that changes.
    await firewall.replace('t', { ...table, chains: { ...table.chains, other: {} } })
    expect((await firewall.get('t')).sets?.['seen']?.elements).toEqual([7, 8])
    await firewall.replace('t', {
      ...table,
      sets: { seen: { ...table.sets?.['seen'], type: 'inet_service', elements: [9] } },
    })
    expect((await firewall.get('t')).sets?.['seen']?.elements).toEqual([7, 8, 9])
  })
})

test('a change that is refused changes nothing, and the error says where', async () => {
  using set = anyonesSet(['net'], { loopback: true })
  const { firewall } = set.network
  await firewall.replace('t', output([1, 2]))
  const before = await nft(set, '-a', 'list', 'ruleset')
  const rules = [drop(1), [{ 'udp dport': 3 }, 'masquerade']] as const
  const failure = await failureOf(() => firewall.replace('t', { chains: { output: { hook: 'output', rules } } }))
  expect(failure).toMatchObject({ code: 'EOPNOTSUPP', message: expect.stringContaining('chains.output.rules[1]') })
  expect(await nft(set, '-a', 'list', 'ruleset')).toBe(before)
})

test('a table that nsset cannot express is replaced as a whole', async () => {
  using set = anyonesSet(['net'], { loopback: true })
  const { firewall } = set.network
  await nftFile(
    set,
    'table inet t { map m { type inet_service : mark; elements = { 1 : 1 }; }; limit slow { rate 1/second; }; }',
  )
  await firewall.replace('t', output([1]))
  const ruleset = await nft(set, '-s', 'list', 'ruleset')
  expect(ruleset).not.toContain('limit slow')
  expect(ruleset).not.toContain('map m')
  expect(ruleset).toContain('udp dport 1 counter')
})

test('two programs that replace a table at the same time leave the table of one of them', async () => {
  using set = anyonesSet(['net'], { loopback: true })
  const { firewall } = set.network
  await firewall.replace('t', output([1, 2, 3]))
  const others = async () => {
    for (let number = 0; number < 10; number += 1) await nftFile(set, `add table inet other${number}`)
  }
  const own = async () => {
    for (let number = 0; number < 30; number += 1) await firewall.replace('t', output([1, 100 + number, 3]))
  }
  await Promise.all([others(), own()])
  const rules = (await firewall.get('t')).chains['output']?.rules
  expect(rules).toEqual([1, 129, 3].map(drop))
})
