/**
 * Random arguments for every action and method of a network: only documented errors are thrown, and no link is left.
 * Valid values pass through the kernel and ip(8) in both directions.
 */
import fc from 'fast-check'
import { type Action, ActionError, type AddressSpec, action, type NamespaceSet, type RouteSpec } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { type Resources, resources } from '../setup/guards/resources.ts'
import { ip, ipAddresses, ipLink, ipRoutes, namesOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { anything, bag, noText, number, text } from '../setup/sets/arbitrary.ts'

// The same seed in every run, so that only a change can cause a failure; another seed tests other values.
fc.configureGlobal({ seed: Number(process.env['NSSET_TEST_SEED'] ?? 1) })

type Call = (...args: unknown[]) => unknown
type Groups = Record<string, Record<string, Call>>

let set: NamespaceSet
let before: Resources

beforeAll(async () => {
  set = anyonesSet(['net'])
  await set.network.links.list()
  // Their sockets are opened on first use; a kernel without WireGuard reports that.
  await set.network.wireguard.get('lo').catch(() => undefined)
  await set.network.firewall.list()
  await set.network.sockets.list()
  await set.network.offload.get('lo')
  await set.execFile('true')
  before = resources()
})

afterAll(async () => {
  expect(await growthSince(before)).toEqual({})
  set.close()
})

/** A new network: leftovers of a failed run do not affect the next. */
const fresh = () => set.unshareSync('net')

function expectMisuse(error: unknown): void {
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  const { code } = error as { code?: string }
  expect(isMisuse && /^ERR_INVALID_ARG_(TYPE|VALUE)$/.test(code ?? ''), String((error as Error)?.stack)).toBe(true)
}

/** The codes with which a valid action may fail. */
function expectDocumented(error: unknown): void {
  if (!(error instanceof ActionError)) {
    expectMisuse(error)
    return
  }
  expect(error).toMatchObject({ index: 0, results: [], action: expect.stringMatching(/^[a-zA-Z.]+$/) })
  if (error.code.startsWith('ERR_')) {
    expect(['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE', 'ERR_NSSET_AMBIGUOUS']).toContain(error.code)
    expect(error.message).not.toContain('cannot be read')
    return
  }
  expect(error.code).toMatch(/^E[A-Z0-9]+$/)
  expect(error.errno).toBeLessThan(0)
  expect(error.syscall).toMatch(/./)
  expect(error.message).toContain(error.code)
}

/** Creates the action, runs it, and throws only undocumented errors. */
async function outcomeOf(inside: NamespaceSet, make: () => unknown): Promise<void> {
  let made: Action<unknown>
  try {
    made = make() as Action<unknown>
  } catch (error) {
    expectMisuse(error)
    return
  }
  try {
    await inside.network.apply([made])
  } catch (error) {
    expectDocumented(error)
  }
}

// --- arbitrary values

const PATHS = Object.entries(action as unknown as Groups).flatMap(([group, methods]) =>
  typeof methods === 'function' ? [] : Object.keys(methods).map((method) => [group, method] as const),
)

describe('arbitrary values', () => {
  // Methods that act on a name alone get none; a function is called at its turn.
  const senseless = fc.array(fc.oneof(noText, fc.func(noText)), { maxLength: 3 })
  test.each(PATHS)('passed to %s.%s throw, or have no effect', async (group, method) => {
    await fc.assert(
      fc.asyncProperty(senseless, async (args) => {
        await outcomeOf(set, () => (action as unknown as Groups)[group]?.[method]?.(...args))
        const promise = (set.network as unknown as Groups)[group]?.[method]?.(...args) as Promise<unknown>
        expect(promise).toBeInstanceOf(Promise)
        await promise.catch(expectDocumented)
      }),
      { numRuns: 60 },
    )
    expect(await namesOf(set)).toEqual([])
  })

  test('passed to action.do, call, inside, spawn and script throw', async () => {
    const { do: run, call, inside, spawn, script } = action as unknown as Record<string, Call>
    const takers = [run, call, inside, spawn, script] as Call[]
    await fc.assert(
      fc.property(fc.constantFrom(...takers), fc.array(noText, { minLength: 1, maxLength: 3 }), (taker, args) => {
        try {
          taker(...args)
        } catch (error) {
          expectMisuse(error)
          return
        }
        expect.unreachable('it was accepted')
      }),
      { numRuns: 300 },
    )
  })

  test('passed to apply throw, or do nothing', async () => {
    const apply = set.network.apply.bind(set.network) as Call
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, fc.array(anything)), anything, async (actions, options) => {
        await (apply(actions, options) as Promise<unknown>).then(
          (results) => expect(results).toEqual([]),
          (error) => expectMisuse(error),
        )
      }),
      { numRuns: 300 },
    )
  })
})

// --- nearly valid values

const word = fc.oneof(fc.constantFrom('lo', 'x0', 'x1', 'x0', 'none0'), text)
const ref = fc.oneof(word, bag({ name: word, index: fc.constantFrom(1, 2, 3, 4711) }), bag({ alias: word }), anything)
const cidr = fc.oneof(
  fc.constantFrom('10.0.0.1/24', '10.0.0.1', 'fd00::1/64', '::/0', '0.0.0.0/0', '127.0.0.1/8', 'ff02::1/128'),
  fc.ipV4Extended(),
  fc.ipV6().map((address) => `${address}/64`),
  text,
)
const address = fc.oneof(fc.ipV4(), fc.ipV6(), text)
const scope = fc.oneof(fc.constantFrom('global', 'site', 'link', 'host', 'nowhere'), fc.nat(255), text)
const addressSpec = fc.oneof(
  cidr,
  bag({ cidr, peer: address, broadcast: address, scope, noDuplicateDetection: fc.boolean() }),
)
const state = {
  alias: text,
  mac: fc.constantFrom(
    '02:00:00:00:00:01',
    '01:00:00:00:00:01',
    '00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff',
    '2:0:0:0:0:2',
  ),
  mtu: fc.oneof(fc.constantFrom(1500, 1280, 68, 0, 65_536), number),
  up: fc.boolean(),
  promiscuous: fc.boolean(),
  master: fc.oneof(ref, fc.constant(null)),
  addresses: fc.array(addressSpec, { maxLength: 3 }),
}
const duration = fc.oneof(fc.constantFrom(0, 0.5, 15_000, 1e9), number)
const kindOfLink = fc.constantFrom(
  'bridge',
  'veth',
  'vxlan',
  'macvlan',
  'ifb',
  'dummy',
  'vlan',
  'vrf',
  'ipvlan',
  'gretap',
)
const linkSpec = bag({
  kind: fc.oneof({ weight: 9, arbitrary: kindOfLink }, { weight: 1, arbitrary: anything }),
  name: fc.constantFrom('x0', 'x1'),
  ...state,
})
/** With the fields of a kind: fields of other kinds are rejected first. */
const bridgeSpec = fc.tuple(
  bag(state),
  bag({
    kind: fc.constant('bridge'),
    name: fc.constant('x0'),
    stp: fc.boolean(),
    forwardDelay: duration,
    helloTime: duration,
    maxAge: duration,
    ageingTime: duration,
    priority: number,
    vlanFiltering: fc.boolean(),
    vlanDefaultPvid: fc.nat(4095),
    multicastSnooping: fc.boolean(),
  }),
)
const vxlanSpec = fc.tuple(
  bag({ up: fc.boolean(), dev: ref }),
  bag({
    kind: fc.constant('vxlan'),
    name: fc.constant('x0'),
    id: fc.oneof(fc.nat(2 ** 24), number),
    local: address,
    group: fc.oneof(fc.constantFrom('239.0.0.1', 'ff05::100'), address),
    remote: address,
    port: fc.nat(65_536),
    ttl: fc.nat(256),
    learning: fc.boolean(),
    ageingTime: duration,
  }),
)
const vethSpec = bag({
  kind: fc.constant('veth'),
  name: fc.constant('x0'),
  peer: bag({
    ...state,
    name: fc.constantFrom('x1', 'x0'),
    set: fc.oneof(
      fc.constant(undefined),
      fc.constant({ pid: process.pid }),
      fc.constant({ name: 'no-such-name', directory: '/nowhere' }),
      anything,
    ),
  }),
})
const spec = fc.oneof(
  linkSpec,
  vethSpec,
  ...[bridgeSpec, vxlanSpec].map((pair) => pair.map(([one, other]) => Object.assign({}, one, other))),
)
const route = bag({
  destination: fc.oneof(fc.constant('default'), cidr),
  via: address,
  dev: ref,
  metric: number,
  table: fc.oneof(fc.constantFrom(254, 255, 0, 7), number),
  source: address,
  type: fc.oneof(fc.constantFrom('unicast', 'blackhole', 'throw', 'local'), fc.nat(255), text),
  scope,
  onLink: fc.boolean(),
})
const range = fc.oneof(number, bag({ start: number, end: number }))
const rule = bag({
  family: fc.constantFrom('IPv4', 'IPv6'),
  priority: number,
  from: cidr,
  to: cidr,
  iif: word,
  fwmark: number,
  fwmask: number,
  uidRange: range,
  ipProto: fc.oneof(fc.constantFrom('tcp', 'udp'), number),
  dport: range,
  invert: fc.boolean(),
  action: fc.oneof(fc.constantFrom('lookup', 'goto', 'blackhole'), fc.nat(255), text),
  table: number,
  goto: number,
  suppressPrefixLength: number,
})
const hardware = fc.oneof(fc.constantFrom('02:00:00:00:00:01', '00:00:00:00:00:00', '01:00:5e:00:00:01'), text)
const neighbour = bag({
  address,
  mac: hardware,
  state: fc.oneof(fc.constantFrom('permanent', 'stale', 'none'), fc.nat(65_535), text),
  proxy: fc.boolean(),
  router: fc.boolean(),
  protocol: number,
})
const entry = bag({
  mac: hardware,
  table: fc.constantFrom('self', 'master'),
  state: fc.oneof(fc.constantFrom('permanent', 'static', 'dynamic'), fc.nat(65_535), text),
  vlan: number,
  dst: address,
  vni: number,
  via: ref,
})
const handle = fc.oneof(fc.constantFrom('root', '1:', '1:10', ':', 'ffff:', 'ffff:fff1', ':1', '0:0'), text)
const percentage = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), number)
const qdisc = fc
  .tuple(
    bag({ parent: handle, handle }),
    fc.oneof(
      bag({ kind: fc.constant('tbf'), rate: number, burst: number, latency: duration, limit: number }),
      bag({ kind: fc.constant('fq_codel'), limit: number, target: duration, interval: duration, flows: number }),
      bag({ kind: fc.constant('htb'), defaultClass: number }),
      bag({ kind: fc.constant('netem'), latency: duration, jitter: duration, loss: percentage, reorder: percentage }),
      bag({ kind: fc.constant('other'), type: fc.constantFrom('pfifo', 'nosuchqdisc', '') }),
    ),
  )
  .map(([one, other]) => Object.assign({}, one, other))
const sysctl = fc.oneof(fc.constantFrom('net.ipv4.ip_forward', 'net/ipv4/conf/lo/rp_filter', 'net.none'), text)
const value = fc.oneof(fc.constantFrom(0, 1, true, '1'), anything)

const NEARLY: [string, string, fc.Arbitrary<unknown[]>][] = [
  ['links', 'get', fc.tuple(ref)],
  ['links', 'add', fc.tuple(spec)],
  ['links', 'ensure', fc.tuple(spec)],
  ['links', 'set', fc.tuple(ref, bag({ ...state, name: word }))],
  ['links', 'delete', fc.tuple(ref, fc.oneof(bag({ force: fc.boolean() }), anything))],
  ['addresses', 'list', fc.tuple(ref)],
  ['addresses', 'add', fc.tuple(ref, addressSpec)],
  ['addresses', 'delete', fc.tuple(ref, addressSpec)],
  ['routes', 'list', fc.tuple(bag({ table: number }))],
  ['routes', 'add', fc.tuple(route)],
  ['routes', 'replace', fc.tuple(route)],
  ['routes', 'delete', fc.tuple(route)],
  ['rules', 'list', fc.tuple(bag({ family: text }))],
  ['rules', 'add', fc.tuple(rule)],
  ['rules', 'delete', fc.tuple(rule)],
  ['neighbours', 'list', fc.tuple(ref)],
  ['neighbours', 'add', fc.tuple(ref, neighbour)],
  ['neighbours', 'replace', fc.tuple(ref, neighbour)],
  ['neighbours', 'delete', fc.tuple(ref, neighbour)],
  ['forwardingEntries', 'list', fc.tuple(ref)],
  ['forwardingEntries', 'add', fc.tuple(ref, entry)],
  ['forwardingEntries', 'append', fc.tuple(ref, entry)],
  ['forwardingEntries', 'replace', fc.tuple(ref, entry)],
  ['forwardingEntries', 'delete', fc.tuple(ref, entry)],
  ['qdiscs', 'list', fc.tuple(ref)],
  ['qdiscs', 'add', fc.tuple(ref, qdisc)],
  ['qdiscs', 'replace', fc.tuple(ref, qdisc)],
  ['qdiscs', 'delete', fc.tuple(ref, bag({ parent: handle }))],
  ['sysctls', 'get', fc.tuple(sysctl)],
  ['sysctls', 'set', fc.tuple(sysctl, value)],
]

describe('nearly valid values', () => {
  test.each(NEARLY)(
    'passed to %s.%s succeed, or fail as documented',
    async (group, method, args) => {
      // In its own network, which is discarded: any link may get another name, `lo`, too.
      using inside = fresh()
      await fc.assert(
        fc.asyncProperty(args, (given) =>
          outcomeOf(inside, () => (action as unknown as Groups)[group]?.[method]?.(...given)),
        ),
        { numRuns: 150 },
      )
    },
    60_000,
  )
})

// --- valid values: round trips

const RUNS = { numRuns: 25 }

/** Whole hundredths of a second, as the kernel reports them, and whole ticks of its clock, of 4 ms or less. */
const hundredths = (least: number, most: number) =>
  fc.integer({ min: least / 2, max: most / 2 }).map((count) => count * 20)
const bridgeData = fc.record(
  {
    stp: fc.boolean(),
    forwardDelay: hundredths(200, 3000),
    helloTime: hundredths(100, 1000),
    maxAge: hundredths(600, 4000),
    ageingTime: hundredths(0, 100_000),
    priority: fc.nat(65_535),
    multicastSnooping: fc.boolean(),
  },
  { requiredKeys: [] },
)
const IP_NAMES: Record<string, string> = {
  stp: 'stp_state',
  forwardDelay: 'forward_delay',
  helloTime: 'hello_time',
  maxAge: 'max_age',
  ageingTime: 'ageing_time',
  priority: 'priority',
  multicastSnooping: 'mcast_snooping',
}
const TIMES = ['forwardDelay', 'helloTime', 'maxAge', 'ageingTime']
const inIpUnits = (name: string, value: unknown) => (TIMES.includes(name) ? Number(value) / 10 : Number(value))

const linkState = fc.record(
  {
    alias: fc.stringMatching(/^[a-z0-9]{1,30}$/),
    mac: fc.integer({ min: 1, max: 0xffffff }).map(
      (last) =>
        `02:00:00:${last
          .toString(16)
          .padStart(6, '0')
          .replace(/(..)(?=.)/g, '$1:')}`,
    ),
    mtu: fc.integer({ min: 1280, max: 9000 }),
    up: fc.boolean(),
  },
  { requiredKeys: [] },
)
const linkName = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,14}x$/).filter((name) => !name.startsWith('-'))

const GATEWAYS = { '-4': '192.0.2.2', '-6': 'fd99::2' }

describe('valid values pass in both directions', () => {
  test('bridges: ip reads what nsset creates, and nsset reads what ip creates', async () => {
    await fc.assert(
      fc.asyncProperty(linkName, bridgeData, linkState, async (name, data, state) => {
        using set = fresh()
        const made = await set.network.links.add({ kind: 'bridge', name, ...data, ...state })
        expect(made).toMatchObject({ name, ...data, ...state })
        const printed = await ipLink(set, name)
        expect(printed).toMatchObject({ ifname: name, ifindex: made.index, mtu: made.mtu, address: made.mac })
        expect(printed.ifalias).toBe(state.alias)
        expect(printed.flags.includes('UP')).toBe(state.up ?? false)
        const pairs = Object.entries(data).map(
          ([field, value]) => [IP_NAMES[field] as string, inIpUnits(field, value)] as const,
        )
        expect(printed.linkinfo?.info_data).toMatchObject(Object.fromEntries(pairs))
        await ip(set, `link delete dev ${name}`)
        await ip(set, ['link add name', name, 'type bridge', ...pairs.flat()].join(' '))
        expect(await set.network.links.get(name)).toMatchObject({ kind: 'bridge', name, ...data })
        await set.network.links.delete(name)
      }),
      RUNS,
    )
  }, 60_000)

  test('veths, with both ends as requested, here or in another set', async () => {
    const names = fc.uniqueArray(linkName, { minLength: 2, maxLength: 2 }) as fc.Arbitrary<[string, string]>
    await fc.assert(
      fc.asyncProperty(names, linkState, linkState, fc.boolean(), async ([name, far], state, peer, isElsewhere) => {
        using set = fresh()
        using other = fresh()
        const there = isElsewhere ? other : set
        const ends = { ...peer, name: far, set: isElsewhere ? other : undefined }
        const made = await set.network.links.add({ kind: 'veth', name, ...state, peer: ends })
        expect(made).toMatchObject({ kind: 'veth', name, ...state })
        for (const [where, end, wanted] of [
          [set, name, state],
          [there, far, peer],
        ] as const) {
          const printed = await ipLink(where, end)
          expect(printed.linkinfo?.info_kind).toBe('veth')
          expect(printed.ifalias).toBe(wanted.alias)
          expect(printed.flags.includes('UP')).toBe(wanted.up ?? false)
          if (wanted.mac !== undefined) expect(printed.address).toBe(wanted.mac)
          if (wanted.mtu !== undefined) expect(printed.mtu).toBe(wanted.mtu)
        }
        expect((await there.network.links.get(far)).index).toBe(made.peer?.index)
        await there.network.links.delete(far)
        expect(await namesOf(set)).toEqual([])
      }),
      RUNS,
    )
  }, 60_000)

  /** Of a single host, and not of a network with other addresses. */
  const four = fc.tuple(fc.integer({ min: 1, max: 99 }), fc.nat(255), fc.integer({ min: 1, max: 254 }))
  const host = four.map(([one, two, three]) => `10.${one}.${two}.${three}`)
  const cidrs = fc.oneof(
    fc.tuple(host, fc.integer({ min: 8, max: 32 })).map(([address, prefix]) => `${address}/${prefix}`),
    fc
      .tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 16, max: 128 }))
      .map(([last, prefix]) => `fd00::${last.toString(16)}/${prefix}`),
  )

  test('addresses: ip reads what nsset adds, and nsset reads what ip adds', async () => {
    const scopes = fc.constantFrom(undefined, 'global', 'link', 'host')
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(cidrs, { minLength: 1, maxLength: 4, selector: (cidr) => cidr.split('/')[0] }),
        scopes,
        async (list, scope) => {
          using set = fresh()
          await set.network.links.add({ kind: 'bridge', name: 'a0', up: true })
          const specs: AddressSpec[] = list.map((cidr) => (cidr.includes(':') ? cidr : { cidr, scope }))
          await set.network.apply(specs.map((spec) => action.addresses.add('a0', spec)))
          const printed = await ipAddresses(set, 'a0')
          expect(printed.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort()).toEqual([...list].sort())
          for (const { family, scope: other } of printed)
            expect(other).toBe(family === 'inet6' ? 'global' : (scope ?? 'global'))
          // The last first: deleting the first of a network deletes the later ones (promote_secondaries of ip-sysctl).
          await set.network.apply(specs.toReversed().map((spec) => action.addresses.delete('a0', spec)))
          expect(await ipAddresses(set, 'a0')).toEqual([])

          for (const cidr of list) await ip(set, `address add ${cidr} dev a0`)
          const read = (await set.network.addresses.list('a0')).filter(({ cidr }) => !cidr.startsWith('fe80:'))
          expect(read.map(({ cidr }) => cidr).sort()).toEqual([...list].sort())
          await set.network.apply(list.toReversed().map((cidr) => action.addresses.delete('a0', cidr)))
        },
      ),
      RUNS,
    )
  }, 60_000)

  test('routes: ip reads what nsset adds, and nsset reads what ip adds', async () => {
    const destinations = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 99 }), fc.nat(255)).map(([one, two]) => `10.${one}.${two}.0/24`),
      fc.integer({ min: 1, max: 0xffff }).map((part) => `fd00:${part.toString(16)}::/64`),
    )
    const options = fc.record(
      {
        metric: fc.integer({ min: 1, max: 2 ** 31 }),
        table: fc.integer({ min: 300, max: 2 ** 31 }),
        gateway: fc.constant(true),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(destinations, options, async (destination, { gateway, metric, table }) => {
        using set = fresh()
        const addresses = ['192.0.2.1/24', 'fd99::1/64']
        await set.network.links.add({ kind: 'bridge', name: 'r0', up: true, addresses })
        const family = destination.includes(':') ? '-6' : '-4'
        const via = gateway === true ? GATEWAYS[family] : undefined
        const spec: RouteSpec = { destination, dev: 'r0', via, metric, table }
        await set.network.routes.add(spec)
        const printed = (await ipRoutes(set, family)).filter(({ dst }) => dst === destination)
        expect(printed).toMatchObject([{ dst: destination, dev: 'r0' }])
        expect(printed[0]?.gateway).toBe(via)
        if (table !== undefined) expect(printed[0]?.table).toBe(String(table))
        if (metric !== undefined) expect(printed[0]?.metric).toBe(metric)
        await set.network.routes.delete(spec)
        expect((await ipRoutes(set, family)).filter(({ dst }) => dst === destination)).toEqual([])

        const words = [
          'route add',
          destination,
          via && `via ${via}`,
          'dev r0',
          metric && `metric ${metric}`,
          table && `table ${table}`,
        ]
        await ip(set, words.filter((word) => word !== undefined).join(' '))
        const { index } = await set.network.links.get('r0')
        const read = (await set.network.routes.list()).filter((route) => route.destination === destination)
        expect(read).toMatchObject([{ destination, dev: { index }, type: 'unicast', table: table ?? 254 }])
        expect(read[0]?.via).toBe(via)
        if (metric !== undefined) expect(read[0]?.metric).toBe(metric)
        await set.network.routes.delete(spec)
      }),
      RUNS,
    )
  }, 60_000)
})
