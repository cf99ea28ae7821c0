/** Ordered actions: they run one after another, and an error names the one that failed. */
import { once } from 'node:events'
import { type Action, ActionError, action, type LinkRef, NamespaceError, NamespaceSet, netns } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../../setup/guards/growth.ts'
import { resources } from '../../setup/guards/resources.ts'
import { ip } from '../../setup/oracles/iproute.ts'
import { actionErrorOf, bridge, linksOf } from '../../setup/sets/actions.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { expectFailure, failureOf, type, value } from '../../setup/sets/failure.ts'
import { asRoot } from '../../setup/sets/privilege.ts'
import { temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

let set: NamespaceSet
/** Of the same user namespace: links may go from one to the other. */
let other: NamespaceSet

beforeAll(() => {
  set = anyonesSet(['net'])
  other = set.unshareSync('net')
})

afterAll(() => {
  set.close()
  other.close()
})

/** Bridges stay where they are; an end of a cable may go. */
const cable = (name: string) => action.links.add({ kind: 'veth', name, peer: { name: 'stay0' } })

/** An empty set below the same user namespace, for a test that counts links. */
function emptySet(): NamespaceSet {
  return set.unshareSync('net')
}

describe('a list of actions', () => {
  test('is done in order, and comes to the results in the same order', async () => {
    using set = emptySet()
    const [made, up, added, addresses, links] = await set.network.apply([
      action.links.add({ kind: 'bridge', name: 'br0' }),
      action.links.set('br0', { up: true }),
      action.addresses.add('br0', '10.1.0.1/24'),
      action.addresses.list('br0'),
      action.links.list(),
    ])
    expect(made).toMatchObject({ kind: 'bridge', name: 'br0', up: false })
    expect([up, added]).toEqual([undefined, undefined])
    expect(addresses).toMatchObject([{ cidr: '10.1.0.1/24', link: { index: made.index } }, { family: 'IPv6' }])
    expect(links.find(({ name }) => name === 'br0')).toMatchObject({ index: made.index, up: true })
    expect(await linksOf(set)).toEqual(['br0'])
  })

  test('that is empty comes to nothing', async () => {
    expect(await set.network.apply([])).toEqual([])
  })

  test('is the one that was given, whatever becomes of the array and of the specs meanwhile', async () => {
    using set = emptySet()
    const addresses = ['10.2.0.1/24']
    const spec = { kind: 'bridge' as const, name: 'kept0', addresses }
    const actions: Action<unknown>[] = [
      action.call('tamper', () => {
        actions.length = 0
        spec.name = 'other0'
        addresses[0] = '10.2.0.2/24'
      }),
      action.links.add(spec),
      action.addresses.list('kept0'),
    ]
    const [, link, list] = await set.network.apply(actions)
    expect(link).toMatchObject({ name: 'kept0' })
    expect(list).toMatchObject([{ cidr: '10.2.0.1/24' }])
  })

  test('of more than a request takes is done to its end, in order', async () => {
    using set = emptySet()
    const names = Array.from({ length: 150 }, (_, index) => `b${index}`)
    const made = await set.network.apply(names.map(bridge))
    expect(made.map(({ name }) => name)).toEqual(names)
    const indexes = made.map(({ index }) => index)
    expect(indexes).toEqual([...indexes].sort((one, other) => one - other))
    expect(await linksOf(set)).toEqual([...names].sort())
  })

  test('of a thousand is done to its end', async () => {
    using set = emptySet()
    const cidrs = Array.from({ length: 1000 }, (_, index) => `10.3.${index >> 8}.${index & 0xff}/32`)
    const results = await set.network.apply(cidrs.map((cidr) => action.addresses.add('lo', cidr)))
    expect(results).toEqual(cidrs.map(() => undefined))
    const lines = (await ip(set, '-4 -o address show dev lo')).trim().split('\n')
    expect(lines.map((line) => line.split(/\s+/)[3])).toEqual(cidrs)
  })

  test('that fails at its 700th stops there, and has the results of 699', async () => {
    using set = emptySet()
    const actions = Array.from({ length: 1000 }, (_, index) =>
      index === 699 ? action.links.get('none0') : action.addresses.add('lo', `10.4.${index >> 8}.${index & 0xff}/32`),
    )
    const error = await actionErrorOf(() => set.network.apply(actions))
    expect(error).toMatchObject({ index: 699, action: 'links.get', target: 'none0', code: 'ENODEV' })
    expect(error.results).toHaveLength(699)
    expect((await ip(set, '-4 -o address show dev lo')).trim().split('\n')).toHaveLength(699)
  })
})

describe('an action that fails', () => {
  test('ends the list: the actions before it are done and reported, those after it do not run', async () => {
    using set = emptySet()
    const error = await actionErrorOf(() =>
      set.network.apply([
        bridge('first0'),
        action.links.set('first0', { up: true }),
        action.links.add({ kind: 'bridge', name: 'first0' }),
        bridge('never0'),
      ]),
    )
    expect(error).toMatchObject({
      index: 2,
      action: 'links.add',
      target: 'first0',
      code: 'EEXIST',
      errno: -17,
      syscall: 'RTM_NEWLINK',
      results: [{ kind: 'bridge', name: 'first0' }, undefined],
    })
    expect(await linksOf(set)).toEqual(['first0'])
  })

  test('is a NamespaceError with the cause of the kernel', async () => {
    const error = await actionErrorOf(() => set.network.apply([action.links.list(), action.links.get('none0')]))
    expect(error).toBeInstanceOf(NamespaceError)
    expect(error.name).toBe('ActionError')
    const cause = error.cause as NamespaceError
    expect(cause).toBeInstanceOf(NamespaceError)
    expect(cause).not.toBeInstanceOf(ActionError)
    expect(cause).toMatchObject({ code: error.code, errno: error.errno, syscall: error.syscall })
    expect(error.message).toBe(`action 1 (links.get none0): ${cause.message}`)
  })

  test('is named without a position if it is the only one, as with a method', async () => {
    const alone = await actionErrorOf(() => set.network.apply([action.links.get('none0')]))
    const method = await actionErrorOf(() => set.network.links.get('none0'))
    expect(alone.message).toMatch(/^links\.get none0: ENODEV: no such device, RTM_GETLINK 'none0'/)
    expect(method.message).toBe(alone.message)
    expect(method).toMatchObject({ index: 0, action: 'links.get', target: 'none0', results: [] })
  })

  test.each<[string, Action<unknown>, string]>([
    ['a link by its index', action.links.get({ index: 4711 }), 'links.get index 4711: '],
    ['a link by its alias', action.links.get({ alias: 'no one' }), 'links.get alias no one: '],
    ['an address', action.addresses.delete('lo', '10.9.9.9/32'), 'addresses.delete 10.9.9.9/32 of lo: '],
    [
      'a route',
      action.routes.delete({ destination: '10.9.0.0/16', via: '10.9.9.9' }),
      'routes.delete 10.9.0.0/16 via 10.9.9.9: ',
    ],
    ['the default route', action.routes.delete({ destination: 'default' }), 'routes.delete default: '],
    ['a qdisc', action.qdiscs.add('none0', { kind: 'tbf', rate: 1_000_000 }), 'qdiscs.add none0: '],
    ['a sysctl', action.sysctls.get('net.none'), 'sysctls.get net.none: '],
    ['WireGuard', action.wireguard.get('none0'), 'wireguard.get none0: '],
    ['a function', action.call('look', () => Promise.reject(new Error('no'))), 'call look: no'],
    ['a program', action.spawn('/nowhere/program'), 'spawn /nowhere/program: '],
  ])('names its target: %s', async (_, failing, start) => {
    const alone = await actionErrorOf(() => set.network.apply([failing]))
    expect(alone.message.slice(0, start.length)).toBe(start)
    const second = await actionErrorOf(() => set.network.apply([action.links.get('lo'), failing]))
    expect(second.message).toBe(`action 1 (${`${failing.name} ${alone.target}`}): ${(alone.cause as Error).message}`)
  })

  test('its results do not change any more', async () => {
    const results: unknown[] = []
    const error = await actionErrorOf(() =>
      set.network.apply([
        action.call('keep', (context) => results.push(context.results)),
        action.call('fail', () => {
          throw new Error('no')
        }),
      ]),
    )
    expect(error.results).toEqual([1])
    expect(error.results).not.toBe(results[0])
  })
})

describe('a link reference that is a function', () => {
  test('is asked in its turn: the index of a link that an action before it made', async () => {
    using set = emptySet()
    const index: LinkRef = ({ results }) => results[0] as { index: number }
    const later: LinkRef = async ({ network }) => ({ index: (await network.links.get('later0')).index })
    const [made, , addresses] = await set.network.apply([
      action.links.add({ kind: 'bridge', name: 'later0' }),
      action.addresses.add(index, '10.5.0.1/24'),
      action.addresses.list(later),
      action.links.set(() => 'later0', { alias: 'found' }),
      action.links.add({ kind: 'veth', name: 'port0', master: ({ results }) => results[0] as { index: number } }),
    ])
    expect(addresses).toMatchObject([{ cidr: '10.5.0.1/24', link: { index: made.index } }])
    const [port] = JSON.parse(await ip(set, '-j link show port0')) as { master: string }[]
    expect(port?.master).toBe('later0')
    expect((await set.network.links.get({ alias: 'found' })).index).toBe(made.index)
  })

  test('is asked once, when all before it is done and nothing after it is', async () => {
    using set = emptySet()
    const seen: string[][] = []
    const look: LinkRef = async ({ set }) => {
      seen.push(await linksOf(set))
      return 'one0'
    }
    await set.network.apply([bridge('one0'), action.links.set(look, { up: true }), bridge('two0')])
    expect(seen).toEqual([['one0']])
  })

  test('sees the set, its network, the results so far and the signal', async () => {
    const { signal } = new AbortController()
    const contexts: unknown[] = []
    const actions = [
      action.call('first', () => 'result'),
      action.links.get((context) => {
        contexts.push({ ...context, results: [...context.results] })
        return 'lo'
      }),
    ]
    await set.network.apply(actions, { signal })
    await set.network.apply(actions)
    const { network } = set
    expect(contexts).toEqual([
      { set, network, results: ['result'], signal },
      { set, network, results: ['result'], signal: undefined },
    ])
    expect((contexts[0] as { set: NamespaceSet }).set).toBe(set)
    expect((contexts[0] as { network: unknown }).network).toBe(network)
  })

  test.each<[string, () => unknown, string, RegExp]>([
    ['throws', () => Promise.reject(new RangeError('lost')), 'ERR_NSSET_ACTION', /lost/],
    ['throws what has a code', () => Promise.reject(Object.assign(new Error('x'), { code: 'E_OWN' })), 'E_OWN', /x/],
    ['returns what is no reference', () => 5, 'ERR_INVALID_ARG_TYPE', /ref.*link's name.*5/],
    ['returns nothing', () => undefined, 'ERR_INVALID_ARG_TYPE', /ref/],
    ['returns a function', () => () => 'lo', 'ERR_INVALID_ARG_TYPE', /ref.*a function/],
    ['returns a name that is none', async () => 'a/b', 'ERR_INVALID_ARG_VALUE', /ref.*'a\/b'/],
    ['returns an index that is none', () => ({ index: 0 }), 'ERR_INVALID_ARG_VALUE', /ref.*index/],
    ['refers to nothing', () => 'none0', 'ENODEV', /none0/],
  ])('fails its action when it %s', async (_, ref, code, message) => {
    const actions = [
      action.links.list(),
      action.links.get(ref as () => string),
      action.call('never', () => expect.unreachable()),
    ]
    const error = await actionErrorOf(() => set.network.apply(actions))
    expect(error).toMatchObject({ index: 1, action: 'links.get', code })
    expect(error.message).toMatch(message)
    expect(error.results).toHaveLength(1)
  })
})

describe('a set that is needed', () => {
  /** A program in the other set, for a pid. */
  async function programIn(inside: NamespaceSet): Promise<AsyncDisposable & { pid: number }> {
    const child = inside.spawn('sleep', ['60'], { stdio: 'ignore' })
    const end = async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    return { pid: child.pid as number, [Symbol.asyncDispose]: end }
  }

  test('may be given as it is, and stays open', async () => {
    using set = emptySet()
    using other = emptySet()
    await set.network.apply([cable('go0'), action.links.move('go0', other), action.inside(other, [])])
    expect(await linksOf(other)).toEqual(['go0'])
    expect([set.closed, other.closed]).toEqual([false, false])
  })

  test('may be said by a process or a thread, and what is opened for it is closed', async () => {
    using set = emptySet()
    using other = emptySet()
    await using program = await programIn(other)
    const { pid } = program
    await set.network.links.list()
    await other.network.links.list()
    const before = resources()
    for (const where of [{ pid }, { pid, tid: pid }]) {
      const [, , , [names]] = await set.network.apply([
        cable('go0'),
        action.links.move('go0', where),
        action.links.add({ kind: 'veth', name: 'here0', peer: { name: 'there0', set: where } }),
        action.inside(where, [action.links.list(), action.links.delete('go0')]),
        action.links.delete('here0'),
      ])
      expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(['lo', 'go0', 'there0']))
    }
    expect(await growthSince(before)).toEqual({})
    expect(await linksOf(other)).toEqual([])
  })

  test('may be said by the path of its namespace', async () => {
    using set = emptySet()
    using other = emptySet()
    // Each opens its socket on first use.
    await Promise.all([set.network.links.list(), other.network.links.list()])
    const before = resources()
    for (let turn = 0; turn < 5; turn++) {
      await set.network.apply([cable('go0'), action.links.move('go0', { path: other.path('net') })])
      expect(await linksOf(other)).toEqual(['go0'])
      await other.network.links.delete('go0')
    }
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('may be said by its name, in a directory too', 'to mount a name', async () => {
    using set = emptySet()
    using directory = temporaryDirectory()
    const where = { name: 'blue', directory: directory.path }
    using blue = await netns.create('blue', { directory: directory.path, temporary: true })
    await set.network.links.list()
    const before = resources()
    const [, , links] = await set.network.apply([
      cable('go0'),
      action.links.move('go0', where),
      action.inside(where, [action.links.list()]),
    ])
    expect(links[0].map(({ name }) => name)).toEqual(expect.arrayContaining(['lo', 'go0']))
    expect(await growthSince(before)).toEqual({})
    expect(await linksOf(blue)).toEqual(['go0'])
  })

  test('may be a function: a set that an action before it opened', async () => {
    using set = emptySet()
    const opened: NamespaceSet[] = []
    const [, , , [link]] = await set.network.apply([
      action.call('open', async () => {
        const made = await set.unshare('net')
        opened.push(made)
        return made
      }),
      cable('go0'),
      action.links.move('go0', ({ results }) => results[0] as NamespaceSet),
      action.inside(async ({ results }) => results[0] as NamespaceSet, [action.links.get('go0')]),
      action.links.add({ kind: 'veth', name: 'far0', peer: { name: 'near0', set: () => opened[0] as NamespaceSet } }),
    ])
    const [made] = opened as [NamespaceSet]
    expect(link).toMatchObject({ kind: 'veth', name: 'go0' })
    expect(made.closed).toBe(false)
    expect(await linksOf(made)).toEqual(['go0', 'near0'])
    made.close()
  })

  test('that is not there ends the list at its action; what came before it is done', async () => {
    using set = emptySet()
    await set.network.links.list()
    const before = resources()
    const missing = { name: 'no-such-name', directory: '/nowhere' }
    const lists: [string, Action<unknown>][] = [
      ['links.move', action.links.move('first0', missing)],
      ['links.add', action.links.add({ kind: 'veth', name: 'v0', peer: { set: missing } })],
      ['inside', action.inside(missing, [])],
      ['links.move', action.links.move('first0', () => missing)],
    ]
    for (const [name, failing] of lists) {
      const error = await actionErrorOf(() =>
        set.network.apply([bridge('first0'), action.links.get('first0'), failing, bridge('never0')]),
      )
      expect(error).toMatchObject({ index: 2, action: name, code: 'ENOENT', errno: -2, syscall: 'open' })
      expect(error.message).toContain('/nowhere/no-such-name')
      expect(error.results).toMatchObject([{ name: 'first0' }, { name: 'first0' }])
      expect(await linksOf(set)).toEqual(['first0'])
      await set.network.links.delete('first0')
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('and what is opened for it is closed when the action fails', async () => {
    await using program = await programIn(other)
    const where = { pid: program.pid }
    await set.network.links.list()
    const before = resources()
    for (let turn = 0; turn < 10; turn++) {
      const lists = [
        [action.links.move('none0', where)],
        [action.inside(where, [action.links.get('none0')])],
        [action.links.get('none0'), action.links.move('lo', where), action.links.move('lo', where)],
        [action.links.list(), action.links.move('lo', where)],
      ]
      for (const list of lists) await actionErrorOf(() => set.network.apply(list))
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('must be open, and have a network', async () => {
    const closed = NamespaceSet.current('net')
    closed.close()
    using uts = NamespaceSet.current('uts')
    for (const [wrong, code] of [
      [closed, 'ERR_NSSET_CLOSED'],
      [uts, 'ERR_NSSET_NOT_IN_SET'],
    ] as const) {
      for (const failing of [
        action.links.move('lo', wrong),
        action.inside(wrong, []),
        action.inside(() => wrong, []),
      ]) {
        const error = await actionErrorOf(() => set.network.apply([action.links.get('lo'), failing]))
        expect(error).toMatchObject({ index: 1, action: failing.name, code, results: [{ name: 'lo' }] })
      }
    }
  })
})

describe('an action', () => {
  test('is data: it can be applied many times, and in several sets at once', async () => {
    const sets = Array.from({ length: 6 }, emptySet)
    const ensure = action.links.ensure({ kind: 'bridge', name: 'same0', mtu: 1400, addresses: [] })
    const actions = [ensure, action.links.get(({ results }) => results[0] as { index: number }), ensure] as const
    const turns = await Promise.all(
      sets.flatMap(({ network }) => Array.from({ length: 5 }, () => network.apply(actions))),
    )
    for (const results of turns) {
      expect(results).toMatchObject([{ name: 'same0', mtu: 1400 }, { name: 'same0' }, { name: 'same0' }])
      expect(new Set(results.map(({ index }) => index)).size).toBe(1)
    }
    for (const set of sets) {
      expect(await linksOf(set)).toEqual(['same0'])
      set.close()
    }
  })

  test('lists that are applied at once to one set are all done', async () => {
    using set = emptySet()
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`)
    const lists = names.map((name) => [bridge(name), action.links.set(name, { up: true }), action.links.get(name)])
    const results = await Promise.all(lists.map((list) => set.network.apply(list)))
    expect(results).toMatchObject(names.map((name) => [{ name, up: false }, undefined, { name, up: true }]))
  })

  test('is known by its name', () => {
    expect(action.links.list().name).toBe('links.list')
    expect(action.routes.replace({ destination: 'default', via: '10.0.0.1' }).name).toBe('routes.replace')
    expect(action.inside(set, []).name).toBe('inside')
  })
})

describe('a signal', () => {
  test('that is aborted before: nothing is done, and its reason is thrown', async () => {
    using set = emptySet()
    const reason = new Error('not today')
    const call = () => set.network.apply([bridge('never0')], { signal: AbortSignal.abort(reason) })
    expect(await failureOf(call)).toBe(reason)
    expect(await failureOf(() => set.network.apply([], { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    })
    expect(await linksOf(set)).toEqual([])
  })

  test.each([
    ['its own reason', undefined],
    ['an error', new Error('enough')],
    ['an error with a code', Object.assign(new Error('enough'), { code: 'E_OWN' })],
    ['what is no error', 'enough'],
  ])('that is aborted in a call ends the list before the next action: %s', async (_, reason) => {
    using set = emptySet()
    const controller = new AbortController()
    const error = await actionErrorOf(() =>
      set.network.apply(
        [bridge('first0'), action.call('abort', () => controller.abort(reason)), bridge('never0')],
        controller,
      ),
    )
    expect(error).toMatchObject({ index: 2, action: 'links.add', code: 'ABORT_ERR' })
    expect(error.results).toMatchObject([{ name: 'first0' }, undefined])
    expect(error.cause).toBe(controller.signal.reason)
    expect(await linksOf(set)).toEqual(['first0'])
  })

  test('that is aborted by the last action has nothing to end', async () => {
    const controller = new AbortController()
    const results = await set.network.apply([action.call('abort', () => controller.abort())], controller)
    expect(results).toEqual([undefined])
  })

  test('that is aborted while the kernel works ends a long list between two actions, with all it did', async () => {
    using set = emptySet()
    const controller = new AbortController()
    const actions = Array.from({ length: 4000 }, (_, index) =>
      action.addresses.add('lo', `10.6.${index >> 8}.${index & 0xff}/32`),
    )
    const applied = set.network.apply(actions, controller)
    setTimeout(() => controller.abort(), 20)
    const error = await actionErrorOf(() => applied)
    expect(error).toMatchObject({ code: 'ABORT_ERR', action: 'addresses.add' })
    expect(error.index).toBeGreaterThan(0)
    expect(error.index).toBeLessThan(actions.length)
    expect(error.results).toHaveLength(error.index)
    expect((await ip(set, '-4 -o address show dev lo')).trim().split('\n')).toHaveLength(error.index)
  })

  test('goes to a call, which may end its own waiting by it', async () => {
    const { signal } = new AbortController()
    const waiting = action.call('wait', ({ signal }) => once(new EventTarget() as never, 'never', { signal }))
    const error = await actionErrorOf(() =>
      set.network.apply([waiting], { signal: AbortSignal.any([signal, AbortSignal.timeout(20)]) }),
    )
    expect(error).toMatchObject({ index: 0, action: 'call', target: 'wait', code: 'ABORT_ERR' })
  })
})

describe('what is no list of actions', () => {
  const apply = (actions: unknown, options?: unknown) => set.network.apply(actions as [], options as object)
  test.each<[string, () => unknown, ReturnType<typeof type>]>([
    ['nothing', () => apply(undefined), type('actions', 'undefined')],
    ['one action', () => apply(action.links.list()), type('actions', 'an object')],
    ['a promise among them', () => apply([Promise.resolve(action.links.list())]), type('actions[0]', 'an object')],
    ['what looks like one', () => apply([{ ...action.links.list() }]), type('actions[0]', 'an object')],
    ['a hole', () => apply(Object.assign([], { 1: action.links.list() })), type('actions[0]', 'undefined')],
    ['in action.inside', () => action.inside(set, [null as never]), type('actions[0]', 'null')],
    ['options that are none', () => apply([], null), type('options', 'null')],
    ['a signal that is none', () => apply([], { signal: {} }), type('options.signal', 'an object')],
    ['a script without a program', () => action.script('x', { subcommand: [] as never }), type('options.subcommand')],
    ['a name with a NUL', () => action.call('a\0', () => 1), value('name', 'NUL')],
  ])('%s', async (_, call, expected) => {
    expectFailure(await failureOf(call), expected)
  })
})
