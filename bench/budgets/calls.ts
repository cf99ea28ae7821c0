/** System calls of one operation. */

/** How many, by the call's name. */
export type Calls = Readonly<Record<string, number>>

/** By the row's name. */
export type Counts = Readonly<Record<string, Calls>>

/** An operation has two rows: what Node's own threads ask of the kernel, and what the helper does. */
export function rowsOf(operation: string): { node: string; helper: string } {
  return { node: operation, helper: `${operation}, the helper` }
}

export function totalOf(calls: Calls): number {
  return round(Object.values(calls).reduce((sum, count) => sum + count, 0))
}

/** To hundredths. */
export function round(count: number): number {
  return Math.round(count * 100) / 100
}
