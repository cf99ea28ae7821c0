/** One line of the result: what was done, how long ours took, the floor beneath it, and what it is held to. */
export interface Row {
  name: string
  unit: 'µs' | 'ms' | 'MB'
  ours: number
  p95?: number
  samples?: number
  /** The bare system calls, or the bare process. */
  floor?: number
  /** The most that is fine: of `ours` itself, or of its ratio to the floor. */
  limit: { of: 'ours' | 'ratio'; most: number }
}

export function ratioOf(row: Row): number | undefined {
  return row.floor === undefined ? undefined : row.ours / row.floor
}

export function isWithinLimit(row: Row): boolean {
  const value = row.limit.of === 'ours' ? row.ours : (ratioOf(row) ?? Number.NaN)
  return value <= row.limit.most
}
