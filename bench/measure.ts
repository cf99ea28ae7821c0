/** Measures several ways to do a thing, interleaved in one run, so that what slows the machine slows all of them. */

/** One way; what it returns is what one call of it took, in the suite's unit. */
export interface Way {
  name: string
  /** Takes one sample. */
  sample: () => number | Promise<number>
}

export interface Figures {
  median: number
  p95: number
  samples: number
}

/** Every second round goes backwards: what is first in a round does not always follow the same one. */
export async function interleave(ways: readonly Way[], rounds: number): Promise<Map<string, Figures>> {
  const taken = new Map<string, number[]>(ways.map((way) => [way.name, []]))
  for (let round = -Math.ceil(rounds / 10); round < rounds; round += 1) {
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      const value = await way.sample()
      if (round >= 0) taken.get(way.name)?.push(value)
    }
  }
  return new Map([...taken].map(([name, values]) => [name, figuresOf(values)]))
}

function figuresOf(values: number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { median: at(0.5), p95: at(0.95), samples: sorted.length }
}

/** Microseconds that one call takes, from a batch of them. */
export function microseconds(call: () => void, batch: number): number {
  const start = process.hrtime.bigint()
  for (let index = 0; index < batch; index += 1) call()
  return Number(process.hrtime.bigint() - start) / 1_000 / batch
}
