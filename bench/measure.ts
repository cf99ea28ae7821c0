/** Measures several ways to do the same, interleaved in one run, so that a slow machine slows all of them. */

/** Takes one sample: the duration of one call, in the row's unit. */
export type Sample = () => number | Promise<number>

export interface Figures {
  median: number
  p95: number
  samples: number
}

/**
 * Each round begins with another way, and every second round goes backwards: each follows each of the others, and runs
 * after its deferred work.
 */
export async function interleave<Name extends string>(
  ways: Record<Name, Sample>,
  rounds: number,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(ways) as Name[]
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    for (const name of orderOf(names, round)) {
      const value = await ways[name]()
      if (round >= 0) taken[name].push(value)
    }
  }
  return Object.fromEntries(names.map((name) => [name, figuresOf(taken[name])])) as Record<Name, Figures>
}

function orderOf<Name>(names: readonly Name[], round: number): Name[] {
  const first = Math.abs(round) % names.length
  const order = [...names.slice(first), ...names.slice(0, first)]
  // In pairs, as there may be two names: then each order occurs as often as the other.
  return Math.floor(Math.abs(round) / names.length) % 2 === 0 ? order : order.toReversed()
}

export function figuresOf(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { median: at(0.5), p95: at(0.95), samples: sorted.length }
}

/** Microseconds of one call, from a batch of them. */
export function microseconds(call: () => void, batch: number): number {
  const start = process.hrtime.bigint()
  for (let index = 0; index < batch; index += 1) call()
  return Number(process.hrtime.bigint() - start) / 1_000 / batch
}

/** Microseconds until the result is available. */
export async function microsecondsOf(call: () => unknown): Promise<number> {
  const begin = process.hrtime.bigint()
  await call()
  return Number(process.hrtime.bigint() - begin) / 1_000
}

/** Milliseconds until the result is available. */
export async function millisecondsOf(call: () => unknown): Promise<number> {
  return (await microsecondsOf(call)) / 1_000
}

/** The median of this many, in microseconds: for calls too short to be measured alone. */
export async function medianOf(times: number, call: () => unknown): Promise<number> {
  const took: number[] = []
  for (let index = 0; index < times; index += 1) took.push(await microsecondsOf(call))
  return figuresOf(took).median
}
