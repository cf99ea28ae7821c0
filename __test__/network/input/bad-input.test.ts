/** Arguments of networks and actions that make no sense: an action refuses them when it is made, a method rejects. */
import { action, type NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namesOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { range, type, value } from '../../setup/sets/failure.ts'
import { ranged, refusalsOf, type Taker, thrownBy, typed, valued, type Wrong } from '../../setup/sets/refusals.ts'

let set: NamespaceSet

beforeAll(() => {
  set = anyonesSet(['net'])
})

// What was refused was not made.
afterAll(async () => {
  expect(await namesOf(set)).toEqual([])
  set.close()
})

const { refused, refusedBy } = refusalsOf(() => set.network)

const inSpec = (kind: string, field: string): Taker => [
  'links.add',
  `spec.${field}`,
  (value) => [{ kind, name: 'x0', [field]: value }],
]
const inQdisc = (kind: string, field: string): Taker => [
  'qdiscs.replace',
  `spec.${field}`,
  (value) => [{ name: 'x0' }, { kind, [field]: value }],
]
const inRoute = (field: string): Taker => [
  'routes.add',
  `route.${field}`,
  (value) => [{ destination: 'default', [field]: value }],
]
const inAddress = (field: string): Taker => [
  'addresses.add',
  `address.${field}`,
  (value) => ['lo', { cidr: '10.0.0.1/24', [field]: value }],
]
const inRule = (field: string): Taker => ['rules.add', `rule.${field}`, (value) => [{ [field]: value }]]
const inNeighbour = (field: string): Taker => [
  'neighbours.add',
  `neighbour.${field}`,
  (value) => ['lo', { address: '10.0.0.1', [field]: value }],
]
const entry = { mac: '02:00:00:00:00:01' }
const inEntry = (field: string): Taker => [
  'forwardingEntries.add',
  `entry.${field}`,
  (value) => ['lo', { ...entry, [field]: value }],
]
const inPeer = (field: string): Taker => [
  'links.ensure',
  `spec.peer.${field}`,
  (value) => [{ kind: 'veth', name: 'x0', peer: { [field]: value } }],
]
const inChanges = (field: string): Taker => ['links.set', `changes.${field}`, (value) => ['lo', { [field]: value }]]
const inWireGuard = (field: string): Taker => ['wireguard.set', `spec.${field}`, (value) => ['x0', { [field]: value }]]

describe('names of links', () => {
  const names: Wrong[] = [
    ['', valued],
    ['sixteen-bytes-xx', valued],
    ['äöüäöüäö', valued],
    ['a/b', valued],
    ['a:b', valued],
    ['veth%d', valued],
    ['a b', valued],
    ['a\tb', valued],
    ['a\n', valued],
    ['.', valued],
    ['..', valued],
    ['à0', valued],
    ['Р1', valued],
    ['a\u00a0b', valued],
    ['a\0b', (name) => value(name, 'NUL')],
    ['\ud800', (name) => value(name, 'surrogate')],
    [5, typed],
    [null, typed],
    [true, typed],
    [Symbol('name'), typed],
    [1n, typed],
  ]
  refusedBy([inSpec('bridge', 'name'), inPeer('name'), inChanges('name')], names)
  // Where a link is referred to, a number is not taken for a name that has the wrong type.
  // A name of more than 15 bytes can be an alternative name.
  const isLong = (name: unknown) => typeof name === 'string' && Buffer.byteLength(name) > 15
  const refs: Wrong[] = [
    ...names.filter(([name]) => !isLong(name)),
    ['x'.repeat(128), valued],
    ...([[], {}, { ifname: 'lo' }, Buffer.from('lo')] as const).map((ref): Wrong => [ref, typed]),
  ]
  const takers: Taker[] = [
    ['links.get', 'ref', (ref) => [ref]],
    ['links.set', 'ref', (ref) => [ref, {}]],
    ['links.delete', 'ref', (ref) => [ref]],
    ['links.move', 'ref', (ref) => [ref, { pid: process.pid }]],
    ['addresses.list', 'ref', (ref) => [ref]],
    ['addresses.add', 'ref', (ref) => [ref, '10.0.0.1/24']],
    ['addresses.delete', 'ref', (ref) => [ref, '10.0.0.1/24']],
    ['addresses.ensure', 'ref', (ref) => [ref, '10.0.0.1/24']],
    ['addresses.replace', 'ref', (ref) => [ref, '10.0.0.1/24']],
    ['offload.get', 'ref', (ref) => [ref]],
    ['offload.set', 'ref', (ref) => [ref, {}]],
    ['vlans.list', 'ref', (ref) => [ref]],
    ['vlans.add', 'ref', (ref) => [ref, 1]],
    ['vlans.delete', 'ref', (ref) => [ref, 1]],
    ['neighbours.list', 'ref', (ref) => [ref]],
    ['neighbours.add', 'ref', (ref) => [ref, { address: '10.0.0.1' }]],
    ['neighbours.replace', 'ref', (ref) => [ref, { address: '10.0.0.1' }]],
    ['neighbours.delete', 'ref', (ref) => [ref, { address: '10.0.0.1' }]],
    ['forwardingEntries.list', 'ref', (ref) => [ref]],
    ['forwardingEntries.add', 'ref', (ref) => [ref, entry]],
    ['forwardingEntries.append', 'ref', (ref) => [ref, entry]],
    ['forwardingEntries.replace', 'ref', (ref) => [ref, entry]],
    ['forwardingEntries.delete', 'ref', (ref) => [ref, entry]],
    inEntry('via'),
    ['qdiscs.list', 'ref', (ref) => [ref]],
    ['qdiscs.add', 'ref', (ref) => [ref, { kind: 'htb' }]],
    ['qdiscs.replace', 'ref', (ref) => [ref, { kind: 'htb' }]],
    ['qdiscs.delete', 'ref', (ref) => [ref]],
    ['wireguard.get', 'ref', (ref) => [ref]],
    ['wireguard.set', 'ref', (ref) => [ref, {}]],
    ['links.add', 'spec.dev', (dev) => [{ kind: 'macvlan', name: 'x0', dev }]],
    inRoute('dev'),
  ]
  refusedBy(takers, refs)
  refusedBy(
    [inSpec('bridge', 'master'), inPeer('master'), inChanges('master')],
    refs.filter(([wrong]) => wrong !== null),
  )
  for (const [path, , args] of takers.slice(0, 4)) refused(path, args(undefined), type('ref', 'undefined'))
})

describe('alternative names, and settings of ports and kinds', () => {
  const altNames: Taker[] = [
    ['links.set', 'changes.altNames[0]', (name) => ['lo', { altNames: [name] }]],
    ['links.add', 'spec.altNames[0]', (name) => [{ kind: 'bridge', name: 'x0', altNames: [name] }]],
  ]
  refusedBy(altNames, [
    ['', valued],
    ['x'.repeat(128), valued],
    ['a\0', (name) => value(name, 'NUL')],
    [5, typed],
    [null, typed],
  ])
  refused('links.set', ['lo', { altNames: 'one' }], type('changes.altNames'))
  refused('links.set', ['lo', { bridgePort: { hairpin: 1 } }], type('changes.bridgePort.hairpin'))
  refused('links.set', ['lo', { bridgePort: { priority: 64 } }], range('changes.bridgePort.priority'))
  refused('links.set', ['lo', { bridgePort: null }], type('changes.bridgePort'))
  refused('links.set', ['lo', { bondPort: { queueId: 65_536 } }], range('changes.bondPort.queueId'))
  refused('links.set', ['lo', { kind: 'veth' }], value('changes.kind', "'bond', 'bridge'"))
  refused('links.set', ['lo', { kind: 'bond', arpIpTargets: ['fd00::1'] }], value('changes.arpIpTargets[0]'))
  refused('links.add', [{ kind: 'bridge', name: 'x0', numTxQueues: 0 }], range('spec.numTxQueues'))
  refused('links.move', ['lo', { pid: 1 }, { name: 'a/b' }], value('options.name'))
})

describe('indexes and aliases of links', () => {
  const get: Taker = ['links.get', 'ref.index', (index) => [{ index }]]
  refusedBy(
    [get, ['links.set', 'changes.master.index', (index) => ['lo', { master: { index } }]]],
    [
      [0, ranged],
      [-1, ranged],
      [1.5, ranged],
      [2 ** 31, ranged],
      [Number.NaN, ranged],
      [Number.POSITIVE_INFINITY, ranged],
      ['1', typed],
      [null, typed],
      [1n, typed],
    ],
  )
  refusedBy(
    [
      ['links.get', 'ref.alias', (alias) => [{ alias }]],
      inChanges('alias'),
      inSpec('bridge', 'alias'),
      inPeer('alias'),
    ],
    [
      ['x'.repeat(256), valued],
      ['ä'.repeat(128), valued],
      ['a\0', valued],
      ['\udfff', valued],
      [5, typed],
      [null, typed],
      [['a'], typed],
    ],
  )
  // The index is what counts, and is not passed over for a name that would do.
  refused('links.get', [{ index: 0, name: 'lo' }], range('ref.index'))
})

describe('whole numbers', () => {
  /** What is wrong with every number between these. */
  const beyond = (least: number, most: number): Wrong[] => [
    [least - 1, ranged],
    [most + 1, ranged],
    [least + 0.5, ranged],
    [Number.NaN, ranged],
    [Number.POSITIVE_INFINITY, ranged],
    [String(least), typed],
    [BigInt(least), typed],
    [null, typed],
    [[least], typed],
  ]
  const U32 = 2 ** 32 - 1
  const numbers: [number, number, Taker[]][] = [
    [0, 2 ** 31 - 1, [inSpec('bridge', 'mtu'), inPeer('mtu'), inChanges('mtu')]],
    [0, 0xffffff, [inSpec('vxlan', 'id'), inSpec('geneve', 'id')]],
    [0, 4094, [inSpec('vlan', 'id'), inSpec('bridge', 'vlanDefaultPvid')]],
    [0, 65535, [inSpec('bridge', 'priority'), inSpec('vxlan', 'port'), inSpec('geneve', 'port')]],
    [0, 255, [inSpec('vxlan', 'ttl'), inSpec('geneve', 'ttl'), inSpec('gretap', 'ttl'), inSpec('ipip', 'ttl')]],
    [0, U32, [inSpec('gre', 'key'), inSpec('tun', 'owner'), inSpec('tun', 'group')]],
    [1, U32, [inSpec('vrf', 'table')]],
    [0, U32, ['priority', 'fwmark', 'fwmask', 'table', 'realm'].map(inRule)],
    [0, 255, [inRule('tos'), inNeighbour('protocol')]],
    [1, 65_535, [inRule('sport'), inRule('dport'), inEntry('port')]],
    [0, 2 ** 24 - 1, [inEntry('vni'), inEntry('sourceVni')]],
    [1, 4094, [inEntry('vlan')]],
    [0, 128, [inRule('suppressPrefixLength')]],
    [0, U32, [inRoute('metric'), inRoute('table'), ['routes.list', 'options.table', (table) => [{ table }]]]],
    [0, U32, [inQdisc('fq_codel', 'limit'), inQdisc('fq_codel', 'flows'), inQdisc('netem', 'limit')]],
    [1, U32, [inQdisc('tbf', 'burst'), inQdisc('tbf', 'limit')]],
    [0, 65535, [inQdisc('htb', 'defaultClass'), inWireGuard('listenPort')]],
    [0, U32, [inWireGuard('fwmark')]],
    [8, Number.MAX_SAFE_INTEGER, [inQdisc('tbf', 'rate'), inQdisc('netem', 'rate')]],
  ]
  for (const [least, most, takers] of numbers) refusedBy(takers, beyond(least, most))
  refusedBy([inQdisc('tbf', 'rate')], [['10mbit', typed]])
  // A scope and a type of route may be numbers, too: of eight bits.
  refusedBy(
    [inAddress('scope'), inRoute('scope'), inRoute('type')],
    [
      [-1, ranged],
      [256, ranged],
      [0.5, ranged],
      ['everywhere', valued],
      ['Global', valued],
      ['', valued],
      [null, valued],
      [['link'], valued],
    ],
  )
})

describe('percentages and durations', () => {
  const percentages = ['loss', 'duplicate', 'corrupt', 'reorder'].map((field) => inQdisc('netem', field))
  const durations = [
    ...['latency', 'jitter'].map((field) => inQdisc('netem', field)),
    ...['target', 'interval'].map((field) => inQdisc('fq_codel', field)),
    ...['forwardDelay', 'helloTime', 'maxAge', 'ageingTime'].map((field) => inSpec('bridge', field)),
    inQdisc('tbf', 'latency'),
    inSpec('bond', 'monitorInterval'),
    inSpec('vxlan', 'ageingTime'),
  ]
  refusedBy(percentages, [
    [100.001, ranged],
    [1000, ranged],
  ])
  refusedBy(
    [...percentages, ...durations],
    [
      [-0.001, ranged],
      [Number.NaN, ranged],
      [Number.POSITIVE_INFINITY, ranged],
      [Number.NEGATIVE_INFINITY, ranged],
      ['5', typed],
      ['5%', typed],
      [null, typed],
      [5n, typed],
      [new Date(0), typed],
    ],
  )
})

describe('switches', () => {
  const takers = [
    ...['up', 'promiscuous'].flatMap((field) => [inSpec('bridge', field), inPeer(field), inChanges(field)]),
    ...['stp', 'vlanFiltering', 'multicastSnooping'].map((field) => inSpec('bridge', field)),
    inSpec('vxlan', 'learning'),
    inAddress('noDuplicateDetection'),
    inRoute('onLink'),
    inQdisc('fq_codel', 'ecn'),
    inWireGuard('replacePeers'),
  ]
  refusedBy(
    [...takers, ['links.delete', 'options.force', (force) => ['lo', { force }]]],
    [
      [0, typed],
      [1, typed],
      ['true', typed],
      [null, typed],
      [{}, typed],
    ],
  )
})

describe('addresses of links', () => {
  refusedBy(
    [inSpec('bridge', 'mac'), inPeer('mac'), inChanges('mac')],
    [
      ['', valued],
      ['02:00:00:00:00', valued],
      ['02:00:00:00:00:01:02', valued],
      ['02:00:00:00:00:0g', valued],
      ['02-00-00-00-00-01', valued],
      ['020000000001', valued],
      [' 02:00:00:00:00:01', valued],
      ['02:00:00:00:00:01\n', valued],
      ['002:00:00:00:00:01', valued],
      [':::::', valued],
      [2, typed],
      [null, typed],
      [Buffer.alloc(6), typed],
    ],
  )
})

describe('IP addresses', () => {
  const senseless: Wrong[] = [
    ['', valued],
    ['10.0.0', valued],
    ['10.0.0.256', valued],
    ['010.0.0.1', valued],
    ['10.0.0.1 ', valued],
    ['::g', valued],
    ['1:2:3:4:5:6:7', valued],
    ['fe80::1%lo', valued],
    ['localhost', valued],
    ['10.0.0.1\0', valued],
    [0x0a000001, typed],
    [null, typed],
    [['10.0.0.1'], typed],
  ]
  const prefixed: Wrong[] = [
    ['10.0.0.1/33', valued],
    ['fd00::1/129', valued],
    ['10.0.0.1/', valued],
    ['10.0.0.1/-1', valued],
    ['10.0.0.1/+8', valued],
    ['10.0.0.1/8.0', valued],
    ['10.0.0.1/255.0.0.0', valued],
    ['10.0.0.1/8/8', valued],
    ['/8', valued],
  ]
  const plain = [inRoute('via'), inRoute('source'), inAddress('peer')]
  refusedBy([...plain, inSpec('vxlan', 'remote'), inSpec('vxlan', 'group'), inSpec('geneve', 'remote')], senseless)
  refusedBy(plain, [['10.0.0.1/24', valued]])
  const four = [inAddress('broadcast'), inSpec('gretap', 'local'), inSpec('gre', 'remote'), inSpec('ipip', 'local')]
  refusedBy(four, [...senseless, ['fd00::1', valued]])
  const cidr: Taker = ['addresses.add', 'address.cidr', (cidr) => ['lo', { cidr }]]
  const destination: Taker = ['routes.replace', 'route.destination', (destination) => [{ destination, dev: 'lo' }]]
  refusedBy([cidr, destination], [...senseless, ...prefixed])
  const strings = [...senseless, ...prefixed].filter(([wrong]) => typeof wrong === 'string')
  refusedBy(
    [
      ['addresses.add', 'address', (address) => ['lo', address]],
      ['addresses.delete', 'address', (address) => ['lo', address]],
      [
        'links.add',
        'spec.addresses[1]',
        (address) => [{ kind: 'bridge', name: 'x0', addresses: ['10.0.0.1', address] }],
      ],
    ],
    [...strings, [5, typed], [null, typed], [[], typed], [{}, (name) => value(`${name}.cidr`, 'is required')]],
  )
  refusedBy([destination], [['Default', valued]])
})

describe('kinds', () => {
  for (const kind of [
    '',
    'Bridge',
    'loopback',
    'hardware',
    '__proto__',
    'constructor',
    'toString',
    5,
    null,
    undefined,
  ]) {
    refused('links.add', [{ kind, name: 'x0' }], value('spec.kind', 'bridge', 'veth'))
    refused('qdiscs.add', ['lo', { kind, rate: 8 }], value('spec.kind', 'netem', 'tbf'))
  }
  refusedBy(
    [
      inSpec('macvlan', 'mode'),
      inSpec('ipvlan', 'mode'),
      inSpec('tun', 'mode'),
      inSpec('bond', 'mode'),
      inSpec('vlan', 'protocol'),
    ],
    [
      ['', valued],
      ['Bridge', valued],
      [1, valued],
      [null, valued],
    ],
  )
})

describe('handles of queueing disciplines', () => {
  refusedBy(
    [
      inQdisc('htb', 'handle'),
      inQdisc('htb', 'parent'),
      ['qdiscs.delete', 'options.parent', (parent) => ['lo', { parent }]],
    ],
    [
      ['', valued],
      ['1', valued],
      ['1:2:3', valued],
      ['12345:', valued],
      ['g:', valued],
      ['Root', valued],
      ['1:\n', valued],
      [1, typed],
      [null, typed],
    ],
  )
})

describe('what must be given', () => {
  const given = (name: string) => value(name, 'is required')
  refused('links.add', [{ kind: 'bridge' }], given('spec.name'))
  refused('links.add', [{ kind: 'bridge', name: undefined }], given('spec.name'))
  refused('links.add', [{ name: 'x0' }], value('spec.kind'))
  refused('links.add', [{ kind: 'vxlan', name: 'x0' }], given('spec.id'))
  refused('links.add', [{ kind: 'geneve', name: 'x0' }], given('spec.id'))
  refused('links.add', [{ kind: 'vlan', name: 'x0', dev: 'lo' }], given('spec.id'))
  refused('links.add', [{ kind: 'vlan', name: 'x0', id: 5 }], given('spec.dev'))
  refused('links.add', [{ kind: 'macvlan', name: 'x0' }], given('spec.dev'))
  refused('links.add', [{ kind: 'ipvlan', name: 'x0' }], given('spec.dev'))
  refused('links.add', [{ kind: 'vrf', name: 'x0' }], given('spec.table'))
  refused('links.add', [{ kind: 'other', name: 'x0' }], given('spec.type'))
  refused('qdiscs.add', ['lo', { kind: 'tbf' }], given('spec.rate'))
  refused('qdiscs.add', ['lo', { kind: 'other' }], given('spec.type'))
  refused('routes.add', [{ dev: 'lo' }], given('route.destination'))
  refused('wireguard.set', ['x0', { peers: [{ allowedIps: [] }] }], given('spec.peers[0].publicKey'))
  refused('sysctls.get', [], type('name', 'undefined'))
  refused('sysctls.set', ['net.ipv4.ip_forward'], type('value', 'undefined'))
  for (const path of ['links.add', 'links.ensure']) refused(path, [], type('spec', 'undefined'))
  for (const path of ['links.set', 'qdiscs.add', 'wireguard.set']) refused(path, ['lo'], type('undefined'))
  for (const path of ['routes.add', 'routes.replace', 'routes.delete']) refused(path, [], type('route', 'undefined'))
  refused('links.move', ['lo'], type('set', 'undefined'))
})

describe('what is no object, and no array', () => {
  for (const wrong of [null, 5, 'bridge', [], () => ({}), Symbol('spec')]) {
    refused('links.add', [wrong], type('spec'))
    refused('links.set', ['lo', wrong], type('changes'))
    refused('qdiscs.add', ['lo', wrong], type('spec'))
    refused('routes.add', [wrong], type('route'))
    refused('wireguard.set', ['lo', wrong], type('spec'))
    refused('links.add', [{ kind: 'veth', name: 'x0', peer: wrong }], type('spec.peer'))
    refused('links.delete', ['lo', wrong], type('options'))
    refused('routes.list', [wrong], type('options'))
  }
  const array = (value: unknown): unknown[] => Object.assign([], { 1: value })
  refused('links.add', [{ kind: 'bridge', name: 'x0', addresses: '10.0.0.1/24' }], type('spec.addresses', 'an array'))
  refused('links.set', ['lo', { addresses: { 0: '10.0.0.1', length: 1 } }], type('changes.addresses', 'an array'))
  refused('links.set', ['lo', { addresses: new Set(['10.0.0.1']) }], type('changes.addresses', 'an array'))
  refused('links.set', ['lo', { addresses: array('10.0.0.1/24') }], type('changes.addresses[0]', 'undefined'))
  refused('wireguard.set', ['x0', { peers: {} }], type('spec.peers', 'an array'))
  refused('wireguard.set', ['x0', { peers: array({}) }], type('spec.peers[0]', 'undefined'))
})

describe('sets', () => {
  const takers: Taker[] = [['links.move', 'set', (other) => ['lo', other]], inPeer('set')]
  refusedBy(takers, [
    [null, typed],
    [5, typed],
    ['blue', typed],
    [[], typed],
    [{}, typed],
    [{ set: 'blue' }, typed],
    [{ name: 5 }, (name) => type(`${name}.name`)],
    [{ name: '' }, (name) => value(`${name}.name`)],
    [{ name: '../blue' }, (name) => value(`${name}.name`)],
    [{ name: 'x'.repeat(256) }, (name) => value(`${name}.name`)],
    [{ name: 'blue', directory: 5 }, (name) => type(`${name}.directory`)],
    [{ name: 'blue', directory: '' }, (name) => value(`${name}.directory`)],
    [{ path: '' }, (name) => value(`${name}.path`)],
    [{ path: '/a\0' }, (name) => value(`${name}.path`)],
    [{ path: 5 }, (name) => type(`${name}.path`)],
    [{ pid: 0 }, (name) => range(`${name}.pid`)],
    [{ pid: -1 }, (name) => range(`${name}.pid`)],
    [{ pid: 2 ** 31 }, (name) => range(`${name}.pid`)],
    [{ pid: '1' }, (name) => type(`${name}.pid`)],
    [{ pid: 1, tid: 0 }, (name) => range(`${name}.tid`)],
    [{ pid: 1, tid: null }, (name) => type(`${name}.tid`)],
  ])
  test.each([null, {}, { name: '' }, 'blue'])('action.inside(%j, [])', (wrong) => {
    expect(thrownBy(() => action.inside(wrong as never, [])).code).toMatch(/^ERR_INVALID_ARG_/)
  })
})

describe('sysctls', () => {
  const takers: Taker[] = [
    ['sysctls.get', 'name', (name) => [name]],
    ['sysctls.set', 'name', (name) => [name, 1]],
  ]
  refusedBy(takers, [
    ['', valued],
    ['net', valued],
    ['net.', valued],
    ['net..ipv4', valued],
    ['kernel.hostname', valued],
    ['.net.ipv4', valued],
    ['net/../kernel/hostname', valued],
    ['net/ipv4/./ip_forward', valued],
    ['/proc/sys/net/ipv4/ip_forward', valued],
    ['net.ipv4\0', valued],
    ['net.\ud800', valued],
    [5, typed],
    [null, typed],
    [['net', 'ipv4'], typed],
  ])
  refusedBy(
    [['sysctls.set', 'value', (value) => ['net.ipv4.ip_forward', value]]],
    [
      [Number.NaN, typed],
      [Number.POSITIVE_INFINITY, typed],
      [1n, typed],
      [null, typed],
      [['1'], typed],
      [{}, typed],
      ['1\0', valued],
      ['\udc00', valued],
    ],
  )
})
