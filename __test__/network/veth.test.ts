/** A veth and its peer: each end in its set, created in one step. */
import { NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipAddresses, ipLink, namesOf, outputOf } from '../setup/oracles/iproute.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** Two sets between which links can be created. */
interface Pair extends Disposable {
  here: NamespaceSet
  there: NamespaceSet
}

/** As an ordinary user creates them: both owned by one user namespace. */
async function pairOfOneUser(): Promise<Pair> {
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  return pairOf(await base.unshare('net'), await base.unshare('net'))
}

/** As root creates them. */
async function pairOfRoot(): Promise<Pair> {
  return pairOf(await NamespaceSet.unshare('net'), await NamespaceSet.unshare('net'))
}

function pairOf(here: NamespaceSet, there: NamespaceSet): Pair {
  const close = () => {
    here.close()
    there.close()
  }
  return { here, there, [Symbol.dispose]: close }
}

type TestFunction = (name: string, body: () => Promise<void>) => void

const asOwner: TestFunction = (name, body) => asRoot(name, 'a net set without a user set requires root', body)

const pairs: [owner: string, make: () => Promise<Pair>, testPair: TestFunction][] = [
  ['one user namespace', pairOfOneUser, test],
  ['no user namespace of their own', pairOfRoot, asOwner],
]

/** Waits until the kernel has detected the carrier. */
async function untilRunning(set: NamespaceSet, name: string): Promise<void> {
  for (let count = 0; count < 200; count += 1) {
    if ((await set.network.links.get(name)).running) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${name} is not running`)
}

for (const [owner, make, testPair] of pairs) {
  describe(`between two sets with ${owner}`, () => {
    testPair('both ends have the requested settings', async () => {
      using pair = await make()
      const { here, there } = pair
      await ip(there, 'link add br0 type bridge')
      const left = await here.network.links.add({
        kind: 'veth',
        name: 'left',
        ...{ alias: 'near', mac: '02:00:00:00:00:01', mtu: 1400, up: true, promiscuous: true },
        addresses: ['10.0.0.1/24'],
        peer: {
          name: 'right',
          set: there,
          ...{ alias: 'far', mac: '02:00:00:00:00:02', mtu: 1300, up: true, promiscuous: true, master: 'br0' },
          addresses: ['10.0.0.2/24', { cidr: 'fd00::2/64', noDuplicateDetection: true }],
        },
      })
      await untilRunning(here, 'left')

      expect([await namesOf(here), (await namesOf(there)).sort()]).toEqual([['left'], ['br0', 'right']])
      const [near, far] = [await ipLink(here, 'left'), await ipLink(there, 'right')]
      expect(near).toMatchObject({ ifalias: 'near', address: '02:00:00:00:00:01', mtu: 1400, ifindex: left.index })
      expect(far).toMatchObject({ ifalias: 'far', address: '02:00:00:00:00:02', mtu: 1300, master: 'br0' })
      const flags = ['UP', 'LOWER_UP', 'PROMISC']
      for (const link of [near, far]) expect(link.flags).toEqual(expect.arrayContaining(flags))
      expect(await ipAddresses(here, 'left')).toMatchObject([{ local: '10.0.0.1', prefixlen: 24 }])
      expect(await ipAddresses(there, 'right')).toMatchObject([
        { local: '10.0.0.2', prefixlen: 24 },
        { local: 'fd00::2', prefixlen: 64, nodad: true },
      ])
    })

    testPair('each end describes the other as ip does', async () => {
      using pair = await make()
      const { here, there } = pair
      const left = await here.network.links.add({ kind: 'veth', name: 'left', peer: { name: 'right', set: there } })
      const right = await there.network.links.get('right')
      const [near, far] = [await ipLink(here, 'left'), await ipLink(there, 'right')]
      expect(left.peer).toEqual({ index: far.ifindex, netnsId: near.link_netnsid })
      expect(right.peer).toEqual({ index: near.ifindex, netnsId: far.link_netnsid })
      expect(right).toMatchObject({ kind: 'veth', name: 'right', up: false, running: false })
    })

    testPair('packets go from one to the other', async () => {
      using pair = await make()
      const { here, there } = pair
      const peer = { name: 'eth0', set: there, up: true, addresses: ['10.0.0.2/24'] }
      await here.network.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: ['10.0.0.1/24'], peer })
      await untilRunning(here, 'eth0')
      expect(await outputOf(here, 'ping', '-c 2 -i 0.2 -w 10 10.0.0.2')).toContain('2 received, 0% packet loss')
      const counted = (await there.network.links.get('eth0')).statistics
      expect(counted.receivedPackets).toBeGreaterThanOrEqual(2)
    })

    testPair('links created by ip are read', async () => {
      using pair = await make()
      const { here, there } = pair
      const child = there.spawn('sleep', ['60'], { stdio: 'ignore' })
      try {
        await ip(here, `link add left address 02:00:00:00:00:01 type veth peer name right mtu 1300 netns ${child.pid}`)
      } finally {
        child.kill('SIGKILL')
      }
      const [left, right] = [await here.network.links.get('left'), await there.network.links.get('right')]
      expect(left).toMatchObject({ kind: 'veth', mac: '02:00:00:00:00:01', peer: { index: right.index } })
      expect(right).toMatchObject({ kind: 'veth', mtu: 1300, peer: { index: left.index } })
      expect(left.peer?.netnsId).toBe((await ipLink(here, 'left')).link_netnsid)
    })

    testPair('deleting one end deletes the other', async () => {
      using pair = await make()
      const { here, there } = pair
      await here.network.links.add({ kind: 'veth', name: 'left', peer: { name: 'right', set: there } })
      await there.network.links.delete('right')
      expect([await namesOf(here), await namesOf(there)]).toEqual([[], []])
    })

    testPair('a failure leaves neither end', async () => {
      using pair = await make()
      const { here, there } = pair
      await ip(there, 'link add taken type bridge')
      const wrong = [
        [{ name: 'taken' }, 'EEXIST'],
        [{ name: 'right', addresses: ['10.0.0.2/24', 'ff02::1/64'] }, 'EADDRNOTAVAIL'],
        [{ name: 'right', master: 'missing' }, 'ENODEV'],
        [{ name: 'right', mtu: 1 }, 'EINVAL'],
      ] as const
      for (const [peer, code] of wrong) {
        const adding = here.network.links.add({ kind: 'veth', name: 'left', up: true, peer: { ...peer, set: there } })
        expect(await failureOf(() => adding)).toMatchObject({ name: 'ActionError', code, target: 'left' })
        expect([await namesOf(here), await namesOf(there)]).toEqual([[], ['taken']])
      }
    })

    testPair('the peer’s set is resolved at its turn, and stays open', async () => {
      using pair = await make()
      const { here, there } = pair
      await here.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'a', set: () => there } })
      await here.network.links.add({ kind: 'veth', name: 'b', peer: { name: 'b', set: async () => there } })
      expect(await namesOf(there)).toEqual(['a', 'b'])
      expect(there.closed).toBe(false)
    })

    asRoot('the peer’s set is a path, or a process', 'neither names its user namespace', async () => {
      using pair = await make()
      const { here, there } = pair
      await here.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'a', set: { path: there.path('net') } } })
      const child = there.spawn('sleep', ['60'], { stdio: 'ignore' })
      try {
        const set = { pid: child.pid as number }
        await here.network.links.add({ kind: 'veth', name: 'b', peer: { name: 'b', set: () => set } })
      } finally {
        child.kill('SIGKILL')
      }
      expect(await namesOf(there)).toEqual(['a', 'b'])
    })
  })
}

describe('in one set', () => {
  test('the peer is beside it, with a name chosen by the kernel', async () => {
    using base = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    const left = await base.network.links.add({ kind: 'veth', name: 'left' })
    const right = await base.network.links.get({ index: left.peer?.index ?? 0 })
    expect(right.name).toMatch(/^veth\d+$/)
    expect(await ipLink(base, right.name)).toMatchObject({ link: 'left', ifindex: left.peer?.index })
    expect(left.peer).toEqual({ index: right.index })
  })

  test('ensure() creates both once', async () => {
    using base = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    const spec = { kind: 'veth', name: 'left', peer: { name: 'right' } } as const
    const { index } = await base.network.links.ensure(spec)
    expect(await base.network.links.ensure({ ...spec, up: true })).toMatchObject({ index, up: true })
    expect((await namesOf(base)).sort()).toEqual(['left', 'right'])
  })
})

describe('between sets of two user namespaces', () => {
  const expectRefused = (failure: Error) => {
    expect(failure).toMatchObject({ name: 'ActionError', code: 'EPERM', errno: -1, target: 'left' })
    expect(failure.message).toContain("an ordinary user makes both with base.unshare('net') from one 'user' set")
  }

  test('no link can be moved, by ip neither, and the error names the remedy', async () => {
    using here = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    using there = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    await here.network.links.add({ kind: 'veth', name: 'left' })
    expectRefused(await failureOf(() => here.network.links.move('left', there)))
    const child = there.spawn('sleep', ['60'], { stdio: 'ignore' })
    try {
      const refused = await failureOf(() => ip(here, `link set left netns ${child.pid}`))
      expect(refused.message).toMatch(/not permitted|Permission denied|Invalid "netns"/)
    } finally {
      child.kill('SIGKILL')
    }
    expect(await namesOf(there)).toEqual([])
  })

  test('neither end is created where the kernel checks the peer’s namespace, which old ones do not', async () => {
    using here = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    using there = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    const adding = here.network.links.add({ kind: 'veth', name: 'left', peer: { name: 'right', set: there } })
    const failure = await adding.then(
      () => undefined,
      (error: Error) => error,
    )
    if (failure !== undefined) expectRefused(failure)
    // veth_newlink() of drivers/net/veth.c checks only the descriptor of the peer's network, in 6.1 still.
    const made = failure === undefined ? [['left'], ['right']] : [[], []]
    expect([await namesOf(here), await namesOf(there)]).toEqual(made)
  })
})

describe('to a missing set', () => {
  test('the error names it', async () => {
    using here = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    const closed = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    closed.close()
    const wrong = [
      [closed, 'ERR_NSSET_CLOSED'],
      [{ name: 'nsset-missing' }, 'ENOENT'],
      [{ path: `${netns.directory}/nsset-missing` }, 'ENOENT'],
      [{ pid: 0x7fffffff }, 'ESRCH'],
    ] as const
    for (const [set, code] of wrong) {
      const failure = await failureOf(() => here.network.links.add({ kind: 'veth', name: 'left', peer: { set } }))
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
    }
    expect(await namesOf(here)).toEqual([])
  })
})
