/** Arguments of networks that are secret, unknown, odd objects, or wrong only beside others. */
import { inspect } from 'node:util'
import { ActionError, action, type NamespaceSet, wireguard } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namesOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Expected, expectFailure, failureOf, type, value } from '../../setup/sets/failure.ts'
import { type Call, type Groups, refusalsOf, thrownBy, typed, valued } from '../../setup/sets/refusals.ts'

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

describe('what is secret', () => {
  const secret = wireguard.generateKeys().privateKey
  const { publicKey } = wireguard.generateKeys()
  const almost = secret.slice(0, -2)
  const wrongs: [string, string, unknown[], Expected][] = [
    ['a key that was cut', 'wireguard.set', ['x0', { privateKey: almost }], value('spec.privateKey')],
    ['a key with a newline', 'wireguard.set', ['x0', { privateKey: `${secret}\n` }], value('spec.privateKey')],
    ['bytes', 'wireguard.set', ['x0', { privateKey: Buffer.from(secret) }], type('spec.privateKey')],
    ['a misspelt field', 'wireguard.set', ['x0', { privatKey: secret }], value("'privatKey' of spec", "'privateKey'")],
    ['of a peer', 'wireguard.set', ['x0', { peers: [{ publicKey, psk: secret }] }], value("'psk' of spec.peers[0]")],
    [
      'a preshared key that is none',
      'wireguard.set',
      ['x0', { peers: [{ publicKey, presharedKey: almost }] }],
      value('spec.peers[0].presharedKey'),
    ],
    [
      'with another spec',
      'links.add',
      [{ kind: 'wireguard', name: 'x0', privateKey: secret }],
      value("'privateKey' of spec"),
    ],
  ]
  for (const [title, path, args, expected] of wrongs) {
    test(`is not repeated: ${title}`, async () => {
      const [group = '', method = ''] = path.split('.')
      const failure = await failureOf(() => (set.network as unknown as Groups)[group]?.[method]?.(...args))
      expectFailure(failure, expected)
      expect(`${inspect(failure, { depth: null, showHidden: true })}${failure.stack}`).not.toContain(almost)
    })
  }

  test('is not repeated when the kernel refuses it', async () => {
    const peers = [{ publicKey, presharedKey: secret, endpoint: '192.0.2.1:1', allowedIps: ['10.0.0.0/8'] }]
    for (const ref of ['none0', 'lo', { alias: 'none' }]) {
      const failure = await failureOf(() => set.network.wireguard.set(ref, { privateKey: secret, peers }))
      expect(failure).toBeInstanceOf(ActionError)
      expect(`${inspect(failure, { depth: null, showHidden: true })}${failure.stack}`).not.toContain(almost)
    }
  })

  refusedBy(
    [['wireguard.set', 'spec.peers[0].endpoint', (endpoint) => ['x0', { peers: [{ publicKey, endpoint }] }]]],
    [
      ['192.0.2.1', valued],
      ['192.0.2.1:65536', valued],
      ['192.0.2.1:', valued],
      ['2001:db8::1:51820', valued],
      ['[192.0.2.1]:1', valued],
      ['example.org:1', valued],
      [51820, typed],
      [null, typed],
    ],
  )
  test.each(['', almost, 5, null, undefined])('wireguard.publicKey(%j)', (wrong) => {
    const failure = thrownBy(() => wireguard.publicKey(wrong as string))
    expect(failure.code).toMatch(/^ERR_INVALID_ARG_(TYPE|VALUE)$/)
    expect(failure.message).not.toContain(almost)
  })
})

describe('unknown fields', () => {
  const leaked = { toString: () => 'leaked', secret: 'leaked' }
  const unknown: [path: string, args: unknown[], key: string, place: string][] = [
    ['links.add', [{ kind: 'bridge', name: 'x0', leaked }], 'leaked', 'spec'],
    ['links.add', [{ kind: 'bridge', name: 'x0', peer: { name: 'x1' } }], 'peer', 'spec'],
    ['links.add', [{ kind: 'bridge', name: 'x0', dev: 'lo' }], 'dev', 'spec'],
    ['links.add', [{ kind: 'veth', name: 'x0', id: 5 }], 'id', 'spec'],
    ['links.add', [{ kind: 'veth', name: 'x0', peer: { kind: 'veth' } }], 'kind', 'spec.peer'],
    ['links.add', [{ kind: 'bridge', name: 'x0', address: '10.0.0.1/24' }], 'address', 'spec'],
    ['links.add', [JSON.parse('{"kind":"bridge","name":"x0","__proto__":{"up":true}}')], '__proto__', 'spec'],
    ['links.add', [{ kind: 'bridge', name: 'x0', constructor: Object }], 'constructor', 'spec'],
    ['links.set', ['lo', { index: 5 }], 'index', 'changes'],
    ['links.set', ['lo', { kind: 'bond', stp: true }], 'stp', 'changes'],
    ['links.set', ['lo', { bridgePort: { leaked } }], 'leaked', 'changes.bridgePort'],
    ['links.move', ['lo', { pid: 1 }, { leaked }], 'leaked', 'options'],
    ['vlans.add', ['lo', { id: 1, leaked }], 'leaked', 'vlan'],
    ['addresses.delete', ['lo', { cidr: '10.0.0.1/24', settle: true }], 'settle', 'address'],
    ['links.set', ['lo', { UP: true }], 'UP', 'changes'],
    ['addresses.add', ['lo', { cidr: '10.0.0.1/24', leaked }], 'leaked', 'address'],
    ['routes.add', [{ destination: 'default', gateway: '10.0.0.1' }], 'gateway', 'route'],
    ['qdiscs.add', ['lo', { kind: 'netem', delay: 5 }], 'delay', 'spec'],
    ['qdiscs.add', ['lo', { kind: 'tbf', rate: 8, leaked }], 'leaked', 'spec'],
    ['wireguard.set', ['x0', { leaked }], 'leaked', 'spec'],
  ]
  for (const [path, args, key, place] of unknown) refused(path, args, value(`Unknown option '${key}' of ${place}`))

  test('are reported without their value', async () => {
    const failure = await failureOf(() => set.network.links.set('lo', { hidden: 'leaked' } as never))
    expectFailure(failure, value("'hidden' of changes", 'linkGroup'))
    expect(failure.message).not.toContain('leaked')
  })

  test('that are undefined are ignored', () => {
    action.links.add({ kind: 'bridge', name: 'x0', leaked: undefined } as never)
    action.links.set('lo', { up: undefined, master: undefined, addresses: undefined })
  })
})

describe('odd objects', () => {
  const odd = new Error('odd')
  const thrower = () => {
    throw odd
  }
  const objects: [string, () => unknown[]][] = [
    [
      'a getter',
      () => [
        {
          kind: 'bridge',
          name: 'x0',
          get up() {
            return thrower()
          },
        },
      ],
    ],
    [
      'a getter of the kind',
      () => [
        {
          name: 'x0',
          get kind() {
            return thrower()
          },
        },
      ],
    ],
    ['a proxy', () => [new Proxy({ kind: 'bridge', name: 'x0' }, { ownKeys: thrower })]],
    [
      'a getter in an array',
      () => [{ kind: 'bridge', name: 'x0', addresses: Object.defineProperty([], 0, { get: thrower }) }],
    ],
    [
      'an iterator',
      () => [{ kind: 'bridge', name: 'x0', addresses: Object.assign([], { [Symbol.iterator]: thrower }) }],
    ],
  ]
  for (const [title, args] of objects) {
    test(`${title} that throws: it is what is thrown`, async () => {
      const { add } = action.links as unknown as { add: Call }
      expect(thrownBy(() => add(...args()))).toBe(odd)
      const { links } = set.network as unknown as { links: { add: Call } }
      expect(await failureOf(() => links.add(...args()))).toBe(odd)
    })
  }

  test('are looked at once: what a getter says later does not count', async () => {
    let count = 0
    const spec = {
      kind: 'bridge' as const,
      get name() {
        count++
        return count === 1 ? 'x0' : 'sixteen-bytes-xx'
      },
    }
    const [made] = await set.network.apply([action.links.add(spec), action.links.delete('x0')])
    expect(made.name).toBe('x0')
    expect(count).toBe(1)
  })

  test('a kind that is another at the second look makes nothing, or what it says', async () => {
    for (const [first, second] of [
      ['bridge', 'veth'],
      ['veth', 'bridge'],
      ['bridge', 'vxlan'],
      ['dummy', 'vlan'],
      ['bridge', 'loopback'],
    ] as const) {
      let count = 0
      const spec = {
        get kind() {
          count++
          return count === 1 ? first : second
        },
        name: 'x0',
        ...(first === 'veth' ? { peer: { name: 'x1' } } : {}),
      }
      const outcome = set.network.links.add(spec as never)
      await outcome.catch((error) => expect(error.code).toMatch(/^E[A-Z_]+$/))
      await set.network.links.delete('x0', { force: true })
    }
  })

  test('what is inherited is taken, and no prototype is needed', async () => {
    class Spec {
      kind = 'bridge' as const
      name = 'x0'
      get up() {
        return true
      }
    }
    const link = await set.network.links.add(new Spec())
    expect(link.up).toBe(true)
    await set.network.links.delete(link)
    const bare = Object.assign(Object.create(null), { kind: 'bridge', name: 'x0', [Symbol('up')]: true })
    const plain = await set.network.links.add(bare)
    expect(plain.up).toBe(false)
    await set.network.links.delete(plain)
    await set.network.links.delete(await set.network.links.add(Object.create({ kind: 'bridge', name: 'x0' })))
  })

  test('a reference that refers to itself, and one that is a proxy', async () => {
    const ref: Record<string, unknown> = {}
    ref['index'] = ref
    expectFailure(await failureOf(() => set.network.links.get(ref as never)), type('ref.index', 'an object'))
    const { index } = await set.network.links.get(new Proxy({ name: 'lo' }, {}))
    expect(index).toBe(1)
  })
})

describe('what only shows when all of it is looked at', () => {
  const cases: [string, () => Promise<unknown>, Expected][] = [
    [
      'an address with a peer of another family',
      () => set.network.addresses.add('lo', { cidr: '10.0.0.1/32', peer: 'fd00::1' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'addresses.add 10.0.0.1/32 of lo: ', 'peer', 'another family'],
    ],
    [
      'a broadcast address of IPv6',
      () => set.network.addresses.add('lo', { cidr: 'fd00::1/64', broadcast: '10.0.0.255' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'broadcast', 'IPv6 has none'],
    ],
    [
      'such an address of a new link',
      () =>
        set.network.links.add({ kind: 'bridge', name: 'x0', addresses: [{ cidr: '10.0.0.1/32', peer: 'fd00::1' }] }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'links.add x0: ', 'peer'],
    ],
    [
      'a vxlan with a group and a remote',
      () => set.network.links.add({ kind: 'vxlan', name: 'x0', id: 1, group: '239.0.0.1', remote: '10.0.0.1' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'links.add x0: ', "'group'", "'remote'"],
    ],
    [
      'netem that reorders what is not delayed',
      () => set.network.qdiscs.add('lo', { kind: 'netem', reorder: 5 }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'qdiscs.add lo: ', "'reorder'", "'latency'"],
    ],
    [
      'netem with a latency of centuries',
      () => set.network.qdiscs.add('lo', { kind: 'netem', latency: 2 ** 53 - 1 }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', "'latency'"],
    ],
    [
      'tbf with a latency of 0',
      () => set.network.qdiscs.add('lo', { kind: 'tbf', rate: 8000, latency: 0 }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', "'latency'"],
    ],
    [
      'tbf with a latency and a limit',
      () => set.network.qdiscs.add('lo', { kind: 'tbf', rate: 8000, latency: 50, limit: 1000 }),
      value('spec.limit', "'latency'"),
    ],
    [
      'a route to IPv4 by a gateway of IPv6, without a device',
      () => set.network.routes.add({ destination: 'fd00::/64', via: '10.0.0.1' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'routes.add fd00::/64 via 10.0.0.1: ', 'IPv4 gateway'],
    ],
    [
      'a source of another family',
      () => set.network.routes.add({ destination: '10.0.0.0/8', dev: 'lo', source: 'fd00::1' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', 'source', 'another family'],
    ],
    [
      'another kind of link without a name',
      () => set.network.links.add({ kind: 'other', name: 'x0', type: '' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', "'' is not a kind of link"],
    ],
    [
      'another kind of queueing discipline without a name',
      () => set.network.qdiscs.add('lo', { kind: 'other', type: '' }),
      ['ActionError', 'ERR_INVALID_ARG_VALUE', "'' is not a kind of queueing discipline"],
    ],
  ]
  for (const [title, call, expected] of cases) {
    test(title, async () => expectFailure(await failureOf(call), expected))
  }

  test('fails in its turn: what came before is done', async () => {
    const error = await failureOf(() =>
      set.network.apply([
        action.links.add({ kind: 'bridge', name: 'x0' }),
        action.links.add({ kind: 'vxlan', name: 'x1', id: 1, group: '239.0.0.1', remote: '10.0.0.1' }),
      ]),
    )
    expect(error).toMatchObject({ index: 1, target: 'x1', results: [{ name: 'x0' }], cause: { name: 'TypeError' } })
    expect(error.message).toMatch(/^action 1 \(links\.add x1\): a vxlan has/)
    await set.network.links.delete('x0')
  })
})
