/** `network.sync`: blocking calls on the calling thread. See also twins.test.ts. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { ActionError, action, NamespaceSet, netns } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../../setup/guards/growth.ts'
import { resources } from '../../setup/guards/resources.ts'
import { threadPlace } from '../../setup/guards/thread-place.ts'
import { ipLink, namesOf } from '../../setup/oracles/iproute.ts'
import { inWorker } from '../../setup/processes/worker.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { expectFailure, refuses, type, untyped, value } from '../../setup/sets/failure.ts'
import { asRoot, isRoot } from '../../setup/sets/privilege.ts'
import { thrownBy } from '../../setup/sets/refusals.ts'
import { temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

let set: NamespaceSet
/** Of the same user namespace. */
let other: NamespaceSet

beforeAll(() => {
  set = anyonesSet(['net'])
  other = set.unshareSync('net')
})

afterAll(() => {
  set.close()
  other.close()
})

const CLOSED = ['TypeError', 'ERR_NSSET_CLOSED', 'closed'] as const

/** The error of an action, which it has to be. */
function actionErrorOf(call: () => unknown): ActionError {
  const error = thrownBy(call)
  expect(error).toBeInstanceOf(ActionError)
  return error as unknown as ActionError
}

describe('the blocking methods', () => {
  test('configure the network before they return', async () => {
    using set = anyonesSet(['net'])
    const { sync } = set.network
    const bridge = sync.links.add({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
    expect(bridge).toMatchObject({ kind: 'bridge', name: 'br0', up: true })
    expect(sync.routes.add({ destination: 'default', via: '10.0.0.254' })).toBeUndefined()
    sync.sysctls.set('net.ipv4.ip_forward', true)
    expect(sync.sysctls.get('net.ipv4.ip_forward')).toBe('1')
    expect(sync.addresses.list('br0')).toMatchObject([{ cidr: '10.0.0.1/24' }, { family: 'IPv6' }])
    expect(await ipLink(set, 'br0')).toMatchObject({ ifname: 'br0', ifindex: bridge.index })
  })

  test('see what calls with promises did, and the reverse', async () => {
    using set = anyonesSet(['net'])
    await set.network.links.add({ kind: 'bridge', name: 'br0' })
    expect(set.network.sync.links.get('br0')).toMatchObject({ kind: 'bridge' })
    set.network.sync.links.delete('br0')
    expect(await set.network.links.list()).toEqual(set.network.sync.links.list())
  })

  test('are the same object at each access', () => {
    expect(set.network.sync).toBe(set.network.sync)
  })

  test('run on the calling thread alone', () => {
    using set = anyonesSet(['net'])
    const { sync } = set.network
    sync.links.list()
    const switches = () =>
      readdirSync('/proc/self/task')
        .map((task) => [
          readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim(),
          /^voluntary.*$/m.exec(readFileSync(`/proc/self/task/${task}/status`, 'utf8'))?.[0],
        ])
        .filter(([name]) => name?.startsWith('nsset-network'))
    const before = switches()
    expect(before).toHaveLength(1)
    for (let turn = 0; turn < 50; turn += 1) {
      sync.links.set('lo', { up: turn % 2 === 0 })
      sync.links.list()
    }
    expect(switches()).toEqual(before)
  })

  test('open one socket of their own on first use, which closes with the set', async () => {
    const before = resources()
    const set = anyonesSet(['net'])
    const held = resources()
    const { sync } = set.network
    expect(resources().descriptors).toBe(held.descriptors)
    sync.links.list()
    sync.routes.list()
    sync.apply([action.addresses.list()])
    expect(resources().descriptors - held.descriptors).toBe(1)
    set.close()
    expect(await growthSince(before)).toEqual({})
  })

  test('work with networks of other sets, by the set, its name, its path and a process', async () => {
    await using program = other.spawn('sleep', ['60'], { stdio: 'ignore' })
    await once(program, 'spawn')
    using directory = temporaryDirectory()
    if (isRoot) netns.attachSync('other', other, { directory: directory.path })
    const before = resources()
    const named = isRoot ? [{ name: 'other', directory: directory.path }, { path: other.path('net') }] : []
    const references = [other, { pid: program.pid ?? 0 }, ...named]
    for (const [index, there] of references.entries()) {
      set.network.sync.links.add({ kind: 'veth', name: `a${index}`, peer: { name: `b${index}`, set: there } })
      set.network.sync.links.add({ kind: 'veth', name: `c${index}`, peer: { name: `d${index}` } })
      set.network.sync.links.move(`d${index}`, there)
      const [[link]] = set.network.sync.apply([action.inside(there, [action.links.get(`d${index}`)])])
      expect(link).toMatchObject({ kind: 'veth' })
    }
    expect((await namesOf(other)).toSorted()).toEqual(
      references.flatMap((_, index) => [`b${index}`, `d${index}`]).toSorted(),
    )
    for (const index of references.keys()) {
      set.network.sync.links.delete(`a${index}`)
      set.network.sync.links.delete(`c${index}`)
    }
    expect(resources().descriptors).toBeLessThanOrEqual(before.descriptors + 2)
    if (isRoot) netns.removeSync('other', { directory: directory.path })
  })

  asRoot('can be called inside another network', 'to enter a network namespace', () => {
    using fresh = set.unshareSync('net')
    const home = threadPlace()
    const [links, place] = other.do(() => [fresh.network.sync.links.list(), threadPlace()] as const)
    expect(links).toMatchObject([{ name: 'lo' }])
    expect(place).toEqual({ ...home, net: other.id('net') })
    expect(threadPlace()).toEqual(home)
  })

  test('work in Workers', async () => {
    const seen = await inWorker<{ names: string[]; code: string; index: number }>(
      `
      const { NamespaceSet } = nsset
      const kinds = process.getuid() === 0 ? ['net'] : ['user', 'net']
      const set = NamespaceSet.unshareSync(kinds, kinds.length === 2 ? { mapUser: 'root' } : {})
      const { sync } = set.network
      sync.links.add({ kind: 'bridge', name: 'br0' })
      const names = sync.links.list().map(({ name }) => name)
      try {
        sync.links.get('none0')
      } catch ({ code, index }) {
        return { names, code, index }
      }`.replace('using set', 'const set'),
    )
    expect(seen).toEqual({ names: ['lo', 'br0'], code: 'ENODEV', index: 0 })
  })
})

describe('network.sync.apply', () => {
  test('comes to the results in their order, with functions, lists in other sets and programs', async () => {
    const [link, name, [inner], child] = set.network.sync.apply([
      action.links.get('lo'),
      action.call('name', ({ results, network, signal }) => {
        expect(signal).toBeUndefined()
        const { index } = results[0] as { index: number }
        return network.sync.links.get({ index }).name
      }),
      action.inside(() => other, [action.links.get(() => 'lo')]),
      action.spawn('echo', ['inside'], { stdio: ['ignore', 'pipe', 'inherit'] }),
    ])
    expect([link.name, name, inner.name]).toEqual(['lo', 'lo', 'lo'])
    expect(await text(child.stdout)).toBe('inside\n')
  })

  asRoot('calls functions inside', 'to enter a network namespace', () => {
    const [place] = set.network.sync.apply([action.do('place', () => threadPlace())])
    expect(place).toMatchObject({ net: set.id('net') })
  })

  test.each([
    ['action.call', action.call('later', async () => 1), 'later'],
    ['a thenable', action.call('later', () => ({ then: () => undefined })), 'later'],
    ['a reference to a link', action.links.get(async () => 'lo'), ''],
    ['a reference to a set', action.inside(async () => other, []), ''],
    ['a promise that is rejected', action.call('later', () => Promise.reject(new Error('late'))), 'later'],
  ])('refuses a promise: %s', (_, failing, target) => {
    const error = actionErrorOf(() => set.network.sync.apply([action.links.get('lo'), failing]))
    expect(error).toMatchObject({ index: 1, action: failing.name, target, code: 'ERR_NSSET_ASYNC_CALLBACK' })
    expect(error.results).toMatchObject([{ name: 'lo' }])
    expect(error.message).toContain('use network.apply()')
  })

  test('reports a program that does not start by its error alone', async () => {
    const error = actionErrorOf(() => set.network.sync.apply([action.spawn('/nowhere/program')]))
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'spawn /nowhere/program' })
    // The child emits it in the next turn, which must not be an uncaught exception.
    await new Promise((resolve) => setTimeout(resolve, 10))
  })

  const apply = (actions: unknown, options?: unknown) => () =>
    set.network.sync.apply(untyped<[]>(actions), untyped(options))
  refuses([
    ['a signal', apply([], { signal: new AbortController().signal }), value('options.signal', 'network.sync')],
    ['an unknown option', apply([], { timeout: 5 }), value("'timeout'", 'options')],
    ['options that are no object', apply([], 5), type('options')],
    ['no array', apply(action.links.list()), type('actions', 'an array')],
    ['what is no action', apply([{ name: 'links.list' }]), type('actions[0]')],
  ])

  test('accepts a signal that is undefined', () => {
    expect(set.network.sync.apply([], { signal: undefined })).toEqual([])
  })
})

describe('after the set is closed', () => {
  test('each call throws, and no function is called', () => {
    const set = anyonesSet(['net'])
    const { sync } = set.network
    sync.links.list()
    set.close()
    let calls = 0
    for (const call of [
      () => sync.apply([]),
      () => sync.apply([action.call('count', () => calls++)]),
      () => sync.links.list(),
      () => sync.sysctls.get('net.ipv4.ip_forward'),
      () => sync.wireguard.get('wg0'),
    ]) {
      expectFailure(thrownBy(call), CLOSED)
    }
    expect(calls).toBe(0)
  })

  test('by a function of the list, the next action fails', () => {
    const set = anyonesSet(['net'])
    const list = [action.links.get('lo'), action.call('close', ({ set }) => set.close()), action.links.get('lo')]
    const error = actionErrorOf(() => set.network.sync.apply(list))
    expect(error).toMatchObject({ index: 2, action: 'links.get', code: 'ERR_NSSET_CLOSED' })
    expect(error.results).toHaveLength(2)
  })

  test('first use is refused as well', () => {
    const set = anyonesSet(['net'])
    const { network } = set
    set.close()
    expectFailure(
      thrownBy(() => network.sync.links.list()),
      CLOSED,
    )
    using uts = NamespaceSet.current('uts')
    expectFailure(
      thrownBy(() => uts.network.sync),
      ['RangeError', 'ERR_NSSET_NOT_IN_SET', 'net'],
    )
  })
})
