/** The packet filter: tables of 10,000 rules, 100,000 elements, and one rule for a new network; compared with `nft`. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { type FirewallTableSpec, firewall, NamespaceSet } from 'nsset'
import { compare } from '../../compare.ts'
import { microsecondsOf, millisecondsOf } from '../../measure.ts'
import { isMissing, isPresent } from '../../peers/presence.ts'
import type { Row } from '../../row.ts'

const isRoot = process.getuid?.() === 0
const RULES = 10_000
const ELEMENTS = 100_000
const ROUNDS = 5

const WHY =
  'Most of the time is the kernel’s, which looks up each expression of a rule by its name, and grows the table of a set while it is filled: ' +
  'nft waits for the same.'

const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`

const TABLE: FirewallTableSpec = {
  chains: {
    c: {
      rules: Array.from({ length: RULES }, (_, index) => [
        { 'ip saddr': address(index) },
        { 'tcp dport': (index % 60_000) + 1 },
        'counter',
        'accept',
      ]),
    },
  },
}
const RULES_TEXT = Array.from(
  { length: RULES },
  (_, index) => `ip saddr ${address(index)} tcp dport ${(index % 60_000) + 1} counter accept`,
)
const TABLE_TEXT = `table inet t {\n chain c {\n${RULES_TEXT.join('\n')}\n}\n}\n`

const EMPTY_SET: FirewallTableSpec = { sets: { s: { type: 'ipv4_addr' } } }
const ADDRESSES = Array.from({ length: ELEMENTS }, (_, index) => address(index))
const ADDRESSES_TEXT = `add element inet t s { ${ADDRESSES.join(', ')} }\n`

export async function suite(): Promise<Row[]> {
  const hasNft = findNft()
  const ofNft = (sample: () => Promise<number>) => (hasNft ? sample : undefined)
  return [
    await compare({
      name: `replace: ${RULES} rules`,
      unit: 'ms',
      ours: inNew((set) => millisecondsOf(() => set.network.firewall.replace('t', TABLE))),
      peers: { 'nft -f': ofNft(inNew((set) => millisecondsOf(() => nft(set, ['-f', '-'], TABLE_TEXT)))) },
      rounds: ROUNDS,
      targets: [{ of: 'peer', name: 'nft -f', most: 0.7 }],
      why: WHY,
    }),
    await listed(ofNft),
    await compare({
      name: `addElements: ${ELEMENTS} elements`,
      unit: 'ms',
      ours: withSet((set) => millisecondsOf(() => set.network.firewall.addElements('t', 's', ADDRESSES))),
      peers: { 'nft -f': ofNft(withSet((set) => millisecondsOf(() => nft(set, ['-f', '-'], ADDRESSES_TEXT)))) },
      rounds: ROUNDS,
      targets: [{ of: 'peer', name: 'nft -f', most: 0.7 }],
      why: WHY,
    }),
    await compare({
      name: 'masquerade in a new network',
      unit: 'µs',
      ours: inNew((set) =>
        microsecondsOf(() => set.network.firewall.replace('nat', firewall.masquerade({ out: 'eth0' }))),
      ),
      peers: {
        nft: ofNft(inNew((set) => microsecondsOf(() => nft(set, ['-f', '-'], MASQUERADE)))),
      },
      rounds: 50,
      targets: [{ of: 'ours', most: 300 }],
    }),
  ]
}

const MASQUERADE =
  'table inet nat {\n chain postrouting {\n type nat hook postrouting priority srcnat;\n oifname eth0 masquerade\n}\n}\n'

function findNft(): boolean {
  try {
    const printed = execFileSync('nft', ['--version'], { encoding: 'utf8' })
    isPresent('nft', /v([\d.]+)/.exec(printed)?.[1] ?? 'unknown')
    return true
  } catch {
    isMissing('nft', 'the program is not installed')
    return false
  }
}

/** All samples list the same table. */
async function listed(ofNft: (sample: () => Promise<number>) => (() => Promise<number>) | undefined): Promise<Row> {
  await using set = await newNetwork()
  await set.network.firewall.replace('t', TABLE)
  return await compare({
    name: `get: ${RULES} rules`,
    unit: 'ms',
    ours: () => millisecondsOf(() => set.network.firewall.get('t')),
    peers: {
      'nft -j list': ofNft(() => millisecondsOf(() => nft(set, ['-j', 'list', 'table', 'inet', 't']))),
    },
    rounds: ROUNDS,
    targets: [{ of: 'peer', name: 'nft -j list', most: 0.5 }],
  })
}

function newNetwork(): Promise<NamespaceSet> {
  return NamespaceSet.unshare(isRoot ? ['net'] : ['user', 'net'], isRoot ? {} : { mapUser: 'root' })
}

/** A sample in a new network. */
function inNew(measure: (set: NamespaceSet) => Promise<number>): () => Promise<number> {
  return async () => {
    await using set = await newNetwork()
    return await measure(set)
  }
}

/** A sample in a new network that has an empty set. */
function withSet(measure: (set: NamespaceSet) => Promise<number>): () => Promise<number> {
  return inNew(async (set) => {
    await set.network.firewall.replace('t', EMPTY_SET)
    return measure(set)
  })
}

async function nft(set: NamespaceSet, args: readonly string[], input = ''): Promise<void> {
  const child = set.spawn('nft', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout.resume()
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`nft ended with code ${code}`)
}
