/** The result in the terminal: a table for each suite, with a column for each of its peers. */
import type { Result } from './result.ts'
import { describeTarget, measuredFor, type Row } from './row.ts'

type Rows = Result['rows']

export function printTables({ rows }: Result): void {
  for (const suite of new Set(rows.map((row) => row.suite))) {
    console.log(`\n${suite}`)
    console.table(rows.filter((row) => row.suite === suite).map((row) => lineOf(row)))
  }
  const unmet = unmetTargets(rows)
  for (const line of unmet) console.log(`not met: ${line}`)
}

function lineOf(row: Rows[number]): Record<string, string> {
  const peers = Object.entries(row.peers).map(([name, figures]) => [name, figures ? number(figures.median) : 'missing'])
  return {
    operation: row.name,
    unit: row.unit,
    nsset: number(row.ours.median),
    p95: number(row.ours.p95),
    floor: number(row.floor?.median),
    'x floor': number(row.overFloor),
    ...Object.fromEntries(peers),
    'x fastest peer': number(row.ratio),
    growth: growth(row),
  }
}

/** `× 1.3 from 1 to 5 kinds`. */
export function growth({ growth }: Rows[number]): string {
  if (growth === undefined) return ''
  const { cost, from, to, of } = growth
  return `× ${number(cost)} from ${from} to ${to} ${of}`
}

/** Three significant digits, and at most two decimals. */
export function number(value: number | undefined): string {
  if (value === undefined) return ''
  if (value >= 100) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** Unmet targets, each with the measurement. */
export function unmetTargets(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    row.targets.flatMap((target) => {
      const measured = measuredFor(target, row, rows)
      if (measured === undefined || measured <= target.most) return []
      return [`${row.name}: ${number(measured)}, ${describeTarget(target, row)}`]
    }),
  )
}
