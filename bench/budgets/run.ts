/**
 * Counts the system calls of the operations and compares them with their budgets: `npm run budgets`, or records them as
 * the new budgets: `npm run budgets -- --record`. Exits with 1 when a row exceeds its budget.
 */
import { parseArgs } from 'node:util'
import { complaintsOf, readBudgets, recordBudgets } from './budget.ts'
import { type Counts, totalOf } from './calls.ts'
import { countCalls } from './count.ts'

const { values } = parseArgs({ options: { record: { type: 'boolean', default: false } } })
if (values.record && process.getuid?.() !== 0) throw new Error('only root can run all operations with budgets')

const counts = await countCalls()
if (values.record) recordBudgets(counts)
const budgets = readBudgets()
console.table(tableOf(counts, budgets))
const complaints = complaintsOf(counts, budgets)
for (const complaint of complaints) console.log(complaint)
process.exitCode = complaints.length === 0 ? 0 : 1

function tableOf(counts: Counts, budgets: Counts) {
  return Object.entries(counts).map(([row, calls]) => {
    const budget = budgets[row] === undefined ? 'none' : totalOf(budgets[row])
    const each = Object.entries(calls).map(([name, count]) => (count === 1 ? name : `${name} ${count}`))
    return { row, budget, now: totalOf(calls), calls: each.join(', ') }
  })
}
