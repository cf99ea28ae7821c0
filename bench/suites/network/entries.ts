/**
 * Thousands of neighbours, routes, forwarding entries and classes: added in one `apply`, compared with the batches of iproute2, and
 * listed, compared with Go's netlink. Root only, as the other rows of networks.
 */
import { type Action, action, NamespaceSet } from 'nsset'
import { compare } from '../../compare.ts'
import { closeAll, runBatch } from '../../fresh.ts'
import { millisecondsOf, type Sample } from '../../measure.ts'
import { openGo } from '../../peers/go.ts'
import type { Row } from '../../row.ts'

const ENTRIES = 10_000
const CLASSES = 1_000
const ROUNDS = 4

/** `AF_INET` and `AF_BRIDGE` of linux/socket.h. */
const [IPV4, BRIDGE] = [2, 7]

const WHY =
  'Nearly all of it is the kernel. The batch is one program that parses lines of text; nsset checks objects, writes them as JSON for ' +
  'its native side, and sends many requests with one system call.'

/** Entries of a part of a network: how nsset adds one, and the line of a batch for the same. */
interface Part {
  name: string
  program: 'ip' | 'bridge' | 'tc'
  count: number
  prepare(set: NamespaceSet): Promise<unknown>
  add(index: number): Action<unknown>
  line(index: number): string
  most: number
}

const bytes = (index: number) => [index >> 16, (index >> 8) & 0xff, index & 0xff]
const address = (index: number) => `10.${bytes(index).join('.')}`
const mac = (index: number) =>
  `02:00:00:${bytes(index)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')}`

/** A link that is up, as a port of a bridge that is up. */
async function cable({ network }: NamespaceSet): Promise<void> {
  await network.apply([
    action.links.add({ kind: 'bridge', name: 'br0', up: true }),
    action.links.add({ kind: 'veth', name: 'a', up: true, peer: { name: 'b', up: true } }),
    action.links.add({ kind: 'veth', name: 'p', up: true, master: 'br0', peer: { name: 'q', up: true } }),
  ])
}

const NEIGHBOURS: Part = {
  ...{ name: 'neighbours', program: 'ip', count: ENTRIES, prepare: cable, most: 0.9 },
  add: (index) => action.neighbours.add('a', { address: address(index), mac: mac(index) }),
  line: (index) => `neighbour add ${address(index)} lladdr ${mac(index)} dev a nud permanent\n`,
}

const ROUTES: Part = {
  ...{ name: 'routes', program: 'ip', count: ENTRIES, prepare: cable, most: 0.9 },
  add: (index) => action.routes.add({ destination: `${address(index)}/32`, dev: 'a' }),
  line: (index) => `route add ${address(index)}/32 dev a\n`,
}

const FORWARDING: Part = {
  ...{ name: 'forwarding entries', program: 'bridge', count: ENTRIES, prepare: cable, most: 0.9 },
  add: (index) => action.forwardingEntries.add('p', { mac: mac(index), table: 'master', state: 'static' }),
  line: (index) => `fdb add ${mac(index)} dev p master static\n`,
}

const handle = (index: number) => `1:${(index + 0x10).toString(16)}`

const TREE: Part = {
  ...{ name: 'classes of an htb', program: 'tc', count: CLASSES, most: 1 },
  async prepare(set) {
    await cable(set)
    await set.network.apply([
      action.qdiscs.add('a', { kind: 'htb', handle: '1:' }),
      action.classes.add('a', { kind: 'htb', handle: '1:1', parent: '1:', rate: 1e9 }),
    ])
  },
  add: (index) => action.classes.add('a', { kind: 'htb', handle: handle(index), parent: '1:1', rate: 1e6, ceil: 1e9 }),
  line: (index) => `class add dev a parent 1:1 classid ${handle(index)} htb rate 1mbit ceil 1gbit\n`,
}

/** A filter for each class, where the kernel has them. */
const FILTERS: Part = {
  ...{ ...TREE, name: 'classes of an htb, with a filter each', count: 2 * CLASSES },
  add: (index) =>
    index < CLASSES
      ? TREE.add(index)
      : action.filters.add('a', {
          ...{ kind: 'fw', parent: '1:', priority: 1, protocol: 'ip' },
          ...{ handle: index, class: handle(index - CLASSES) },
        }),
  line: (index) =>
    index < CLASSES
      ? TREE.line(index)
      : `filter add dev a parent 1: prio 1 protocol ip handle ${index} fw classid ${handle(index - CLASSES)}\n`,
}

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  return [
    await add(NEIGHBOURS),
    await add(ROUTES),
    await add(FORWARDING),
    await add((await hasFilters()) ? FILTERS : TREE),
    await list(NEIGHBOURS, ({ network }) => network.neighbours.list(), { do: 'neighbours.list', family: IPV4 }),
    await list(ROUTES, ({ network }) => network.routes.list({ table: 254 }), { do: 'routes.list' }),
    await list(FORWARDING, ({ network }) => network.forwardingEntries.list(), {
      do: 'neighbours.list',
      family: BRIDGE,
    }),
  ]
}

async function hasFilters(): Promise<boolean> {
  await using set = await NamespaceSet.unshare('net')
  await TREE.prepare(set)
  const filter = { kind: 'fw', parent: '1:', priority: 1, protocol: 'ip', handle: 1 } as const
  return await set.network.filters.add('a', filter).then(
    () => true,
    () => false,
  )
}

/** Each sample in a new network. */
async function add(part: Part): Promise<Row> {
  const { name, program, count, prepare, most } = part
  const actions = Array.from({ length: count }, (_, index) => part.add(index))
  const lines = Array.from({ length: count }, (_, index) => part.line(index))
  const inPrepared =
    (call: (set: NamespaceSet) => Promise<unknown>): Sample =>
    async () => {
      const set = await NamespaceSet.unshare('net')
      await prepare(set)
      const took = await millisecondsOf(() => call(set))
      await closeAll([set])
      return took
    }
  return await compare({
    name: `apply of ${count.toLocaleString('en')} ${name}`,
    unit: 'ms',
    ours: inPrepared((set) => set.network.apply(actions)),
    peers: { [`${program} -batch`]: inPrepared((set) => runBatch(set, program, lines)) },
    rounds: ROUNDS,
    targets: [{ of: 'peer', name: `${program} -batch`, most }],
    why: WHY,
  })
}

interface Asked {
  do: string
  [option: string]: unknown
}

async function list(part: Part, ours: (set: NamespaceSet) => Promise<unknown>, asked: Asked): Promise<Row> {
  const set = await NamespaceSet.unshare('net')
  await part.prepare(set)
  await set.network.apply(Array.from({ length: part.count }, (_, index) => part.add(index)))
  const row = await listThose(part, set, ours, asked)
  await closeAll([set])
  return row
}

/** The peer is in the network, which lives as long as it does. */
async function listThose(
  { name, count }: Part,
  set: NamespaceSet,
  ours: (set: NamespaceSet) => Promise<unknown>,
  asked: Asked,
): Promise<Row> {
  await using go = await openGo(set)
  return await compare({
    name: `${name}: a list of ${count.toLocaleString('en')}`,
    unit: 'ms',
    ours: () => millisecondsOf(() => ours(set)),
    peers: { netlink: go && (async () => (await go.ask({ ...asked, times: 1 })) / 1_000) },
    rounds: 10,
    targets: [{ of: 'peer', name: 'netlink', most: 0.5 }],
    why:
      'Each entry becomes two or three JavaScript objects with all its fields, of which half differ from entry to entry. On one processor, ' +
      'a third of the time for neighbours is the kernel, which is also asked for proxies; 28 % read its messages and write the columns; and ' +
      '40 % are V8, which parses the columns and creates the objects.',
  })
}
