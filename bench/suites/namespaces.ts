/** Which namespaces there are: a search among five thousand, with a thousand processes, compared with lsns(8) and lxkns. Root only. */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet, namespaces } from 'nsset'
import { compare } from '../compare.ts'
import { figuresOf, millisecondsOf, type Sample } from '../measure.ts'
import { openLxkns } from '../peers/lxkns.ts'
import { isMissing, isPresent } from '../peers/presence.ts'
import type { PeerProgram } from '../peers/program.ts'
import type { Row } from '../row.ts'

const PROCESSES = 1_000
/** Each process has these of its own. */
const KINDS = ['uts', 'ipc', 'cgroup', 'net', 'mnt'] as const
const LEAST = PROCESSES * KINDS.length
const ROUNDS = 10
const MOST_OUTPUT = 64 << 20

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  await using lxkns = await openLxkns()
  const children: ChildProcess[] = []
  try {
    for (let count = 0; count < PROCESSES; count += 1) children.push(startApart())
    return [await search(lxkns), await delay(), await memory()]
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

function startApart(): ChildProcess {
  using set = NamespaceSet.unshareSync([...KINDS])
  return set.spawn('sleep', ['3600'], { stdio: 'ignore' })
}

function search(lxkns: PeerProgram | undefined): Promise<Row> {
  const request = { do: 'Namespaces', times: 1, least: LEAST }
  return compare({
    name: `namespaces() of ${LEAST} namespaces, ${PROCESSES} processes`,
    unit: 'ms',
    ours: () => millisecondsOf(find),
    peers: { lsns: findLsns(), lxkns: lxkns && (async () => (await lxkns.ask(request)) / 1_000) },
    rounds: ROUNDS,
    targets: [
      { of: 'peer', name: 'lsns', most: 0.3 },
      { of: 'peer', name: 'lxkns', most: 0.3 },
    ],
    why: 'lsns reads neither threads, descriptors, the mounts of other mount namespaces, nor cgroups.',
  })
}

async function find(): Promise<void> {
  const found = await namespaces()
  if (found.length < LEAST) throw new Error(`found only ${found.length} namespaces`)
}

function findLsns(): Sample | undefined {
  const { error, stdout } = spawnSync('lsns', ['--version'], { encoding: 'utf8' })
  if (error !== undefined) {
    isMissing('lsns', error.message)
    return undefined
  }
  isPresent('lsns', stdout.trim().split(' ').at(-1) ?? '')
  return () => millisecondsOf(() => execFileSync('lsns', ['--json', '--output-all'], { maxBuffer: MOST_OUTPUT }))
}

/** The longest that the event loop waits during a search. */
async function delay(): Promise<Row> {
  const longest: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const monitor = monitorEventLoopDelay({ resolution: 1 })
    monitor.enable()
    await find()
    await pass(5)
    monitor.disable()
    longest.push(monitor.max / 1e6)
  }
  return row('delay of the event loop by namespaces()', 'ms', longest, 10)
}

/** What a list takes, all of whose holders are read. */
async function memory(): Promise<Row> {
  const taken: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    const found = await namespaces()
    if (found.some(({ holders }) => holders.length === 0)) throw new Error('a namespace without holders')
    taken.push(Math.max(0, process.memoryUsage().rss - before) / 2 ** 20)
  }
  return row(`memory of ${LEAST} namespaces`, 'MB', taken, 20)
}

function row(name: string, unit: Row['unit'], values: readonly number[], most: number): Row {
  return { name, unit, ours: figuresOf(values), peers: {}, targets: [{ of: 'ours', most }] }
}
