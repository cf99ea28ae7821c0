/** Objects of connection tracking, `synproxy` and flow tables: `nft` reads what nsset writes, and nsset reads what `nft` writes. */
import { once } from 'node:events'
import type { FirewallTableSpec } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { nft, nftFile, nftRules } from '../../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, untyped, value } from '../../../setup/sets/failure.ts'

const TABLE = {
  helpers: {
    ftp: { type: 'ftp', protocol: 'tcp' },
    tftp4: { type: 'tftp', protocol: 'udp', family: 'ip', comment: 'of the lab' },
  },
  timeouts: {
    short: { protocol: 'tcp', policy: { established: 100_000, closeWait: 4000, close: 4000 } },
    brief: { protocol: 'udp', policy: { unreplied: 5000 }, family: 'ip6' },
  },
  expectations: { data: { protocol: 'udp', port: 9876, timeout: 120_000, size: 12, family: 'ip' } },
  synproxies: { web: { mss: 1460, wscale: 7, timestamp: true, sackPerm: true } },
  chains: {
    c: {
      rules: [
        [{ 'tcp dport': 21 }, { set: { 'ct helper': 'ftp' } }],
        [{ set: { 'ct helper': { 'udp dport': { map: [[69, 'tftp4']] } } } }],
        [{ 'tcp dport': 80 }, { set: { 'ct timeout': 'short' } }],
        [{ 'udp dport': 9000 }, { set: { 'ct expectation': 'data' } }],
      ],
    },
    input: { hook: 'input', rules: [[{ 'tcp dport': 80 }, { synproxy: 'web' }]] },
  },
} satisfies FirewallTableSpec

const RULES = [
  'tcp dport 21 ct helper set "ftp"',
  'ct helper set udp dport map { 69 : "tftp4" }',
  'tcp dport 80 ct timeout set "short"',
  'udp dport 9000 ct expectation set "data"',
]

const DECLARATIONS = `
  ct helper ftp { type "ftp" protocol tcp; }
  ct helper tftp4 { type "tftp" protocol udp; l3proto ip; comment "of the lab"; }
  ct timeout short { protocol tcp; policy = { established: 100, close_wait: 4, close: 4 }; }
  ct timeout brief { protocol udp; l3proto ip6; policy = { unreplied: 5 }; }
  ct expectation data { protocol udp; dport 9876; timeout 2m; size 12; l3proto ip; }
  synproxy web { mss 1460; wscale 7; timestamp sack-perm; }`

/** The objects of a table, as `nft -j` lists them. */
async function objectsOf(set: Parameters<typeof nft>[0], table: string) {
  const { nftables } = JSON.parse(await nft(set, '-j', 'list', 'table', 'inet', table)) as { nftables: object[] }
  const kinds = ['ct helper', 'ct timeout', 'ct expectation', 'synproxy']
  const entries = nftables.flatMap((entry) => Object.entries(entry) as [string, Record<string, unknown>][])
  return entries
    .filter(([kind]) => kinds.includes(kind))
    .map(([kind, { handle: _, table: __, ...object }]) => ({ kind, ...object }))
}

describe('objects of connection tracking and of synproxy', () => {
  test('come back as they were given, and nft reads them', async () => {
    using set = anyonesSet(['net'])
    using other = anyonesSet(['net'])
    const { firewall } = set.network
    await firewall.replace('t', TABLE)
    const { helpers, timeouts, expectations, synproxies, chains } = await firewall.get('t')
    const { chains: _, ...objects } = TABLE
    expect({ helpers, timeouts, expectations, synproxies }).toEqual(objects)
    expect(chains['c']?.rules).toEqual(TABLE.chains.c.rules)
    expect(chains['input']?.rules).toEqual(TABLE.chains.input.rules)
    expect(await nftRules(set, 'inet', 't', 'c')).toEqual(RULES)
    expect(await nftRules(set, 'inet', 't', 'input')).toEqual(['tcp dport 80 synproxy name "web"'])
    await nftFile(other, `table inet t { ${DECLARATIONS}\n}`)
    expect(await objectsOf(set, 't')).toEqual(await objectsOf(other, 't'))
  })

  test('a synproxy that depends on the port comes back as it was given', async () => {
    using set = anyonesSet(['net'])
    const rules = [[{ synproxy: { 'tcp dport': { map: [[80, 'web']] } } }]] as const
    const { synproxies } = TABLE
    await set.network.firewall.replace('t', { synproxies, chains: { input: { hook: 'input', rules } } })
    expect((await set.network.firewall.get('t')).chains['input']?.rules).toEqual(rules)
    expect(await nftRules(set, 'inet', 't', 'input')).toEqual(['synproxy name tcp dport map { 80 : "web" }'])
  })

  test('of nft are read, and stay with their rules if they do not change', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    await nftFile(
      set,
      `table inet t { ${DECLARATIONS}\nchain c {\n${RULES.map((rule) => `counter ${rule}`).join('\n')}\n}\n}`,
    )
    const table = await firewall.get('t')
    const { helpers, timeouts, expectations, synproxies } = TABLE
    expect(table).toMatchObject({ helpers, timeouts, expectations, synproxies })
    expect(table.chains['c']?.rules).toEqual(TABLE.chains.c.rules.map((rule) => ['counter', ...rule]))
    const handles = async () => (await nft(set, '-a', 'list', 'chain', 'inet', 't', 'c')).match(/# handle \d+/g)
    const before = await handles()
    // Default values of the kernel are as if they were omitted.
    const short = { protocol: 'tcp', policy: { ...timeouts.short.policy, synSent: 120_000 } } as const
    await firewall.replace('t', { ...table, timeouts: { ...timeouts, short } })
    expect(await handles()).toEqual(before)
    await firewall.replace('t', { ...table, helpers: { ...helpers, ftp: { type: 'sip', protocol: 'tcp' } } })
    expect((await firewall.get('t')).helpers?.['ftp']).toEqual({ type: 'sip', protocol: 'tcp' })
    expect((await handles())?.slice(-2)).toEqual(before?.slice(-2))
  })

  test('decide how long a connection is remembered', async () => {
    using set = anyonesSet(['net'])
    const { conntrack, firewall, links } = set.network
    await links.set('lo', { up: true })
    await firewall.replace('t', {
      timeouts: { brief: { protocol: 'udp', policy: { unreplied: 9000 } } },
      chains: { output: { hook: 'output', rules: [[{ 'udp dport': 9 }, { set: { 'ct timeout': 'brief' } }]] } },
    })
    const socket = set.network.createSocket('udp4')
    socket.send('x', 9, '127.0.0.1')
    await once(socket, 'listening')
    const times = async () =>
      (await conntrack.list({ destinationPort: 9 })).map(({ timeout }) => (timeout as number) > 0)
    await expect.poll(times, { timeout: 10_000 }).toEqual([true])
    const [connection] = await conntrack.list({ destinationPort: 9 })
    // The kernel's default value is 30 s.
    expect(connection?.timeout).toBeLessThanOrEqual(9000)
    await new Promise<void>((resolve) => socket.close(resolve))
  })

  test('are reported by watch', async () => {
    using set = anyonesSet(['net'])
    const { network } = set
    await network.firewall.replace('t', TABLE)
    const kinds = new Set<string>()
    for await (const event of network.watch('firewall', { existing: true, signal: AbortSignal.timeout(20_000) })) {
      if (event.type === 'resync') continue
      kinds.add(event.value.kind)
      if (event.value.kind === 'helper' && event.value.name === 'ftp') {
        expect(event.value).toEqual({
          kind: 'helper',
          family: 'inet',
          table: 't',
          name: 'ftp',
          helper: TABLE.helpers.ftp,
        })
      }
      if (['helper', 'timeout', 'expectation', 'synproxy'].every((kind) => kinds.has(kind))) break
    }
    expect([...kinds]).toContain('timeout')
  })

  test('a helper that the kernel lacks is named', async () => {
    using set = anyonesSet(['net'])
    const wrong = { helpers: { x: { type: 'nosuch', protocol: 'tcp' } } } as const
    const failure = await failureOf(() => set.network.firewall.replace('t', wrong))
    expect(failure).toMatchObject({ code: 'ENOENT' })
    expect(failure.message).toContain('helpers.x')
    expect(failure.message).toContain('nf_conntrack_nosuch')
  })
})

describe('marks of a security module', () => {
  test('come back as they were given, and nft reads them', async ({ skip }) => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    const secmarks = { ssh: { context: 'system_u:object_r:ssh_server_packet_t:s0' } }
    const chains = { c: { rules: [[{ 'tcp dport': 22 }, { set: { 'meta secmark': 'ssh' } }]] } } as const
    try {
      await firewall.replace('t', { secmarks, chains })
    } catch (error) {
      if (!['ENOENT', 'EINVAL', 'EOPNOTSUPP'].includes((error as { code: string }).code)) throw error
      skip(`no security module has this context: ${error}`)
    }
    const table = await firewall.get('t')
    expect(table.secmarks).toEqual(secmarks)
    expect(table.chains['c']?.rules).toEqual(chains.c.rules)
    expect(await nftRules(set, 'inet', 't', 'c')).toEqual(['tcp dport 22 meta secmark set "ssh"'])
  })

  test('are copied from and to the connection', async () => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    const rules = [[{ set: { 'meta secmark': { from: 'ct secmark' } } }]] as const
    await firewall.replace('t', { chains: { c: { rules } } })
    expect((await firewall.get('t')).chains['c']?.rules).toEqual(rules)
    expect(await nftRules(set, 'inet', 't', 'c')).toEqual(['meta secmark set ct secmark'])
  })
})

describe('flow tables', () => {
  const table = {
    flowTables: { fast: { hook: 'ingress', priority: 'filter', devices: ['left', 'right'] } },
    chains: { forward: { hook: 'forward', rules: [[{ 'ct state': 'established' }, { 'flow add': '@fast' }]] } },
  } satisfies FirewallTableSpec

  test('come back as they were given, and nft reads and writes them', async ({ skip }) => {
    using set = anyonesSet(['net'])
    const { firewall, links } = set.network
    await links.add({ kind: 'veth', name: 'left', peer: { name: 'right' } })
    try {
      await firewall.replace('t', table)
    } catch (error) {
      if ((error as { code: string }).code !== 'ENOENT') throw error
      expect(String(error)).toContain('flowTables.fast')
      expect(String(error)).toContain('nf_flow_table')
      skip(`this kernel lacks flow tables: ${error}`)
    }
    expect(await firewall.get('t')).toMatchObject(table)
    expect(await nftRules(set, 'inet', 't', 'forward')).toEqual(['ct state established flow add @fast'])
    const counted = { fast: { ...table.flowTables.fast, counter: true, priority: -5, devices: ['left'] } }
    await firewall.replace('t', { ...table, flowTables: counted })
    expect((await firewall.get('t')).flowTables).toEqual(counted)
    const text = await nft(set, 'list', 'table', 'inet', 't')
    for (const part of ['hook ingress priority filter - 5', 'devices = { left }', 'counter'])
      expect(text).toContain(part)
    await nftFile(
      set,
      `table ip u {
        flowtable f { hook ingress priority 10; devices = { right }; }
        chain c { type filter hook forward priority 0; meta l4proto { tcp, udp } flow add @f; }
      }`,
    )
    expect(await firewall.get({ name: 'u', family: 'ip' })).toMatchObject({
      flowTables: { f: { hook: 'ingress', priority: 10, devices: ['right'] } },
      chains: { c: { rules: [[{ 'meta l4proto': ['tcp', 'udp'] }, { 'flow add': '@f' }]] } },
    })
  })
})

const set = anyonesSet(['net'])
afterAll(() => set.close())
const given = (table: unknown) => () => set.network.firewall.replace('t', untyped<FirewallTableSpec>(table))
const rule = (...statements: unknown[]) => given({ chains: { c: { rules: [statements] } } })
const at = 'table.chains.c.rules[0][0]'

const CASES: Case[] = [
  ['a helper without a protocol', given({ helpers: { x: { type: 'ftp' } } }), value('table.helpers.x.protocol')],
  [
    'a protocol that is none',
    given({ helpers: { x: { type: 'ftp', protocol: 'tpc' } } }),
    value('table.helpers.x.protocol', "did you mean 'tcp'?"),
  ],
  [
    'a state of the other protocol',
    given({ timeouts: { x: { protocol: 'udp', policy: { established: 1000 } } } }),
    value("Unknown option 'established' of table.timeouts.x.policy"),
  ],
  [
    'a part of a second',
    given({ timeouts: { x: { protocol: 'tcp', policy: { close: 1500 } } } }),
    value('table.timeouts.x.policy.close', 'whole seconds'),
  ],
  [
    'too many expected connections',
    given({ expectations: { x: { protocol: 'udp', port: 1, timeout: 1, size: 256 } } }),
    range('table.expectations.x.size'),
  ],
  [
    'a helper that is not in the table',
    given({
      helpers: { ftp: { type: 'ftp', protocol: 'tcp' } },
      chains: { c: { rules: [[{ set: { 'ct helper': 'fpt' } }]] } },
    }),
    value(at, 'names a helper that is not in the table', "did you mean 'ftp'?"),
  ],
  ['a timeout that is not in the table', rule({ set: { 'ct timeout': 'x' } }), value(at, 'names a timeout')],
  ['a synproxy that is not in the table', rule({ synproxy: 'x' }), value(at, 'names a synproxy')],
  ['a flow table that is not in the table', rule({ 'flow add': '@f' }), value(at, 'names a flow table')],
  ['a flow table without an @', rule({ 'flow add': 'f' }), value(`${at}.flow add`, "'@fast'")],
  ['a flow table at another hook', given({ flowTables: { f: { hook: 'egress' } } }), value('table.flowTables.f.hook')],
  [
    'a number as a secmark',
    rule({ set: { 'meta secmark': 5 } }),
    ['TypeError', 'ERR_INVALID_ARG_TYPE', 'meta secmark'],
  ],
]

describe('errors in these', () => {
  refuses(CASES)
})
