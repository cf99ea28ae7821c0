/** `network.watch('firewall')`: what programs do to tables, as `nft monitor` reports it. */
import type { FirewallObject, NamespaceSet, NetworkWatcher } from 'nsset'
import { expect, test } from 'vitest'
import { nft, nftFile } from '../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

/** A word or two that say which object it is. */
function nameOf(value: FirewallObject): string {
  if (value.kind === 'generation') return `${value.kind} ${value.program}`
  if (value.kind === 'rule') return `rule ${value.chain} ${JSON.stringify(value.rule)}`
  if (value.kind === 'element') return `element ${value.set} ${JSON.stringify(value.element)}`
  return `${value.kind} ${value.name}`
}

/** Reads an event as a line. */
async function next(watcher: NetworkWatcher<'firewall'>): Promise<string> {
  const { value: event } = await watcher.next()
  if (event === undefined) throw new Error('the watcher has ended')
  return event.type === 'resync' ? 'resync' : `${event.type} ${nameOf(event.value)}`
}

/** Reads as many changes, in any order, and returns the programs that have made them. */
async function expectChanges(watcher: NetworkWatcher<'firewall'>, expected: readonly string[]): Promise<string[]> {
  const [changes, programs]: [string[], string[]] = [[], []]
  while (changes.length < expected.length) {
    const line = await next(watcher)
    if (line.startsWith('change generation ')) programs.push(line.slice('change generation '.length))
    else changes.push(line)
  }
  expect(changes.toSorted()).toEqual(expected.toSorted())
  return programs
}

const watch = (set: NamespaceSet, existing: boolean) =>
  set.network.watch('firewall', { existing, signal: AbortSignal.timeout(20_000) })

test('reports what nft changes: tables, chains, rules, sets, elements, and who has done it', async () => {
  using set = anyonesSet(['net'])
  await set.network.firewall.replace('first', {})
  using watcher = watch(set, true)
  await expectChanges(watcher, ['existing table first'])
  await nftFile(
    set,
    `table inet t {
      counter web { }
      set ports { type inet_service; elements = { 22, 80 }; }
      chain c { type filter hook input priority 0; tcp dport @ports accept; }
    }`,
  )
  const programs = await expectChanges(watcher, [
    'add chain c',
    'add counter web',
    'add element ports 22',
    'add element ports 80',
    'add rule c [{"tcp dport":"@ports"},"accept"]',
    'add set ports',
    'add table t',
  ])
  expect(programs).toContain('nft')
  await nft(set, 'delete element inet t ports { 22 }')
  await nft(set, 'add rule inet t c counter drop')
  await expectChanges(watcher, ['add rule c ["counter","drop"]', 'remove element ports 22'])
  await nft(set, 'delete table inet t')
  await expectChanges(watcher, [
    'remove chain c',
    'remove counter web',
    'remove element ports 80',
    'remove rule c ["counter","drop"]',
    'remove rule c [{"tcp dport":"@ports"},"accept"]',
    'remove set ports',
    'remove table t',
  ])
})

test('reports what replace changes, and nothing that stays', async () => {
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  const table = (...ports: number[]) => ({
    chains: { c: { rules: ports.map((port) => [{ 'udp dport': port }] as const) } },
  })
  await firewall.replace('t', table(1, 2))
  using watcher = watch(set, true)
  const rules = ['existing rule c [{"udp dport":1}]', 'existing rule c [{"udp dport":2}]']
  await expectChanges(watcher, ['existing chain c', 'existing table t', ...rules])
  await firewall.replace('t', table(1, 3, 2))
  await firewall.replace('t', table(1, 3, 2))
  await firewall.replace('end', {})
  await expectChanges(watcher, ['add rule c [{"udp dport":3}]', 'add table end'])
})

test('reports what changes directly after it has begun', async () => {
  using set = anyonesSet(['net'])
  await set.network.firewall.replace('before', {})
  using watcher = watch(set, false)
  await set.network.firewall.replace('t', {})
  await expectChanges(watcher, ['add table t'])
})
