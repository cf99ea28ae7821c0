/** `set.network.wireguard`: `wg` reads what nsset sets, nsset reads what `wg` sets, and keys never appear elsewhere. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { action, NamespaceSet, type WireGuardPeerSpec, type WireGuardSpec, wireguard } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, isMadeBy, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, type Failure, failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'

/** The output of `wg show wg0 dump`: wg(8). */
interface Dump {
  privateKey: string
  publicKey: string
  listenPort: number
  fwmark: string
  peers: PeerDump[]
}

interface PeerDump {
  publicKey: string
  presharedKey: string
  endpoint: string
  allowedIps: string[]
  /** In seconds. */
  handshake: number
  received: number
  sent: number
  keepalive: string
}

async function dump(set: NamespaceSet): Promise<Dump> {
  const [own = '', ...others] = (await outputOf(set, 'wg', 'show wg0 dump')).trimEnd().split('\n')
  const [privateKey = '', publicKey = '', port, fwmark = ''] = own.split('\t')
  const peers = others.map((line) => {
    const [publicKey = '', presharedKey = '', endpoint = '', ips = '', handshake, received, sent, keepalive = ''] =
      line.split('\t')
    const counts = { handshake: Number(handshake), received: Number(received), sent: Number(sent) }
    return { publicKey, presharedKey, endpoint, allowedIps: ips.split(','), ...counts, keepalive }
  })
  return { privateKey, publicKey, listenPort: Number(port), fwmark, peers }
}

const keys = () => wireguard.generateKeys()

/** Expects the error of a kernel without WireGuard. */
async function expectLacking(set: NamespaceSet): Promise<void> {
  const { privateKey } = keys()
  for (const call of [
    () => set.network.wireguard.get('lo'),
    () => set.network.wireguard.set('lo', { privateKey, listenPort: 51_820 }),
  ]) {
    const failure = await failureOf(call)
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ENOENT', target: 'lo' })
    expect(failure.message).toContain('load the module wireguard, if there is one')
    expectWithout(failure, privateKey)
  }
}

/** A set with a link `wg0`; undefined after the expected error on a kernel without WireGuard. */
async function lab(): Promise<NamespaceSet | undefined> {
  const set = anyonesSet(['net'])
  if (await isMadeBy(set, 'ip', 'link add wg0 type wireguard')) return set
  using lacking = set
  await expectLacking(lacking)
  return undefined
}

describe('the keys and peers of a link', () => {
  test('are set by nsset and read by wg, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const own = keys()
    const peers: WireGuardPeerSpec[] = [
      {
        publicKey: keys().publicKey,
        presharedKey: wireguard.generatePresharedKey(),
        endpoint: '192.0.2.1:51821',
        persistentKeepalive: 25_000,
        allowedIps: ['10.0.0.2/32', '10.1.0.0/16', 'fd00::2/128'],
      },
      { publicKey: keys().publicKey, endpoint: '[2001:db8::1]:1', allowedIps: ['0.0.0.0/0', '::/0'] },
      { publicKey: keys().publicKey },
    ]
    const spec = { privateKey: own.privateKey, listenPort: 51_820, fwmark: 0x2a, peers }
    expect(await set.network.wireguard.set('wg0', spec)).toBeUndefined()
    const printed = await dump(set)
    expect(printed).toMatchObject({ ...own, listenPort: 51_820, fwmark: '0x2a' })
    expect(printed.peers).toHaveLength(3)
    const [first, second, third] = peers.map(({ publicKey }) =>
      printed.peers.find((peer) => peer.publicKey === publicKey),
    )
    expect(first).toMatchObject({ presharedKey: peers[0]?.presharedKey, endpoint: '192.0.2.1:51821', keepalive: '25' })
    expect(first?.allowedIps.sort()).toEqual([...(peers[0]?.allowedIps ?? [])].sort())
    expect(second).toMatchObject({ presharedKey: '(none)', endpoint: '[2001:db8::1]:1', keepalive: 'off' })
    expect(second?.allowedIps.sort()).toEqual(['0.0.0.0/0', '::/0'])
    expect(third).toMatchObject({ endpoint: '(none)', allowedIps: ['(none)'] })

    const read = await set.network.wireguard.get('wg0')
    expect(read).toMatchObject({ ...own, listenPort: 51_820, fwmark: 0x2a })
    for (const { allowedIps = [], ...peer } of peers) {
      const found = read.peers.find(({ publicKey }) => publicKey === peer.publicKey)
      expect(found).toMatchObject({ ...peer, receivedBytes: 0, sentBytes: 0, protocolVersion: 1 })
      expect(found?.allowedIps.sort()).toEqual([...allowedIps].sort())
      expect(found?.lastHandshake).toBeUndefined()
    }
  })

  test('are set by wg and read by nsset, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const [own, one, other] = [keys(), keys(), keys()]
    const presharedKey = wireguard.generatePresharedKey()
    const configuration = `
      [Interface]
      PrivateKey = ${own.privateKey}
      ListenPort = 4711
      FwMark = 0xcafe
      [Peer]
      PublicKey = ${one.publicKey}
      PresharedKey = ${presharedKey}
      Endpoint = [2001:db8::7]:51820
      AllowedIPs = 10.0.0.2/32, fd00::2/64
      PersistentKeepalive = 65535
      [Peer]
      PublicKey = ${other.publicKey}`
    // The stdin of a child is a socket, which cannot be opened again by its name.
    const script = 'cat | wg setconf wg0 /dev/stdin'
    await set.execFile('sh', ['-c', script], { input: configuration, timeout: 20_000 })
    const { peers, ...link } = await set.network.wireguard.get('wg0')
    expect(link).toEqual({ ...own, listenPort: 4711, fwmark: 0xcafe })
    expect(peers).toHaveLength(2)
    expect(peers.find(({ publicKey }) => publicKey === one.publicKey)).toEqual({
      ...{ publicKey: one.publicKey, presharedKey, endpoint: '[2001:db8::7]:51820', persistentKeepalive: 65_535_000 },
      ...{ allowedIps: ['10.0.0.2/32', 'fd00::/64'], receivedBytes: 0, sentBytes: 0, protocolVersion: 1 },
    })
    expect(peers.find(({ publicKey }) => publicKey === other.publicKey)).toEqual({
      ...{ publicKey: other.publicKey, allowedIps: [], receivedBytes: 0, sentBytes: 0, protocolVersion: 1 },
    })
  })

  test('are changed, removed, and replaced, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const { network } = set
    const [own, one, other] = [keys(), keys().publicKey, keys().publicKey]
    const presharedKey = wireguard.generatePresharedKey()
    await network.wireguard.set('wg0', {
      ...{ privateKey: own.privateKey, fwmark: 7 },
      peers: [
        { publicKey: one, presharedKey, allowedIps: ['10.0.0.1/32', '10.0.0.2/32'], persistentKeepalive: 5000 },
        { publicKey: other, allowedIps: ['10.0.0.3/32'] },
      ],
    })
    const peer = async (key: string) => (await dump(set)).peers.find(({ publicKey }) => publicKey === key)

    // Omitted fields stay; addresses replace all others, and belong to one peer.
    await network.wireguard.set('wg0', { peers: [{ publicKey: one, endpoint: '192.0.2.9:9' }] })
    expect(await peer(one)).toMatchObject({ presharedKey, endpoint: '192.0.2.9:9', keepalive: '5' })
    expect((await peer(one))?.allowedIps).toHaveLength(2)
    await network.wireguard.set('wg0', { peers: [{ publicKey: one, allowedIps: ['10.0.0.3/32'] }] })
    expect([await peer(one), await peer(other)]).toMatchObject([
      { allowedIps: ['10.0.0.3/32'] },
      { allowedIps: ['(none)'] },
    ])
    await network.wireguard.set('wg0', {
      fwmark: 0,
      peers: [{ publicKey: one, presharedKey: null, persistentKeepalive: 0, allowedIps: [] }],
    })
    const plain = { presharedKey: '(none)', keepalive: 'off', allowedIps: ['(none)'] }
    expect([await peer(one), (await dump(set)).fwmark]).toMatchObject([plain, 'off'])

    const unknown = keys().publicKey
    await network.wireguard.set('wg0', { peers: [{ publicKey: unknown, updateOnly: true, endpoint: '192.0.2.1:1' }] })
    expect((await dump(set)).peers).toHaveLength(2)
    await network.wireguard.set('wg0', { peers: [{ publicKey: one, remove: true }] })
    expect((await dump(set)).peers.map(({ publicKey }) => publicKey)).toEqual([other])
    await network.wireguard.set('wg0', { replacePeers: true, peers: [{ publicKey: unknown }] })
    expect((await dump(set)).peers.map(({ publicKey }) => publicKey)).toEqual([unknown])
    await network.wireguard.set('wg0', { privateKey: null, replacePeers: true })
    expect(await dump(set)).toMatchObject({ privateKey: '(none)', publicKey: '(none)', peers: [] })
    const read = await network.wireguard.get('wg0')
    expect([read.privateKey, read.publicKey, read.peers]).toEqual([undefined, undefined, []])
  })

  test('from get() can be passed to set(), with all fields, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const network = set.network
    const peers: WireGuardPeerSpec[] = [
      {
        publicKey: keys().publicKey,
        endpoint: '192.0.2.1:51820',
        allowedIps: ['10.9.0.0/24'],
        persistentKeepalive: 25_000,
      },
      { publicKey: keys().publicKey, presharedKey: wireguard.generatePresharedKey(), allowedIps: ['fd00:9::/64'] },
    ]
    await network.wireguard.set('wg0', { privateKey: keys().privateKey, listenPort: 51_820, fwmark: 7, peers })
    const before = await dump(set)
    const got = await network.wireguard.get('wg0')
    await network.links.delete('wg0')
    await network.links.add({ kind: 'wireguard', name: 'wg0' })
    await network.wireguard.set('wg0', got)
    expect(await dump(set)).toEqual(before)
  })

  test('are rejected where the kernel would ignore some, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const own = keys()
    const [first, second] = [keys().publicKey, keys().publicKey]
    const allowedIps = ['10.9.0.0/24']
    const wrong: [spec: WireGuardSpec, why: string][] = [
      [
        { privateKey: own.privateKey, peers: [{ publicKey: own.publicKey }] },
        "'peers[0]' has the public key of the link",
      ],
      [
        {
          peers: [
            { publicKey: first, allowedIps },
            { publicKey: second, allowedIps },
          ],
        },
        "of 'peers[0]' and of 'peers[1]'",
      ],
    ]
    for (const [spec, why] of wrong) {
      const failure = await failureOf(() => set.network.wireguard.set('wg0', spec))
      expect(failure).toMatchObject({ name: 'ActionError', code: 'ERR_INVALID_ARG_VALUE' })
      expect(failure.message).toContain(why)
      expect((await dump(set)).peers).toEqual([])
    }
  })

  test('may exceed one message, or the error names what the kernel lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const peers = Array.from({ length: 200 }, (_, count) => ({
      publicKey: randomBytes(32).toString('base64'),
      allowedIps: Array.from({ length: 20 }, (_, other) => `10.${count}.${other}.0/24`),
    }))
    await set.network.wireguard.set('wg0', { peers })
    const printed = new Map((await dump(set)).peers.map(({ publicKey, allowedIps }) => [publicKey, allowedIps.length]))
    expect([...printed.values()]).toEqual(peers.map(() => 20))
    const read = (await set.network.wireguard.get('wg0')).peers
    expect(read.map(({ publicKey }) => publicKey).sort()).toEqual(peers.map(({ publicKey }) => publicKey).sort())
    for (const { allowedIps } of read) expect(allowedIps).toHaveLength(20)
  })
})

describe('two sets', () => {
  /** What each must know of the other, `10.9.0.1` and `10.9.0.2` through the tunnel. */
  const [one, other] = [keys(), keys()]
  const presharedKey = wireguard.generatePresharedKey()
  const specs: [WireGuardSpec, WireGuardSpec] = [
    {
      ...{ privateKey: one.privateKey, listenPort: 51_820 },
      peers: [{ publicKey: other.publicKey, presharedKey, allowedIps: ['10.9.0.2/32'], endpoint: '192.0.2.2:51820' }],
    },
    {
      ...{ privateKey: other.privateKey, listenPort: 51_820 },
      peers: [{ publicKey: one.publicKey, presharedKey, allowedIps: ['10.9.0.1/32'] }],
    },
  ]

  test('ping each other through the tunnel, or the error names what the kernel lacks', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using here = await base.unshare('net')
    using there = await base.unshare('net')
    for (const set of [here, there]) {
      if (!(await isMadeBy(set, 'ip', 'link add wg0 type wireguard'))) return await expectLacking(set)
      await set.network.links.delete('wg0')
    }
    const peer = { name: 'eth0', set: there, up: true, addresses: ['192.0.2.2/24'] }
    await here.network.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: ['192.0.2.1/24'], peer })
    for (const [count, set] of [here, there].entries()) {
      await set.network.apply([
        action.links.add({ kind: 'wireguard', name: 'wg0', addresses: [`10.9.0.${count + 1}/24`] }),
        action.wireguard.set('wg0', specs[count] ?? {}),
        action.links.set('wg0', { up: true }),
      ])
    }
    const before = Date.now()
    expect(await outputOf(here, 'ping', '-c 3 -i 0.2 -w 20 10.9.0.2')).toContain(' 0% packet loss')
    for (const set of [here, there]) {
      const [[printed], [read]] = [(await dump(set)).peers, (await set.network.wireguard.get('wg0')).peers]
      expect(printed?.received).toBeGreaterThan(3 * 84)
      expect([read?.receivedBytes, read?.sentBytes]).toEqual([printed?.received, printed?.sent])
      expect(Math.trunc((read?.lastHandshake ?? 0) / 1000)).toBe(printed?.handshake)
      expect(read?.lastHandshake).toBeGreaterThanOrEqual(before - 1000)
      expect(read?.lastHandshake).toBeLessThanOrEqual(Date.now())
    }
    // The last packets came from there.
    expect((await there.network.wireguard.get('wg0')).peers[0]?.endpoint).toBe('192.0.2.1:51820')
  })

  test('ping each other from a set that has only the tunnel, or the error names what the kernel lacks', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using outside = await base.unshare('net')
    using there = await base.unshare('net')
    using inside = await base.unshare('net')
    if (!(await isMadeBy(outside, 'ip', 'link add wg0 type wireguard'))) return await expectLacking(outside)
    const peer = { name: 'eth0', set: there, up: true, addresses: ['192.0.2.2/24'] }
    await outside.network.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: ['192.0.2.1/24'], peer })
    await outside.network.wireguard.set('wg0', specs[0])
    await outside.network.links.move('wg0', inside)
    await inside.network.links.set('wg0', { up: true, addresses: ['10.9.0.1/24'] })
    await there.network.links.add({ kind: 'wireguard', name: 'wg0', addresses: ['10.9.0.2/24'] })
    await there.network.wireguard.set('wg0', specs[1])
    await there.network.links.set('wg0', { up: true })
    expect(await outputOf(inside, 'ping', '-c 2 -i 0.2 -w 20 10.9.0.2')).toContain(' 0% packet loss')
    const { privateKey, listenPort } = specs[0]
    expect(await inside.network.wireguard.get('wg0')).toMatchObject({ privateKey, listenPort })
    const failure = await failureOf(() => outside.network.wireguard.get('wg0'))
    expect(failure).toMatchObject({ name: 'ActionError', code: 'ENODEV', target: 'wg0' })
  })
})

describe('the kernel rejects', () => {
  test('a link of another kind, a missing link, and a port that is taken, or the error names what it lacks', async () => {
    using set = await lab()
    if (set === undefined) return
    const { network } = set
    const { privateKey } = keys()
    await ip(set, 'link add br0 type bridge')
    await ip(set, 'link add wg1 up type wireguard')
    await network.wireguard.set('wg1', { listenPort: 51_820 })
    await network.links.set('wg0', { up: true })
    const cases: [call: () => unknown, code: string, words: string][] = [
      [() => network.wireguard.get('br0'), 'EOPNOTSUPP', 'it is not a wireguard link'],
      [() => network.wireguard.set('br0', { privateKey }), 'EOPNOTSUPP', 'it is not a wireguard link'],
      [() => network.wireguard.get('missing'), 'ENODEV', 'missing'],
      [() => network.wireguard.set({ index: 999 }, { privateKey }), 'ENODEV', '999'],
      [
        () => network.wireguard.set('wg0', { privateKey, listenPort: 51_820 }),
        'EADDRINUSE',
        'another socket uses the port',
      ],
    ]
    for (const [call, code, words] of cases) {
      const failure = await failureOf(call)
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
      expect(failure.message).toContain(words)
      expectWithout(failure, privateKey)
    }
  })
})

describe('the key functions', () => {
  /** RFC 8410: what precedes the 32 bytes. */
  const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

  const publicKeyByNode = (privateKey: string) => {
    const der = Buffer.concat([PKCS8, Buffer.from(privateKey, 'base64')])
    const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
    return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
  }
  const publicKeyByWg = (privateKey: string) =>
    execFileSync('wg', ['pubkey'], { input: `${privateKey}\n`, encoding: 'utf8', timeout: 10_000 }).trim()

  test('generate pairs of X25519, new each time', () => {
    const pairs = Array.from({ length: 50 }, keys)
    for (const { privateKey, publicKey } of pairs) {
      expect(publicKey).toBe(publicKeyByNode(privateKey))
      expect(wireguard.publicKey(privateKey)).toBe(publicKey)
      const bytes = Buffer.from(privateKey, 'base64')
      // Clamped as by wg genkey.
      expect([bytes.length, (bytes[0] ?? 0) & 7, (bytes[31] ?? 0) & 0xc0]).toEqual([32, 0, 0x40])
    }
    expect(new Set(pairs.map(({ privateKey }) => privateKey)).size).toBe(pairs.length)
    expect(publicKeyByWg(pairs[0]?.privateKey ?? '')).toBe(pairs[0]?.publicKey)
  })

  test('derive the same public key as Node.js and wg', () => {
    const given = [Buffer.alloc(32, 1), Buffer.alloc(32, 0xff), ...Array.from({ length: 20 }, () => randomBytes(32))]
    for (const privateKey of given.map((bytes) => bytes.toString('base64'))) {
      expect(wireguard.publicKey(privateKey)).toBe(publicKeyByNode(privateKey))
    }
    const privateKey = Buffer.alloc(32, 0xff).toString('base64')
    expect(wireguard.publicKey(privateKey)).toBe(publicKeyByWg(privateKey))
  })

  test('generate preshared keys of 32 bytes, new each time', () => {
    const shared = Array.from({ length: 50 }, () => wireguard.generatePresharedKey())
    for (const key of shared) {
      expect(key).toMatch(/^[A-Za-z0-9+/]{43}=$/)
      expect(Buffer.from(key, 'base64')).toHaveLength(32)
    }
    expect(new Set(shared).size).toBe(shared.length)
  })
})

/** Every way to print an error. */
function expectWithout(failure: Failure, secret: string): void {
  const shown = [
    String(failure),
    failure.stack ?? '',
    JSON.stringify(failure),
    inspect(failure, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null }),
    inspect((failure as Error).cause, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
  ]
  // Half of the key is too much, too.
  for (const text of shown) {
    expect(text).not.toContain(secret.slice(0, 20))
    expect(text).not.toContain(secret.slice(20, 40))
  }
}

describe('a key is never printed', () => {
  const secret = keys().privateKey
  const { publicKey } = keys()
  const bytes = Buffer.from(secret, 'base64')

  const wrong: [what: string, spec: object][] = [
    ['that is too short', { privateKey: secret.slice(0, -2) }],
    ['that is too long', { privateKey: `${secret}=` }],
    ['with a newline behind it', { privateKey: `${secret}\n` }],
    ['with invalid bits', { privateKey: `${secret.slice(0, 42)}B=` }],
    ['in hexadecimal digits', { privateKey: bytes.toString('hex') }],
    ['in another base64', { privateKey: `-_${secret.slice(2)}` }],
    ['in an array', { privateKey: [secret] }],
    ['in an object', { privateKey: { key: secret } }],
    ['in a function', { privateKey: () => secret }],
    ['whose name is misspelt', { privatKey: secret }],
    ['beside an invalid field', { privateKey: secret, listenPort: -1 }],
    ['of a peer that is too short', { peers: [{ publicKey, presharedKey: secret.slice(0, -2) }] }],
    ['of a peer whose name is misspelt', { peers: [{ publicKey, presharedkey: secret }] }],
    ['in place of a public key', { peers: [{ publicKey: secret.slice(1) }] }],
  ]
  for (const [what, spec] of wrong) {
    test(what, async () => {
      using set = anyonesSet(['net'])
      const calls = [
        () => set.network.wireguard.set('wg0', untyped<WireGuardSpec>(spec)),
        () => action.wireguard.set('wg0', untyped<WireGuardSpec>(spec)),
      ]
      for (const call of calls) {
        const failure = await failureOf(call)
        expect(failure.code).toMatch(/^ERR_INVALID_ARG_(VALUE|TYPE)$/)
        expectWithout(failure, secret)
      }
    })
  }

  test('whose public key is derived', async () => {
    for (const given of [secret.slice(1), `${secret}=`, [secret], { secret }, '']) {
      const failure = await failureOf(() => wireguard.publicKey(untyped<string>(given)))
      expect(failure.code).toMatch(/^ERR_INVALID_ARG_(VALUE|TYPE)$/)
      expectWithout(failure, secret)
    }
  })

  test('when the kernel rejects it, alone or among actions', async () => {
    using set = anyonesSet(['net'])
    const set1 = action.wireguard.set('missing', { privateKey: secret, peers: [{ publicKey, presharedKey: secret }] })
    for (const call of [
      () => set.network.apply([set1]),
      () => set.network.apply([action.links.list(), set1]),
      () => set.network.apply([action.inside(set, [set1])]),
    ]) {
      const failure = await failureOf(call)
      expect(failure).toMatchObject({ name: 'ActionError', code: expect.stringMatching(/^(ENODEV|ENOENT)$/) })
      expectWithout(failure, secret)
    }
  })

  test('when the set is closed', async () => {
    const set = anyonesSet(['net'])
    const { network } = set
    set.close()
    expectWithout(await failureOf(() => network.wireguard.set('wg0', { privateKey: secret })), secret)
  })

  test('in a printed action', () => {
    const printed = action.wireguard.set('wg0', { privateKey: secret, peers: [{ publicKey, presharedKey: secret }] })
    const depth = Number.POSITIVE_INFINITY
    for (const text of [inspect(printed, { depth }), JSON.stringify(printed), String(printed)]) {
      expect(text).not.toContain(secret)
    }
  })
})

describe('the link of an endpoint', () => {
  test('is a link inside, whatever links there are outside', async () => {
    using set = anyonesSet(['net'])
    const to = (link: string) => ({ peers: [{ publicKey: keys().publicKey, endpoint: `[fe80::1%${link}]:51820` }] })
    const failed = await failureOf(() => set.network.wireguard.set('lo', to('nothere0')))
    expect(failed).toMatchObject({ code: 'ENODEV', message: expect.stringContaining('nothere0') })
    // The link was found: the next error says that it is not a WireGuard link.
    const found = await failureOf(() => set.network.wireguard.set('lo', to('lo')))
    expect(found).toMatchObject({ message: expect.not.stringContaining('fe80') })
    expect((found as NodeJS.ErrnoException).code).not.toBe('ENODEV')
  })
})

describe('invalid arguments throw', () => {
  const { publicKey } = keys()
  const set = (spec: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.wireguard.set('wg0', untyped<WireGuardSpec>(spec))
  }
  const peer = (spec: object) => set({ peers: [{ publicKey, ...spec }] })
  const cases: Case[] = [
    ['a port of more than 16 bits', set({ listenPort: 65_536 }), range('spec.listenPort')],
    ['a mark of more than 32 bits', set({ fwmark: 2 ** 32 }), range('spec.fwmark')],
    ['a peer without a key', set({ peers: [{}] }), value('spec.peers[0].publicKey')],
    ['peers that are not an array', set({ peers: {} }), type('spec.peers')],
    ['an endpoint without a port', peer({ endpoint: '192.0.2.1' }), value('spec.peers[0].endpoint')],
    ['an endpoint with a host name', peer({ endpoint: 'example.com:51820' }), value('spec.peers[0].endpoint')],
    ['an endpoint with a port out of range', peer({ endpoint: '192.0.2.1:65536' }), value('spec.peers[0].endpoint')],
    ['an endpoint of IPv6 without brackets', peer({ endpoint: 'fd00::1:51820' }), value('spec.peers[0].endpoint')],
    ['an endpoint of IPv4 on a link', peer({ endpoint: '192.0.2.1%lo:1' }), value('spec.peers[0].endpoint')],
    ['an endpoint on a link without a name', peer({ endpoint: '[fe80::1%]:1' }), value('spec.peers[0].endpoint')],
    [
      'an endpoint on a link with a name of 16 bytes',
      peer({ endpoint: '[fe80::1%sixteen-bytes-xx]:1' }),
      value('spec.peers[0].endpoint'),
    ],
    ['an invalid allowed address', peer({ allowedIps: ['all'] }), value('spec.peers[0].allowedIps[0]')],
    ['a negative keepalive', peer({ persistentKeepalive: -1 }), range('spec.peers[0].persistentKeepalive')],
  ]
  refuses(cases)
})
