/** `pool.get()` of a ready set, compared with creating one. Refilled between the samples, as between requests. */
import { setTimeout as pass } from 'node:timers/promises'
import { type NamespaceKind, NamespacePool, NamespaceSet, type UnshareSyncOptions } from 'nsset'
import { compare } from '../compare.ts'
import { figuresOf, microsecondsOf } from '../measure.ts'
import type { Row } from '../row.ts'

const ROUNDS = 200
const SIZE = 8
/** Requests per second, and for how long. */
const RATE = 200
const SECONDS = 5

export async function suite(): Promise<Row[]> {
  const isRoot = process.getuid?.() === 0
  const kinds: NamespaceKind[] = isRoot ? ['net'] : ['user', 'net']
  const unshare = isRoot ? {} : ({ mapUser: 'root' } as const)
  await using pool = new NamespacePool(kinds, { size: SIZE, unshare })
  const get = async () => {
    while (pool.length < SIZE) await pass(2)
    return took(() => pool.get())
  }
  return [
    await compare({
      name: `pool.get() of ${kinds.join('+')}`,
      unit: 'µs',
      ours: get,
      floor: {
        is: `\`await NamespaceSet.unshare('${kinds.join("', '")}')\`, the alternative to a pool`,
        sample: () => took(() => NamespaceSet.unshare(kinds, unshare)),
      },
      rounds: ROUNDS,
      targets: [{ of: 'floor', most: 1 / 20 }],
    }),
    await busy(kinds, unshare),
  ]
}

/** While the pool refills: requests arrive at a steady rate, and each closes its set at once. */
async function busy(kinds: NamespaceKind[], unshare: UnshareSyncOptions): Promise<Row> {
  await using pool = new NamespacePool(kinds, { size: SIZE, unshare })
  while (pool.length < SIZE) await pass(2)
  const times: number[] = []
  const start = performance.now()
  for (let requests = 0; requests < RATE * SECONDS; requests += 1) {
    await pass(Math.max(0, start + (requests * 1_000) / RATE - performance.now()))
    times.push(await took(() => pool.get()))
  }
  return {
    name: `pool.get() of ${kinds.join('+')}, ${RATE} a second`,
    unit: 'µs',
    ours: figuresOf(times),
    peers: {},
    targets: [{ of: 'p95', most: 50 }],
  }
}

async function took(make: () => Promise<NamespaceSet>): Promise<number> {
  let set: NamespaceSet | undefined
  const time = await microsecondsOf(async () => {
    set = await make()
  })
  set?.close()
  return time
}
