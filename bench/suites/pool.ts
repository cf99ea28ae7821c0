/** `pool.get()` of a set that is ready, beside making one. Refilled between the samples, as it is between requests. */
import { setTimeout as pass } from 'node:timers/promises'
import { type NamespaceKind, NamespacePool, NamespaceSet } from 'nsset'
import { interleave } from '../measure.ts'
import type { Row } from '../row.ts'

const ROUNDS = 200
const SIZE = 8

export async function suite(): Promise<Row[]> {
  const isRoot = process.getuid?.() === 0
  const kinds: NamespaceKind[] = isRoot ? ['net'] : ['user', 'net']
  const unshare = isRoot ? {} : ({ mapUser: 'root' } as const)
  await using pool = new NamespacePool(kinds, { size: SIZE, unshare })
  const figures = await interleave(
    [
      {
        name: 'get',
        sample: async () => {
          while (pool.length < SIZE) await pass(2)
          return took(() => pool.get())
        },
      },
      { name: 'unshare', sample: () => took(() => NamespaceSet.unshare(kinds, unshare)) },
    ],
    ROUNDS,
  )
  const [get, made] = [figures.get('get'), figures.get('unshare')]
  return [
    {
      name: `pool.get() (floor: unshare('${kinds.join("', '")}'))`,
      unit: 'µs',
      ours: get?.median ?? Number.NaN,
      p95: get?.p95 ?? Number.NaN,
      samples: get?.samples ?? 0,
      floor: made?.median ?? Number.NaN,
      limit: { of: 'ratio', most: 1 / 20 },
    },
  ]
}

async function took(make: () => Promise<NamespaceSet>): Promise<number> {
  const start = process.hrtime.bigint()
  const set = await make()
  const time = Number(process.hrtime.bigint() - start) / 1_000
  set.close()
  return time
}
