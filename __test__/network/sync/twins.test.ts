/**
 * The blocking methods of a network and those with promises: the same names, and the same results and errors for the same calls,
 * in the order written and in random orders.
 */
import fc from 'fast-check'
import { ActionError, action, type NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import type { Groups } from '../../setup/sets/refusals.ts'

// The same seed in every run, so that only a change can cause a failure; another seed tests other values.
fc.configureGlobal({ seed: Number(process.env['NSSET_TEST_SEED'] ?? 1) })

let base: NamespaceSet
beforeAll(() => {
  base = anyonesSet(['net'])
})
afterAll(() => base.close())

const PARTS = [
  'links',
  'addresses',
  'routes',
  'nextHops',
  'rules',
  'neighbours',
  'forwardingEntries',
  'qdiscs',
  'classes',
  'filters',
  'sockets',
  'firewall',
  'conntrack',
  'sysctls',
  'ids',
  'vlans',
  'offload',
  'wireguard',
]

/** The names of the methods that an object's class has. */
function methodsOf(part: object | undefined): string[] {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(part))
  return names.filter((name) => name !== 'constructor').toSorted()
}

/** A call of a method, by its name. */
type Call = readonly [path: string, ...args: unknown[]]

const key = `${'A'.repeat(43)}=`
const [mac, peerMac] = ['02:00:00:00:00:01', '02:00:00:00:00:02']
const veth = { kind: 'veth', name: 'v0', mac, peer: { name: 'v1', mac: peerMac } }
const ofHtb = { kind: 'htb', handle: '1:10', parent: '1:', rate: 1e6 }
const filter = { kind: 'u32', parent: '1:', priority: 5, matches: [{ value: 0, mask: 0, offset: 0 }], class: '1:10' }
const rule = { priority: 100, from: '192.0.2.0/24', table: 100 }
const neighbour = { address: '10.0.0.9', mac: '02:00:00:00:00:09' }
const entry = { mac: '02:00:00:00:00:09', table: 'master', state: 'static' }
const route = { destination: '192.0.2.0/24', via: '10.0.0.2' }

/** Each method with arguments that succeed and some that fail, in an order in which they do. */
const CALLS: Call[] = [
  ['links.list'],
  ['links.get', 'none0'],
  ['links.add', { kind: 'bridge', name: 'br0', mac, up: true, addresses: ['10.0.0.1/24'] }],
  ['links.add', { kind: 'bridge', name: 'br0', mac }],
  ['links.ensure', { kind: 'bridge', name: 'br0', mac, mtu: 1400 }],
  ['links.ensure', veth],
  ['links.ensure', { kind: 'ifb', name: 'br0', mac }],
  ['links.add', { kind: 'other', type: 'nonsense', name: 'n0' }],
  ['links.get', { index: 4711 }],
  ['links.set', 'v0', { master: 'br0', up: true, alias: 'port' }],
  ['links.set', 'v0', { master: { index: 4711 } }],
  ['links.get', { alias: 'port' }],
  ['links.set', 'none0', { up: true }],
  ['addresses.add', 'br0', 'fd00::1/64'],
  ['addresses.add', 'br0', '10.0.0.1/24'],
  ['addresses.list', 'br0'],
  ['addresses.list', 'none0'],
  ['addresses.delete', 'br0', '10.9.9.9/24'],
  ['routes.add', route],
  ['routes.add', route],
  ['routes.add', { destination: 'default', via: '10.255.0.1' }],
  ['routes.append', { ...route, via: '10.0.0.4' }],
  ['routes.replace', { ...route, via: '10.0.0.3' }],
  ['routes.list', { table: 254 }],
  ['routes.delete', { destination: '198.51.100.0/24' }],
  ['routes.delete', { destination: route.destination }],
  ['routes.lookup', '10.0.0.9'],
  ['routes.lookup', '203.0.113.1'],
  ['nextHops.add', { id: 1, via: '10.0.0.9', dev: 'br0' }],
  ['nextHops.add', { id: 1, via: '10.0.0.9', dev: 'br0' }],
  ['nextHops.replace', { id: 1, via: '10.0.0.8', dev: 'br0' }],
  ['nextHops.list'],
  ['nextHops.delete', 1],
  ['nextHops.delete', 1],
  ['addresses.ensure', 'br0', '10.0.0.1/24'],
  ['addresses.replace', 'br0', { cidr: '10.0.0.1/24', validLifetime: 3_600_000 }],
  ['addresses.ensure', 'br0', { cidr: '10.0.0.1/24', label: 'br0:x' }],
  ['links.set', 'br0', { altNames: ['the-switch'], kind: 'bridge', ageingTime: 1000 }],
  ['links.get', 'the-switch'],
  ['vlans.add', 'v0', 10],
  ['vlans.list', 'v0'],
  ['vlans.delete', 'v0', { id: 10 }],
  ['vlans.list', 'none0'],
  ['links.peer', 'v0'],
  ['links.peer', 'none0'],
  ['ids.list'],
  ['ids.get', { pid: process.pid }],
  ['ids.set', { name: 'no-such-name' }, 7],
  ['ids.find', 7, []],
  ['ids.find', -1, []],
  ['offload.get', 'v0'],
  ['offload.set', 'v0', { tso: false, gro: true }],
  ['offload.set', 'v0', { features: { 'no-such-feature': true } }],
  ['offload.set', 'none0', {}],
  ['rules.add', rule],
  ['rules.add', rule],
  ['rules.list'],
  ['rules.delete', { priority: 4711 }],
  ['rules.delete', rule],
  ['neighbours.add', 'br0', neighbour],
  ['neighbours.add', 'br0', neighbour],
  ['neighbours.replace', 'br0', { ...neighbour, mac: peerMac }],
  ['neighbours.list', 'br0'],
  ['neighbours.delete', 'br0', neighbour],
  ['neighbours.delete', 'br0', neighbour],
  ['forwardingEntries.add', 'v0', entry],
  ['forwardingEntries.add', 'v0', entry],
  ['forwardingEntries.append', 'br0', entry],
  ['forwardingEntries.replace', 'v0', { ...entry, state: 'permanent' }],
  ['forwardingEntries.list', 'none0'],
  ['forwardingEntries.list', 'lo'],
  ['forwardingEntries.delete', 'v0', entry],
  ['forwardingEntries.delete', 'v0', entry],
  ['qdiscs.add', 'v0', { kind: 'htb', handle: '1:' }],
  ['qdiscs.add', 'v0', { kind: 'htb' }],
  ['qdiscs.replace', 'v1', { kind: 'tbf', rate: 1e6 }],
  ['qdiscs.list', 'v0'],
  ['qdiscs.list', 'none0'],
  ['classes.add', 'v0', ofHtb],
  ['classes.add', 'v0', ofHtb],
  ['classes.replace', 'v0', { ...ofHtb, rate: 2e6 }],
  ['classes.list', 'v0'],
  ['filters.add', 'v0', filter],
  ['filters.add', 'v0', { ...filter, parent: '9:' }],
  ['filters.replace', 'v0', { ...filter, handle: 0x800 }],
  ['filters.list', 'v0'],
  ['filters.delete', 'v0', filter],
  ['filters.delete', 'v0', filter],
  ['classes.delete', 'v0', '1:10'],
  ['classes.delete', 'v0', '1:10'],
  ['qdiscs.delete', 'v0'],
  ['qdiscs.delete', 'v0'],
  ['sockets.list'],
  ['sockets.list', { protocols: 'tcp' }],
  ['sockets.destroy', { protocols: 'tcp', localPort: 1 }],
  ['sockets.destroy', {}],
  ['firewall.replace', 'filter', { chains: { c: { rules: [[{ 'tcp dport': [22, 80] }, 'accept']] } } }],
  ['firewall.replace', 'filter', { chains: { c: { hook: 'input', rules: [['masquerade']] } } }],
  ['firewall.get', 'filter'],
  ['firewall.list'],
  ['firewall.counters', 'filter'],
  ['firewall.addElements', 'filter', 'none', [5]],
  ['firewall.deleteElements', 'filter', 'none', [5]],
  ['firewall.delete', 'filter'],
  ['firewall.delete', 'filter'],
  ['firewall.get', 'filter'],
  // Without a filter it can have what the kernel itself sends over IPv6 in one of the networks.
  ['conntrack.list', { protocol: 'udp' }],
  ['conntrack.list', { protocol: 'tcp' }],
  ['conntrack.delete', { protocol: 'tcp' }],
  ['conntrack.delete', {}],
  ['conntrack.flush'],
  ['conntrack.statistics'],
  ['sysctls.get', 'net.ipv4.ip_forward'],
  ['sysctls.set', 'net.ipv4.ip_forward', true],
  ['sysctls.get', 'net.ipv4.conf.br0.forwarding'],
  ['sysctls.get', 'net.ipv4.nonsense'],
  ['sysctls.set', 'net.ipv4.ip_forward', 'nonsense'],
  ['wireguard.get', 'br0'],
  ['wireguard.get', 'none0'],
  ['wireguard.set', 'br0', { privateKey: key }],
  ['links.move', 'none0', { pid: process.pid }],
  ['links.move', 'v1', { path: '/nowhere/net' }],
  ['addresses.delete', 'br0', '10.0.0.1/24'],
  ['links.delete', 'v0'],
  ['links.delete', 'v0'],
  ['links.delete', 'v0', { force: true }],
  ['links.list'],
  // Invalid arguments.
  ['links.get', 5],
  ['links.add', { kind: 'bridge', name: 'br1', colour: 'red' }],
  ['links.delete', 'br0', { forced: true }],
  ['addresses.add', 'br0', '10.0.0.300/24'],
  ['sysctls.get', 'kernel.hostname'],
]

/** What a call came to: its result without what differs from network to network, or its error. */
async function outcomeOf(network: object, [path, ...args]: Call): Promise<unknown> {
  const [group = '', method = ''] = path.split('.')
  try {
    const result = await (network as Groups)[group]?.[method]?.(...args)
    return { result: JSON.parse(JSON.stringify({ result }, withoutTheMoment)) }
  } catch (error) {
    const { name, message, code, errno, syscall, path, cause } = error as ActionError
    const fields = { Class: error?.constructor, name, message, code, errno, syscall, path, cause: String(cause) }
    if (!(error instanceof ActionError)) return fields
    const { index, action, target, results } = error
    return { ...fields, index, action, target, results }
  }
}

/** Counters and states that change by themselves, handles that the kernel numbers, and what IPv6 and multicast do in their own time. */
const OF_THE_MOMENT = ['statistics', 'running', 'carrier', 'operationalState', 'state', 'handle']

function withoutTheMoment(key: string, value: unknown): unknown {
  if (OF_THE_MOMENT.includes(key)) return undefined
  if (!Array.isArray(value)) return value
  return value.filter((each) => each?.family !== 'IPv6' && each?.state !== 'noarp')
}

describe.each(PARTS)('network.sync.%s', (part) => {
  test(`has the methods of network.${part}`, () => {
    const { network } = base
    const methods = methodsOf((network as unknown as Groups)[part])
    expect(methodsOf((network.sync as unknown as Groups)[part])).toEqual(methods)
    const tried = new Set(CALLS.map(([path]) => path))
    expect(methods.filter((method) => !tried.has(`${part}.${method}`))).toEqual([])
  })
})

test('there is no part with promises alone', () => {
  const { network } = base
  const parts = Object.entries(network).filter(([, part]) => typeof part === 'object' && methodsOf(part).length > 0)
  expect(parts.map(([name]) => name)).toEqual(PARTS)
})

test('each call has the same result or error with a promise and without', async () => {
  using promised = base.unshareSync('net')
  using blocking = base.unshareSync('net')
  for (const call of CALLS) {
    const [one, other] = [await outcomeOf(promised.network, call), await outcomeOf(blocking.network.sync, call)]
    expect(other, call.join(' ')).toEqual(one)
  }
  expect(await ip(blocking, '-o link')).toContain('br0')
})

test('calls in random orders have the same results and errors, and leave the same network', async () => {
  const calls = fc.array(fc.constantFrom(...CALLS), { minLength: 5, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(calls, async (calls) => {
      using promised = base.unshareSync('net')
      using blocking = base.unshareSync('net')
      for (const call of calls) {
        const [one, other] = [await outcomeOf(promised.network, call), await outcomeOf(blocking.network.sync, call)]
        expect(other, call.join(' ')).toEqual(one)
      }
      const listing = async (set: NamespaceSet) => (await ip(set, '-o -4 address')) + (await ip(set, '-4 route'))
      expect(await listing(blocking)).toBe(await listing(promised))
    }),
    { numRuns: 20 },
  )
}, 120_000)

test('lists of actions have the same results, and the same errors with the results before', async () => {
  using promised = base.unshareSync('net')
  using blocking = base.unshareSync('net')
  const lists = [
    [],
    [action.links.add({ kind: 'bridge', name: 'br0', mac }), action.links.get('br0'), action.addresses.list('br0')],
    [action.links.get('br0'), action.links.get(({ results }) => results[0] as { index: number })],
    [action.call('length', ({ results }) => results.length), action.call('set', ({ set }) => typeof set.id('net'))],
    [action.links.get('lo'), action.links.get('none0'), action.links.list()],
    [action.links.get('lo'), action.links.move('lo', { path: '/nowhere/net' })],
    [action.links.get('lo'), action.inside({ name: 'nowhere' }, [])],
    [action.inside(base, [action.links.get('none0')])],
    [action.spawn('/nowhere/program')],
    [
      action.call('fail', () => {
        throw Object.assign(new Error('out of luck'), { code: 'E_OWN' })
      }),
    ],
  ]
  for (const list of lists) {
    const calls = [promised.network, blocking.network.sync].map((network) =>
      outcomeOf({ '': network }, ['.apply', list]),
    )
    const [one, other] = await Promise.all(calls)
    expect(other).toEqual(one)
  }
})
