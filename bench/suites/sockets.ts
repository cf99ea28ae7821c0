/**
 * Sockets of Node.js inside, compared with the same sockets outside: the cost of creating one, using it, and holding a
 * thousand of them; and the effect of a thousand hanging lookups on the event loop. Rows of networks without a user
 * namespace require root.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type Agent, createServer, get, Agent as HttpAgent } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Server, type Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import { AF_INET, SOCK_STREAM } from '../../src/network/sockets/socket-maker.ts'
import { handleOf } from '../../src/objects/set-handle.ts'
import { compare } from '../compare.ts'
import { type Figures, figuresOf, microseconds, microsecondsOf } from '../measure.ts'
import type { Cost } from '../peers/many-servers.ts'
import type { Row } from '../row.ts'

const isRoot = process.getuid?.() === 0
const HOST = '127.0.0.1'
const LOOKUPS = 1_000

type Kinds = 'net' | 'user+net'

/** Why a socket inside costs more. */
const WHY_SOCKET: Record<Kinds, string> = {
  net: 'The thread enters with setns(2), creates the socket there, and returns: two additional system calls that do not block.',
  'user+net':
    'A thread cannot enter a user namespace, so a helper that stays there creates the socket and sends it: one message in each direction between two processes. Before that, ten system calls compare the rights of the caller with those of the helper.',
}

export async function suite(): Promise<Row[]> {
  using owned = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
  using set = isRoot ? await NamespaceSet.unshare('net', { loopback: true }) : undefined
  const all = { ...(set === undefined ? {} : { net: set }), 'user+net': owned }
  return [
    ...(await makeSockets(all)),
    ...(await connectTo(all)),
    await ask(set ?? owned),
    ...(isRoot ? await hold() : []),
    ...(set === undefined ? [] : [await hang('net', set)]),
    await hang('user+net', owned),
  ]
}

type Sets = Partial<Record<Kinds, NamespaceSet>>

function entriesOf(inside: Sets): [Kinds, NamespaceSet][] {
  return Object.entries(inside) as [Kinds, NamespaceSet][]
}

/** The part of Node's handles that is used here. */
interface Handle {
  open(fd: number): number
  bind(address: string, port: number): number
  close(): void
}

type Binding = (name: 'tcp_wrap') => { TCP: new (type: number) => Handle; constants: { SOCKET: number } }

/** A TCP socket of Node.js, bound and closed: the minimum that creates one. */
async function makeSockets(inside: Sets): Promise<Row[]> {
  const { TCP, constants } = (Reflect.get(process, 'binding') as Binding)('tcp_wrap')
  const make = (open?: (handle: Handle) => number) => () => {
    const handle = new TCP(constants.SOCKET)
    if (open !== undefined && open(handle) !== 0) throw new Error('Node.js does not accept the socket')
    if (handle.bind(HOST, 0) !== 0) throw new Error('the socket cannot be bound')
    handle.close()
  }
  const rows: Row[] = []
  for (const [name, set] of entriesOf(inside)) {
    const native = handleOf(set).network()
    const born = make((handle) => native.openHandle(handle, { domain: AF_INET, type: SOCK_STREAM }))
    rows.push(
      await compare({
        name: `a TCP socket inside ${name}, bound and closed`,
        unit: 'µs',
        ours: () => microseconds(born, name === 'net' ? 50 : 5),
        floor: { is: 'the same socket of Node.js outside', sample: () => microseconds(make(), 50) },
        rounds: 100,
        targets: [name === 'net' ? { of: 'excess', most: 10 } : { of: 'ours', most: 60 }],
        why: WHY_SOCKET[name],
      }),
    )
  }
  return rows
}

/** From `connect` to its event, on loopback. */
async function connectTo(inside: Sets): Promise<Row[]> {
  const server = () => createNetServer((socket) => socket.on('error', () => undefined))
  const here = server().listen(0, HOST)
  await once(here, 'listening')
  const servers: Server[] = [here]
  const rows: Row[] = []
  for (const [name, set] of entriesOf(inside)) {
    const there = await set.network.listen(server(), { host: HOST })
    servers.push(there)
    rows.push(
      await compare({
        name: `connect() inside ${name}, until 'connect'`,
        unit: 'µs',
        ours: () => connecting(() => set.network.connect({ host: HOST, port: portOf(there) })),
        floor: { is: 'net.connect() outside', sample: () => connecting(() => connect(portOf(here), HOST)) },
        rounds: 60,
        targets: [{ of: 'excess', most: name === 'net' ? 50 : 60 }],
        why: WHY_SOCKET[name],
      }),
    )
  }
  for (const each of servers) each.close()
  return rows
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** The median of some. */
async function connecting(make: () => Socket): Promise<number> {
  const took: number[] = []
  for (let index = 0; index < 20; index += 1) {
    const begin = process.hrtime.bigint()
    const socket = make()
    await once(socket, 'connect')
    took.push(Number(process.hrtime.bigint() - begin) / 1_000)
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  return took.toSorted((a, b) => a - b)[10] ?? Number.NaN
}

/** Requests on persistent connections; a process has as many outside as inside. */
async function ask(set: NamespaceSet): Promise<Row> {
  const server = () => createServer((_, response) => response.end('hello'))
  await using here = server().listen(0, HOST)
  await once(here, 'listening')
  await using there = await set.network.listen(server(), { host: HOST })
  const options = { keepAlive: true, maxSockets: 8 }
  const [outside, inside] = [new HttpAgent(options), set.network.httpAgent(options)]
  const row = await compare({
    name: `http.get inside ${isRoot ? 'net' : 'user+net'}, with keep-alive`,
    unit: 'µs',
    ours: () => perRequest(portOf(there), inside),
    floor: { is: 'the same with the plain agent outside', sample: () => perRequest(portOf(here), outside) },
    rounds: 100,
    // 0.97 of the requests in the same time.
    targets: [{ of: 'floor', most: 1.031 }],
  })
  outside.destroy()
  inside.destroy()
  return row
}

/** Microseconds per request, with this many at the same time. */
async function perRequest(port: number, agent: Agent): Promise<number> {
  const all = () => Promise.all(Array.from({ length: 400 }, () => request(port, agent)))
  return (await microsecondsOf(all)) / 400
}

function request(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: HOST, port, agent }, (response) => response.resume().once('end', resolve)).once('error', reject)
  })
}

/** A thousand networks in a separate process, with a server in each; the floor is as many servers outside. */
async function hold(): Promise<Row[]> {
  const [inside, outside] = [await costOf('inside'), await costOf('outside')]
  const row = (name: string, unit: Row['unit'], of: keyof Cost, most: number): Row => ({
    name: `${name}, of 1,000 networks with a server each`,
    unit,
    ours: oneOf(inside[of]),
    floor: { is: 'as many servers on ports of one network', ...oneOf(outside[of]) },
    peers: {},
    targets: [{ of: 'ours', most }],
    why: 'nsset holds a set, its network, its netlink socket and the server; the floor is the server alone.',
  })
  const { floor: _, why: __, ...threads } = row('additional threads', 'threads', 'threads', 0)
  return [row('RSS for each', 'KiB', 'rss', 30), row('heap for each', 'KiB', 'heap', 30), threads]
}

async function costOf(where: 'inside' | 'outside'): Promise<Cost> {
  const child = fork(new URL('../peers/many-servers.ts', import.meta.url), [where], { timeout: 60_000 })
  const [cost] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [Cost]
  return cost
}

function failed(): never {
  throw new Error('many-servers.ts ended without a result')
}

/** The longest delay of the event loop during many simultaneous lookups with a server that never responds. */
async function hang(kinds: string, set: NamespaceSet): Promise<Row> {
  let queries = 0
  const mute = set.network.createSocket('udp4', () => (queries += 1))
  await new Promise<void>((resolve) => mute.bind(0, HOST, resolve))
  set.network.setServers([`${HOST}:${mute.address().port}`])
  const floor = await longestDelay()
  let ended = 0
  const lookup = async (index: number) => {
    await refused(set, `host-${index}.example`)
    ended += 1
  }
  let lookups: Promise<unknown> | undefined
  const ours = await longestDelay(() => {
    lookups = Promise.all(Array.from({ length: LOOKUPS }, (_, index) => lookup(index)))
  })
  // Lookups that fail immediately, or without a query, would not block anything. A busy machine sends the last ones later.
  for (let waited = 0; waited < 20 && queries < LOOKUPS / 2; waited += 1) await pass(100)
  if (ended > 0 || queries < LOOKUPS / 2) throw new Error(`${ended} lookups ended, and ${queries} queries were sent`)
  // Hanging lookups end with their set, so it is closed last.
  set.close()
  await lookups
  mute.close()
  return {
    name: `event loop delay, with ${LOOKUPS} simultaneous hanging lookups in ${kinds}`,
    unit: 'ms',
    ours,
    floor: { is: 'an idle event loop for as many seconds', ...floor },
    peers: {},
    targets: [{ of: 'ours', most: 20 }],
    why: 'A thousand calls, each with a promise and a query, run in one iteration of the event loop, which is the delay.',
  }
}

function refused(set: NamespaceSet, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    set.network.lookup(name, {}, (error) => {
      if (error === null) reject(new Error(`${name} was found`))
      else resolve()
    })
  })
}

async function longestDelay(during: () => void = () => undefined): Promise<Figures> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  // It measures between its ticks: it does not see what comes before the first one, also after a reset().
  await pass(50)
  during()
  await pass(3_000)
  histogram.disable()
  return oneOf(histogram.max / 1e6)
}

/** Values that are measured once. */
function oneOf(value: number): Figures {
  return figuresOf([value])
}
