/** A program on the host of the benchmark: the ways out leave from its network. It sends its rows to its parent, and ends. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { compare } from '../compare.ts'
import { type Figures, figuresOf, millisecondsOf, type Sample } from '../measure.ts'
import { isMissing, isPresent, peersMissing, peersPresent } from '../peers/presence.ts'
import type { Row, Target } from '../row.ts'
import { SERVER, STARTS, type Start, type Used, type WayOut } from './ways.ts'

/** What the parent gets. */
export interface Report {
  rows: Row[]
  present: Record<string, string>
  missing: Record<string, string>
}

const PEERS = ['slirp4netns', 'pasta'] as const
type Name = 'uplink' | (typeof PEERS)[number]
type Ways = Partial<Record<Name, WayOut>>

const [WIDE, ETHERNET] = [65_520, 1500]
const IDLE = 1000
const WHY =
  'Each of the programs copies the bytes in user space, and the programs that send and receive share two cores with it.'
const WHY_PASTA =
  'pasta passes the buffers of the host on without a stack of its own, and is one process without rules.'

/** The process of the servers. */
const SERVING = Number(process.argv[2])

const most = (name: Name, limit: number): Target => ({ of: 'peer', name, most: limit })

async function report(): Promise<Report> {
  const wide = await startAll(WIDE)
  const narrow = await startAll(ETHERNET)
  const rows = [
    // First, as memory that has been in use would be used again.
    ...(await withIdleFlows(wide)),
    await row(wide, `up, mtu ${WIDE}: 128 MiB`, 4, (way) => way.run('up', 128), [most('slirp4netns', 1 / 1.8)]),
    await row(wide, `down, mtu ${WIDE}: 128 MiB`, 4, (way) => way.run('down', 128), [
      most('slirp4netns', 1 / 1.3),
      most('pasta', 1 / 0.8),
    ]),
    await row(narrow, `up, mtu ${ETHERNET}: 32 MiB`, 4, (way) => way.run('up', 32), [most('slirp4netns', 1 / 5)]),
    await row(narrow, `down, mtu ${ETHERNET}: 32 MiB`, 4, (way) => way.run('down', 32), [most('slirp4netns', 1 / 1.7)]),
    await row(wide, '100 connections, one after the other', 5, (way) => way.run('connect', 100), [
      most('slirp4netns', 1.3),
    ]),
    await row(wide, '500 connections at once', 4, (way) => way.run('together', 500), [most('slirp4netns', 0.2)]),
    await names(wide),
    await start(),
    await roundTrips(),
  ]
  await closeAll(wide)
  await closeAll(narrow)
  return { rows, present: peersPresent(), missing: peersMissing() }
}

/** The peers that have failed, with what they were used for: the first words of the names of rows. */
const failed = new Set<string>()
const useOf = (name: string) => name.split(',')[0]

/** A peer that fails is missing in this row, and in the following ones of the same use. */
async function row(
  ways: Ways,
  name: string,
  rounds: number,
  use: (way: WayOut) => Promise<number>,
  targets: Target[],
): Promise<Row> {
  const working = { ...ways }
  for (const peer of PEERS) if (failed.has(`${peer} ${useOf(name)}`)) delete working[peer]
  const sampleOf = (peer: Name): Sample | undefined => {
    const way = working[peer]
    return way && (() => use(way).catch((error: Error) => Promise.reject(new PeerFailure(peer, error))))
  }
  for (;;) {
    try {
      return await compare({
        name: `way out: ${name}`,
        unit: 'ms',
        ours: sampleOf('uplink') as Sample,
        peers: Object.fromEntries(PEERS.map((peer) => [peer, sampleOf(peer)])),
        rounds,
        targets,
        why: targets.some((target) => 'name' in target && target.name === 'pasta') ? WHY_PASTA : WHY,
      })
    } catch (error) {
      if (!(error instanceof PeerFailure) || error.peer === 'uplink') throw error
      isMissing(`${error.peer} (${useOf(name)})`, error.message)
      failed.add(`${error.peer} ${useOf(name)}`)
      delete working[error.peer]
    }
  }
}

class PeerFailure extends Error {
  readonly peer: Name

  constructor(peer: Name, cause: Error) {
    super(cause.message.split('\n').at(-1) ?? '', { cause })
    this.peer = peer
  }
}

/** Sends while many connections are open and silent, and shows what these cost. */
async function withIdleFlows(ways: Ways): Promise<Row[]> {
  const series = { series: 'way out', of: 'idle connections' }
  const send = (count: number, targets: Target[]) =>
    row(ways, `up, mtu ${WIDE}, ${count} idle connections: 128 MiB`, 4, (way) => way.run('up', 128), targets)
  const before = await usedBy(ways)
  const idle = await Promise.all(Object.values(ways).map((way) => way.idle(IDLE)))
  const then = await usedBy(ways)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const later = await usedBy(ways)
  const withThem = await send(IDLE, [most('slirp4netns', 1 / 8), { of: 'growth', most: 1.05 }])
  for (const child of idle) child.kill('SIGKILL')
  const without = await send(0, [])
  return [
    { ...without, work: { ...series, amount: 0 } },
    { ...withThem, work: { ...series, amount: IDLE } },
    single(
      `memory of ${IDLE} idle connections`,
      'KiB',
      (name) => (then[name]?.memory ?? 0) - (before[name]?.memory ?? 0),
      ways,
    ),
    single(
      `processor time of ${IDLE} idle connections in a second`,
      'ms',
      (name) => (later[name]?.time ?? 0) - (then[name]?.time ?? 0),
      ways,
    ),
  ]
}

async function usedBy(ways: Ways): Promise<Partial<Record<Name, Used>>> {
  return Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, way.used()]))
}

/** A row of one measurement. */
function single(name: string, unit: Row['unit'], value: (name: Name) => number, ways: Ways): Row {
  const figures = (of: Name) => (ways[of] === undefined ? null : figuresOf([value(of)]))
  return {
    name: `way out: ${name}`,
    unit,
    ours: figures('uplink') as Figures,
    peers: Object.fromEntries(PEERS.map((peer) => [peer, figures(peer)])),
    targets: [],
    why: 'An uplink keeps names, counters and the answers of the rules for each flow.',
  }
}

async function names(ways: Ways): Promise<Row> {
  const direct = () => {
    const words = [new URL('client.py', import.meta.url).pathname, SERVER[0], '0', 'names', '200']
    return Number(execFileSync('python3', words, { encoding: 'utf8' })) / 200
  }
  return await compare({
    name: 'way out: a question about a name',
    unit: 'ms',
    ours: async () => (await (ways.uplink as WayOut).names(200)) / 200,
    floor: { is: 'the same question on the host', sample: direct },
    rounds: 10,
    targets: [{ of: 'excess', most: 1 }],
    why: 'An uplink reads the question and the answer, under its rules, and each crosses the link to it.',
  })
}

async function start(): Promise<Row> {
  const sampleOf =
    (start: Start): Sample =>
    () =>
      millisecondsOf(async () => {
        await using way = await start(WIDE)
        await way.run('connect', 1)
      })
  return await compare({
    name: 'way out: a new network, until a program inside has connected',
    unit: 'ms',
    ours: sampleOf(STARTS.uplink),
    peers: Object.fromEntries(PEERS.map((peer) => [peer, peer in peersMissing() ? undefined : sampleOf(STARTS[peer])])),
    rounds: 5,
    targets: [most('slirp4netns', 1.5), most('pasta', 1)],
    why: WHY,
  })
}

/** A byte there and back. The client has a processor, and everything else the other one. */
async function roundTrips(): Promise<Row> {
  for (const pid of [process.pid, SERVING]) pin(pid, '0')
  const ways = await startAll(WIDE)
  const use = (way: WayOut) => way.run('echo', 2000, ['taskset', '--cpu-list', '1'])
  const measured = await row(ways, '2,000 bytes, each there and back, on pinned processors', 5, use, [
    most('slirp4netns', 1.15),
  ])
  await closeAll(ways)
  return measured
}

/** Moves all threads of a process to a processor. Some may end meanwhile. */
function pin(pid: number, processor: string): void {
  for (const task of readdirSync(`/proc/${pid}/task`))
    spawnSync('taskset', ['--cpu-list', '--pid', processor, task], { stdio: 'ignore' })
}

async function startAll(mtu: number): Promise<Ways> {
  const ways: Ways = { uplink: await STARTS.uplink(mtu) }
  for (const name of PEERS) {
    try {
      if (name in peersMissing()) continue
      ways[name] = await STARTS[name](mtu)
      isPresent(name, versionOf(name))
    } catch (error) {
      isMissing(name, (error as Error).message)
    }
  }
  return ways
}

async function closeAll(ways: Ways): Promise<void> {
  for (const way of Object.values(ways)) await way[Symbol.asyncDispose]()
}

function versionOf(name: string): string {
  return (
    /version (\S+)|^pasta (\S+)/m
      .exec(execFileSync(name, ['--version'], { encoding: 'utf8' }))
      ?.slice(1)
      .find(Boolean) ?? ''
  )
}

process.send?.(await report())
process.disconnect()
process.exit()
