/**
 * The network of a set, compared with the bare requests, `ip`, Go's netlink and pyroute2. Root only: this thread
 * opens the socket of the bare requests inside.
 */
import { closeSync, openSync } from 'node:fs'
import { action, NamespaceSet, NS } from 'nsset'
import { bareBringUp, bareDumpLinks, bareRequest, bareRtnetlink, bareSetns } from '../../bare.ts'
import { compare } from '../../compare.ts'
import { closeAll, endOf, inFresh, runBatch } from '../../fresh.ts'
import { medianOf, microseconds, microsecondsOf, millisecondsOf, type Sample } from '../../measure.ts'
import { openGo } from '../../peers/go.ts'
import type { PeerProgram } from '../../peers/program.ts'
import { openPython } from '../../peers/python.ts'
import type { Row } from '../../row.ts'
import { addBridge, addVeth, getLink } from '../../rtnetlink.ts'

const VETHS = 500
const BRIDGES = 1_000
const BRIDGES_AT_ONCE = 100
const ROUTES = 100_000

const WHY_LIST =
  "The kernel's own dump, the floor, takes 0.4 to 0.6 of the time of netlink, so that half of it is out of reach. " +
  'Above the floor, each link becomes a JavaScript object with all its fields, passed between two threads. Of 92 µs for ten links, ' +
  '45 are the dump, 20 the text and its objects, and the rest two thread switches and the promise. Of the CPU time for many routes, ' +
  'more than half is the dump; what the routes share is written once, and read by copying a template.'
const WHY_ADD =
  'Nearly all of it is the kernel, under a lock that all networks share: other users of links slow it down.'
const WHY_ASYNC =
  'A thread of the binding makes the request, so that the event loop does not wait for the kernel, and its answer ' +
  'returns to the loop: two thread switches, of about 6 µs each on one CPU. If the load moves the thread to another CPU, the ' +
  'next switch there takes 25 to 30 µs. The request itself takes 8 µs, as network.sync shows. The floor blocks the loop.'
const WHY_SYNC =
  'A request by a name is parsed, and the kernel looks the name up; the floor sends ready bytes with an index. Of 8 µs in a loop, ' +
  '3.3 are the kernel, 2.7 the request in Rust, which is read from JSON and written for the kernel, and 2 JavaScript, a quarter ' +
  'of it the check of the arguments. Fifty calls after a pause take 11 each, because little of the code is compiled and cached.'
const WHY_FIRST =
  'Of 145 µs in a loop, 26 open the set, by six system calls that check what the path is; 14 create the objects of the network; ' +
  '17 begin the request; 76 are two thread switches and a socket, opened between two setns(2) and prepared by five calls; and 12 ' +
  'close both. After a pause each takes twice as long, because the code is not in the caches of the processor. The floor opens only a socket.'

/** More than the kernel sends in one datagram. */
const BUFFER = Buffer.alloc(64 * 1024)

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  await using go = await openGo()
  return [
    await addVeths(go),
    await listLinks(10, { times: 50, rounds: 15 }),
    await listLinks(100, { times: 20, rounds: 12 }),
    await listLinks(1_000, { times: 5, rounds: 8 }),
    await listLinks(5_000, { times: 1, rounds: 4 }),
    await listRoutes(),
    ...(await bringUp(go)),
    ...(await useFirst(go)),
    await addBridges(go),
  ]
}

/** Each sample in a new network. */
async function addVeths(go: PeerProgram | undefined): Promise<Row> {
  const actions = veths(VETHS)
  const requests = Array.from({ length: VETHS }, (_, index) => addVeth(`a${index}`, `b${index}`))
  const lines = Array.from({ length: VETHS }, (_, index) => `link add a${index} type veth peer name b${index}\n`)
  const asked = { do: 'links.add', times: 1, kind: 'veth', from: 0, count: VETHS }
  return compare({
    name: `apply of ${VETHS} veths`,
    unit: 'ms',
    ours: inFresh((set) => millisecondsOf(() => set.network.apply(actions))),
    floor: { is: 'the same requests over one socket', sample: inFresh((set) => millisecondsOfBare(set, requests)) },
    peers: {
      'ip -batch': inFresh((set) => millisecondsOf(() => runBatch(set, 'ip', lines))),
      netlink: go && inFresh(async (set) => (await go.ask({ ...asked, path: set.path('net') })) / 1_000),
      pyroute2: await ofPython((python) => python.ask(asked)),
    },
    rounds: 4,
    targets: [{ of: 'peer', name: 'ip -batch', most: 1 }],
    why: WHY_ADD,
  })
}

/** Python enters a network when it starts. */
async function ofPython(ask: (python: PeerProgram) => Promise<number>): Promise<Sample | undefined> {
  await using here = await openPython()
  if (here === undefined) return undefined
  return inFresh(async (set) => {
    await using python = await openPython(set)
    return python === undefined ? Number.NaN : (await ask(python)) / 1_000
  })
}

function veths(count: number) {
  const add = (index: number) => action.links.add({ kind: 'veth', name: `a${index}`, peer: { name: `b${index}` } })
  return Array.from({ length: count }, (_, index) => add(index))
}

/** One after another, since there is no other way. */
function millisecondsOfBare(set: NamespaceSet, requests: readonly Uint8Array[]): number {
  const socket = set.do(() => bareRtnetlink())
  const send = () => {
    for (const request of requests) bareRequest(socket, request, BUFFER)
  }
  const took = microseconds(send, 1) / 1_000
  closeSync(socket)
  return took
}

/**
 * Each way has its own network, which grows from sample to sample: the kernel takes some ms to remove one bridge, so
 * a network for each sample would take minutes.
 */
async function addBridges(go: PeerProgram | undefined): Promise<Row> {
  const rounds = BRIDGES / BRIDGES_AT_ONCE - 1
  const sets: NamespaceSet[] = []
  const growing = async (add: (set: NamespaceSet, from: number) => number | Promise<number>): Promise<Sample> => {
    const set = await NamespaceSet.unshare('net')
    sets.push(set)
    let from = 0
    return async () => {
      const took = await add(set, from)
      from += BRIDGES_AT_ONCE
      return took
    }
  }
  const asked = { do: 'links.add', times: 1, kind: 'bridge', count: BRIDGES_AT_ONCE }
  const row = await compare({
    name: `${BRIDGES_AT_ONCE} bridges added and up, until there are ${BRIDGES.toLocaleString('en')}`,
    unit: 'ms',
    ours: await growing((set, from) => {
      const actions = numbered(from, (index) => action.links.add({ kind: 'bridge', name: `br${index}`, up: true }))
      return millisecondsOf(() => set.network.apply(actions))
    }),
    floor: {
      is: 'the same requests over one socket',
      sample: await growing((set, from) =>
        millisecondsOfBare(
          set,
          numbered(from, (index) => addBridge(`br${index}`)),
        ),
      ),
    },
    peers: {
      'ip -batch': await growing((set, from) => {
        const lines = numbered(from, (index) => `link add br${index} up type bridge\n`)
        return millisecondsOf(() => runBatch(set, 'ip', lines))
      }),
      netlink:
        go && (await growing(async (set, from) => (await go.ask({ ...asked, from, path: set.path('net') })) / 1_000)),
    },
    rounds,
    targets: [{ of: 'peer', name: 'ip -batch', most: 1 }],
    why: WHY_ADD,
  })
  await closeAll(sets)
  return row
}

function numbered<T>(from: number, make: (index: number) => T): T[] {
  return Array.from({ length: BRIDGES_AT_ONCE }, (_, index) => make(from + index))
}

interface Listing {
  /** For each sample. */
  times: number
  rounds: number
}

/** Lists this many links and `lo`. */
async function listLinks(count: number, listing: Listing): Promise<Row> {
  const set = await NamespaceSet.unshare('net')
  await set.network.apply(veths(count / 2))
  const row = await listThose(set, count, listing)
  await closeAll([set])
  return row
}

/** The peers are in the network, which lives as long as they do. */
async function listThose(set: NamespaceSet, count: number, { times, rounds }: Listing): Promise<Row> {
  const socket = set.do(() => bareRtnetlink())
  await using go = await openGo(set)
  // Creating thousands takes seconds.
  await using python = count > 1_000 ? undefined : await openPython(set)
  const asked = { do: 'links.list', times }
  const row = await compare({
    name: `links.list() of ${count.toLocaleString('en')}`,
    unit: 'µs',
    ours: () => medianOf(times, () => set.network.links.list()),
    floor: {
      is: 'a bare dump without parsing',
      sample: () => medianOf(times, () => bareDumpLinks(socket, BUFFER)),
    },
    peers: {
      netlink: go?.sample(asked),
      'ip -j link': () => microsecondsOf(() => endOf(set.spawn('ip', ['-j', 'link'], { stdio: 'ignore' }))),
      ...(count <= 1_000 && { pyroute2: python?.sample({ ...asked, times: Math.ceil(times / 10) }) }),
    },
    rounds,
    work: { series: 'links.list', of: 'links', amount: count },
    targets: [
      { of: 'floor', most: 3 },
      { of: 'peer', name: 'ip -j link', most: 1 },
      { of: 'peer', name: 'netlink', most: count < 1_000 ? 0.7 : 0.4 },
    ],
    why: WHY_LIST,
  })
  closeSync(socket)
  return row
}

/** Routes to single addresses, beside those that each network has. */
async function listRoutes(): Promise<Row> {
  const set = await NamespaceSet.unshare('net')
  await set.network.links.add({ kind: 'veth', name: 'a', up: true, peer: { name: 'b', up: true } })
  const destination = (index: number) => `10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}/32`
  const add = (index: number) => action.routes.add({ destination: destination(index), dev: 'a' })
  await set.network.apply(Array.from({ length: ROUTES }, (_, index) => add(index)))
  const row = await listThoseRoutes(set)
  await closeAll([set])
  return row
}

/** The peer is in the network, which lives as long as it does. */
async function listThoseRoutes(set: NamespaceSet): Promise<Row> {
  await using go = await openGo(set)
  return await compare({
    name: `routes.list() of ${ROUTES.toLocaleString('en')}`,
    unit: 'ms',
    ours: () => millisecondsOf(() => set.network.routes.list({ table: 254 })),
    peers: { netlink: go && (async () => (await go.ask({ do: 'routes.list', times: 1 })) / 1_000) },
    rounds: 6,
    targets: [{ of: 'peer', name: 'netlink', most: 0.5 }],
    why: WHY_LIST,
  })
}

async function bringUp(go: PeerProgram | undefined): Promise<Row[]> {
  using set = await NamespaceSet.unshare('net')
  const { index } = await set.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'b', up: true } })
  const socket = set.do(() => bareRtnetlink())
  await using python = await openPython(set)
  const asked = { do: 'links.up', times: 50, name: 'a' }
  const floor = {
    is: 'a bare request, by the index',
    sample: () => medianOf(50, () => bareBringUp(socket, index, BUFFER)),
  }
  const peers = { netlink: go?.sample({ ...asked, path: set.path('net') }), pyroute2: python?.sample(asked) }
  const rows = [
    await compare({
      name: 'links.set(name, { up: true })',
      unit: 'µs',
      ours: () => medianOf(50, () => set.network.links.set('a', { up: true })),
      floor,
      peers,
      rounds: 40,
      targets: [{ of: 'peer', name: 'netlink', most: 1 }],
      why: WHY_ASYNC,
    }),
    await compare({
      name: 'network.sync.links.set(name, { up: true })',
      unit: 'µs',
      ours: () => microseconds(() => set.network.sync.links.set('a', { up: true }), 50),
      floor,
      peers,
      rounds: 40,
      targets: [{ of: 'peer', name: 'netlink', most: 0.4 }],
      why: WHY_SYNC,
    }),
  ]
  closeSync(socket)
  return rows
}

/** The first use opens the socket inside: with a thread, or with the helper for a user namespace. */
async function useFirst(go: PeerProgram | undefined): Promise<Row[]> {
  using set = await NamespaceSet.unshare('net')
  const [net, owned] = [
    await compare({
      name: 'first use of the network of net',
      unit: 'µs',
      // The same network for all, which is opened by its path each time.
      ours: () => microsecondsOf(() => openAndUse(set.path('net'))),
      floor: { is: 'setns(2) in and out around socket(2), and a bare request', sample: () => firstBare(set) },
      peers: { netlink: go?.sample({ do: 'links.first', times: 1, path: set.path('net') }) },
      rounds: 60,
      targets: [{ of: 'peer', name: 'netlink', most: 1 }],
      why: WHY_FIRST,
    }),
    await compare({
      name: 'first use of the network of user+net',
      unit: 'µs',
      ours: firstUse,
      rounds: 60,
      targets: [{ of: 'ours', most: 1_500 }],
    }),
  ]
  return [net, owned]
}

async function openAndUse(path: string): Promise<void> {
  using set = NamespaceSet.fromPath(path, 'net')
  await set.network.links.get('lo')
}

async function firstUse(): Promise<number> {
  using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  return await microsecondsOf(() => set.network.links.get('lo'))
}

function firstBare(set: NamespaceSet): number {
  const [there, home] = [openSync(set.path('net'), 'r'), openSync('/proc/thread-self/ns/net', 'r')]
  const request = getLink(1)
  const took = microseconds(() => {
    bareSetns(there, NS.NET)
    const socket = bareRtnetlink()
    bareSetns(home, NS.NET)
    bareRequest(socket, request, BUFFER)
    closeSync(socket)
  }, 1)
  closeSync(there)
  closeSync(home)
  return took
}
