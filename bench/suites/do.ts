/**
 * An empty `do`, with more and more kinds. Root only: an ordinary user's thread may not enter.
 *
 * No more than four differ from the thread's own: a thread of Node.js cannot enter another user, pid, time or mount
 * namespace and leave it again. The fifth is the host's pid namespace, as in a container that shares it.
 */
import { type NamespaceKind, NamespaceSet, NS, netns } from 'nsset'
import { bareSetns } from '../bare.ts'
import { compare } from '../compare.ts'
import { microseconds, type Sample } from '../measure.ts'
import { openGo } from '../peers/go.ts'
import { openGonso } from '../peers/gonso.ts'
import { openNeslink } from '../peers/neslink.ts'
import { program } from '../peers/one-shot.ts'
import { openPython } from '../peers/python.ts'
import type { Row } from '../row.ts'

const DIFFERENT = ['net', 'uts', 'ipc', 'cgroup'] as const satisfies NamespaceKind[]
const KINDS = [...DIFFERENT, 'pid'] as const satisfies NamespaceKind[]

const CALLS = 2_000
/** For calls that take about ten times as long. */
const FEWER = 200
const ROUNDS = 40
const NAME = `nsset-bench-${process.pid}`

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  using made = await NamespaceSet.unshare([...DIFFERENT])
  // A process is inside, so that every program finds the same namespaces through it.
  const inhabitant = made.spawn('cat', [], { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    const rows: Row[] = []
    for (let count = 1; count <= KINDS.length; count += 1) rows.push(await measure(inhabitant.pid as number, count))
    return rows
  } finally {
    inhabitant.stdin.end()
  }
}

async function measure(pid: number, count: number): Promise<Row> {
  const kinds = KINDS.slice(0, count)
  using set = NamespaceSet.fromPid(pid, kinds)
  await using gonso = await openGonso()
  await using networks = new Networks()
  const flags = kinds.reduce((mask, kind) => mask | flagOf(kind), 0)
  const pairs = barePairs(set)
  const nothing = () => undefined
  return await compare({
    name: `do(${kinds.join('+')})`,
    unit: 'µs',
    ours: () => microseconds(() => set.do(nothing), CALLS),
    floor: { is: 'setns(2) into and out of each namespace', sample: () => microseconds(pairs, CALLS) },
    peers: {
      gonso: gonso?.sample({ do: 'Set.DoRaw', times: FEWER, pid, flags }),
      ...(count === 1 && (await networks.open(set))),
    },
    rounds: ROUNDS,
    work: { series: 'do', of: 'kinds', amount: count },
    targets: [{ of: 'floor', most: 1.4 }],
    ...(count === 1 && { why: ONE }),
    ...(count === KINDS.length && { why: FIVE }),
  })
}

const ONE =
  'netns.Set twice is the bare setns(2) twice, and the caller must return. `do` calls a function in between ' +
  'from native code, and returns even when JavaScript is terminated inside.'
const FIVE =
  'A thread of Node.js cannot enter another user, pid, time or mount namespace and leave it again: the ' +
  "fifth is the host's own pid namespace, which `do` skips, and gonso enters."

/** Peers that support networks only; and, for scale, the programs that enter one in a process. */
class Networks implements AsyncDisposable {
  readonly #resources: AsyncDisposable[] = []

  async open(set: NamespaceSet): Promise<Record<string, Sample | undefined>> {
    const path = set.path('net')
    await netns.attach(NAME, set, { temporary: true })
    const [go, neslink, python] = [await openGo(), await openNeslink(), await openPython()]
    this.#resources.push(...[go, neslink, python].filter((peer) => peer !== undefined))
    return {
      netns: go?.sample({ do: 'netns.Set', times: CALLS, path }),
      neslink: neslink?.sample({ do: 'Do', times: FEWER, path }),
      pyroute2: python?.sample({ do: 'netns.setns', times: CALLS, path }),
      'ip netns exec': program('ip', 'netns', 'exec', NAME, 'true'),
      nsenter: program('nsenter', `--net=${path}`, 'true'),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources) await resource[Symbol.asyncDispose]()
  }
}

/** Into and out of all namespaces that differ from the thread's own. */
function barePairs(set: NamespaceSet): () => void {
  using home = NamespaceSet.current(set.kinds)
  const different = set.kinds.filter((kind) => !set.equals(home, kind))
  const [theirs, ours] = [set.fds(), home.fds()]
  const pairs = different.map((kind) => ({ flag: flagOf(kind), inside: theirs.get(kind), outside: ours.get(kind) }))
  return () => {
    for (const { inside, flag } of pairs) bareSetns(inside, flag)
    for (const { outside, flag } of pairs) bareSetns(outside, flag)
  }
}

function flagOf(kind: NamespaceKind): number {
  return NS[kind.toUpperCase() as keyof typeof NS]
}
