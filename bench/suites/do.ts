/** `do` with an empty function, beside the bare setns pairs. Root only: an ordinary user's thread may not enter. */
import { type Kinds, type NamespaceKind, NamespaceSet, NS } from 'nsset'
import { bareSetns } from '../bare.ts'
import { interleave, microseconds } from '../measure.ts'
import type { Row } from '../row.ts'

const CALLS = 2_000
const ROUNDS = 60

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  return [await measure('do(net)', ['net']), await measure('do(net+ipc+uts+cgroup)', ['net', 'ipc', 'uts', 'cgroup'])]
}

async function measure(name: string, kinds: readonly NamespaceKind[]): Promise<Row> {
  using set = NamespaceSet.unshareSync(kinds as Kinds)
  using home = NamespaceSet.current(kinds as Kinds)
  using theirs = set.fds()
  using ours = home.fds()
  const pairs = kinds.map((kind) => {
    const flag = NS[kind.toUpperCase() as keyof typeof NS]
    return { flag, inside: theirs.get(kind), outside: ours.get(kind) }
  })
  const bare = () => {
    for (const { inside, flag } of pairs) bareSetns(inside, flag)
    for (const { outside, flag } of pairs) bareSetns(outside, flag)
  }
  const nothing = () => undefined
  const figures = await interleave(
    [
      { name: 'ours', sample: () => microseconds(() => set.do(nothing), CALLS) },
      { name: 'bare', sample: () => microseconds(bare, CALLS) },
    ],
    ROUNDS,
  )
  const [mine, floor] = [figures.get('ours'), figures.get('bare')]
  return {
    name,
    unit: 'µs',
    ours: mine?.median ?? Number.NaN,
    p95: mine?.p95 ?? Number.NaN,
    samples: mine?.samples ?? 0,
    floor: floor?.median ?? Number.NaN,
    limit: { of: 'ratio', most: 1.4 },
  }
}
