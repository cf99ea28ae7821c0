/** One line of the result: what was done, how long ours took, the floor beneath it, and what it is held to. */
export interface Row {
  name: string
  unit: 'µs' | 'ms' | 'MB' | 'KiB' | 'threads'
  ours: number
  p95?: number
  samples?: number
  /** The bare system calls, or the bare process. */
  floor?: number
  /** The most that is fine: of `ours` itself, of its ratio to the floor, or of what it is more than the floor. */
  limit: { of: 'ours' | 'ratio' | 'excess'; most: number }
}

export function ratioOf(row: Row): number | undefined {
  return row.floor === undefined ? undefined : row.ours / row.floor
}

export function isWithinLimit(row: Row): boolean {
  return limited(row) <= row.limit.most
}

function limited({ ours, floor = Number.NaN, limit }: Row): number {
  switch (limit.of) {
    case 'ours':
      return ours
    case 'ratio':
      return ours / floor
    case 'excess':
      return ours - floor
  }
}

export function describeLimit({ unit, limit }: Row): string {
  const words = { ours: unit, ratio: 'times', excess: `${unit} more` }
  return `${limit.most} ${words[limit.of]}`
}
