/** The faults of a short run: a sample with as many kinds as possible, the same for the same seed. */
import type { Fault } from './fault.ts'

export function choose(faults: readonly Fault[], share: number, seed: number): Fault[] {
  if (share >= 1) return [...faults]
  const random = generator(seed)
  const shuffled = faults.map((fault) => ({ fault, at: random() })).sort((one, other) => one.at - other.at)
  const seen = new Map<string, number>()
  const ranked = shuffled.map(({ fault }) => {
    const kind = `${fault.role.replace(/\d+/, 'N')} ${fault.call} ${fault.what}`
    const rank = seen.get(kind) ?? 0
    seen.set(kind, rank + 1)
    return { fault, rank }
  })
  return ranked
    .sort((one, other) => one.rank - other.rank)
    .slice(0, Math.ceil(faults.length * share))
    .map(({ fault }) => fault)
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
