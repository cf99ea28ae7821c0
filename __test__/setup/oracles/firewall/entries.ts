/** Tests of rules with their text: `nft` reads what nsset writes, and nsset reads what `nft` writes. */
import type { FirewallChain, FirewallFamily, FirewallRule, FirewallTableSpec } from 'nsset'
import { describe, expect, test } from 'vitest'
import { anyonesSet } from '../../sets/anyones-set.ts'
import { nft, nftRules } from './nft.ts'

/** A rule, and how `nft` writes it. */
export type Entry = readonly [rule: FirewallRule, text: string]

/** Maps and sets of the table. */
const SETS: NonNullable<FirewallTableSpec['sets']> = {
  servers: { type: 'inet_service', data: ['ipv4_addr', 'inet_service'] },
  servers6: { type: 'inet_service', data: ['ipv6_addr', 'inet_service'] },
  addresses: { type: 'ipv4_addr', data: 'ipv4_addr', flags: ['interval'] },
  marks: { type: 'ipv4_addr', data: 'mark' },
  ranges: { type: 'ipv4_addr', data: { interval: 'ipv4_addr' }, flags: ['interval'] },
  clients: { type: 'ipv4_addr', flags: ['dynamic', 'timeout'] },
  flows: { type: ['ipv4_addr', 'inet_service'], flags: ['dynamic'], size: 1000 },
  sticky: { type: 'ipv4_addr', data: 'ipv4_addr', flags: ['dynamic', 'timeout'] },
}

/** The table in which the rules stand. */
function tableOf(chain: FirewallChain) {
  const counters = { web: {} }
  const quotas = { month: { bytes: 1e9 } }
  return { counters, quotas, sets: SETS, chains: { other: { rules: [] }, rules: chain } }
}

/** What the kernel says about a statement of which it has no module. */
const LACKS = /No such file or directory|Operation not supported|Protocol error/

/** Two tests of a list of rules in a chain. They are skipped if the kernel lacks the statement of `probe`. */
export function describeEntries(
  name: string,
  family: FirewallFamily,
  base: FirewallChain,
  entries: readonly Entry[],
  probe?: string,
): void {
  describe(name, () => {
    test('nft reads what nsset writes, and nsset reads it back', async ({ skip }) => {
      using set = anyonesSet(['net'])
      const { firewall } = set.network
      await firewall.replace({ name: 't', family }, tableOf(base))
      const lacking = await whatLacks(() => nft(set, `add rule ${family} t rules ${probe}`), probe)
      if (lacking !== undefined) skip(`this kernel lacks '${probe}': ${lacking}`)
      const rules = entries.map(([rule]) => rule)
      await firewall.replace({ name: 't', family }, tableOf({ ...base, rules }))
      const texts = await nftRules(set, family, 't', 'rules')
      expect(texts).toEqual(entries.map(([, text]) => text))
      expect((await firewall.get({ name: 't', family })).chains['rules']?.rules).toEqual(rules)
    })

    test('nsset reads what nft writes', async ({ skip }) => {
      using set = anyonesSet(['net'])
      const { firewall } = set.network
      await firewall.replace({ name: 't', family }, tableOf(base))
      const lacking = await whatLacks(() => nft(set, `add rule ${family} t other ${probe}`), probe)
      if (lacking !== undefined) skip(`this kernel lacks '${probe}': ${lacking}`)
      for (const [, text] of entries) await nft(set, `add rule ${family} t rules ${text}`)
      const { chains } = await firewall.get({ name: 't', family })
      expect(chains['rules']?.rules).toEqual(entries.map(([rule]) => rule))
    })
  })
}

/** What the kernel says if it lacks the statement. */
async function whatLacks(add: () => Promise<string>, probe: string | undefined): Promise<string | undefined> {
  if (probe === undefined) return undefined
  try {
    await add()
  } catch (error) {
    const text = String((error as { stderr?: unknown }).stderr ?? error)
    if (LACKS.test(text)) return text.split('\n')[0]
    throw error
  }
  return undefined
}
