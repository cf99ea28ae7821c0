/** System calls of one operation. */

/** The counts, by name of the call. */
export type Calls = Readonly<Record<string, number>>

/** By row name. */
export type Counts = Readonly<Record<string, Calls>>

/** An operation has two rows: the system calls of Node's own threads, and those of the helper. */
export function rowsOf(operation: string): { node: string; helper: string } {
  return { node: operation, helper: `${operation}, the helper` }
}

export function totalOf(calls: Calls): number {
  return round(Object.values(calls).reduce((sum, count) => sum + count, 0))
}

/** Rounds to hundredths. */
export function round(count: number): number {
  return Math.round(count * 100) / 100
}
