/** The budgets, and the message for a row that exceeds its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Calls, type Counts, totalOf } from './calls.ts'

/** By how much a row may exceed its budget. */
export const TOLERANCE = 0.1
/** Less than a whole call per operation is caused by other work. */
const PART_OF_A_CALL = 0.3

const FILE = new URL('../budgets.json', import.meta.url)

export function readBudgets(): Counts {
  return JSON.parse(readFileSync(FILE, 'utf8'))
}

export function recordBudgets(counts: Counts): void {
  writeFileSync(FILE, `${JSON.stringify(counts, null, 2)}\n`)
}

/** What is wrong with the counted rows, one line each. */
export function complaintsOf(counts: Counts, budgets: Counts): string[] {
  return Object.entries(counts).flatMap(([name, calls]) => complaintOf(name, calls, budgets[name]) ?? [])
}

function complaintOf(name: string, calls: Calls, budget: Calls | undefined): string | undefined {
  const count = totalOf(calls)
  if (budget === undefined) return `${name}: ${count} system calls, and no budget: npm run budgets -- --record`
  const most = totalOf(budget)
  if (count <= Math.max(most * (1 + TOLERANCE), most + PART_OF_A_CALL)) return undefined
  return `${name}: the budget is ${most} system calls, and these are ${count}; more are ${moreOf(calls, budget)}`
}

/** `close 8 (7), fcntl 2 (0)` */
function moreOf(calls: Calls, budget: Calls): string {
  const more = Object.entries(calls).filter(([name, count]) => count > (budget[name] ?? 0))
  return more.map(([name, count]) => `${name} ${count} (${budget[name] ?? 0})`).join(', ')
}
