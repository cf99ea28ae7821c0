/**
 * Injects a fault at every system call of every operation, and reports what is left afterwards: `npm run faults`.
 *
 * npm run faults                                  everything; with root also what requires root
 * npm run faults -- --short                       a sample of the faults, for CI
 *   npm run faults -- --operation spawn,netns-create --only SIGKILL,sendmsg
 *   npm run faults -- --operation spawn --fault child-1/sendmsg/2/SIGKILL
 *
 * Options: `--share 0.1`, `--seed 1`, `--seconds 60`, `--jobs 2`, `--json FILE`, `--list`.
 * The exit status is 1 if a fault left something.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { faultName, parseFault } from './fault.ts'
import { OPERATIONS } from './operations/index.ts'
import { buildTools } from './tools.ts'
import { type Report, type Selection, tryOperation } from './try-operation.ts'

/** The short form: this share of the faults, within at most these seconds. */
const SHORT = { share: 0.1, seconds: 60 }
const isRoot = process.getuid?.() === 0

const { values } = parseArgs({
  options: {
    operation: { type: 'string', multiple: true },
    fault: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true, default: [] },
    short: { type: 'boolean', default: false },
    share: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
if (values.list) {
  for (const [name, { isRoots }] of Object.entries(OPERATIONS)) console.log(isRoots === true ? `${name} (root)` : name)
} else {
  await main()
}

async function main(): Promise<void> {
  const selection: Selection = {
    only: values.only.flatMap((part) => part.split(',')),
    share: values.share === undefined ? (values.short ? SHORT.share : 1) : Number(values.share),
    seed: Number(values.seed),
    until: Date.now() + Number(values.seconds ?? (values.short ? SHORT.seconds : Number.POSITIVE_INFINITY)) * 1_000,
    ...(values.fault === undefined ? {} : { faults: values.fault.map((name) => faultName(parseFault(name))) }),
  }
  if (!(selection.share > 0 && selection.share <= 1)) throw new RangeError('--share must be over 0 and at most 1')
  using built = buildTools()
  const queue = chosenOperations()
  const reports: Report[] = []
  const work = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const report = await tryOperation(built, name, selection)
      reports.push(report)
      print(report)
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  conclude(reports, selection)
}

function chosenOperations(): string[] {
  const names = values.operation?.flatMap((names) => names.split(',')) ?? Object.keys(OPERATIONS)
  for (const name of names)
    if (OPERATIONS[name] === undefined) throw new RangeError(`unknown operation ${name}: see --list`)
  const isPossible = (name: string) => isRoot || OPERATIONS[name]?.isRoots !== true
  const skipped = names.filter((name) => !isPossible(name))
  if (skipped.length > 0) console.log(`skipped, since they require root: ${skipped.join(', ')}`)
  return names.filter(isPossible)
}

function print({ operation, calls, outcomes, seconds }: Report): void {
  const hit = outcomes.filter(({ isHit }) => isHit)
  const bad = outcomes.filter(({ problems }) => problems.length > 0)
  const failed = hit.filter(({ thrown }) => thrown !== undefined).length
  const figures = `${calls} calls, ${outcomes.length} faults, ${hit.length} hit, ${failed} with an error`
  console.log(`${operation.padEnd(20)}${figures}, ${bad.length} left something (${seconds.toFixed(1)} s)`)
  for (const { fault, problems } of bad) {
    console.log(`  npm run faults -- --operation ${operation} --fault ${fault}\n    ${problems.join('\n    ')}`)
  }
}

function conclude(reports: readonly Report[], { seed, share }: Selection): void {
  const outcomes = reports.flatMap((report) => report.outcomes)
  const hit = outcomes.filter(({ isHit }) => isHit).length
  const bad = outcomes.filter(({ problems }) => problems.length > 0).length
  const part = share < 1 ? ` (a share of ${share}, seed ${seed})` : ''
  const codes = [...new Set(outcomes.flatMap(({ thrown }) => thrown?.code ?? []))].sort()
  console.log(`codes: ${codes.join(' ')}`)
  console.log(`${reports.length} operations, ${hit} faults hit${part}, ${bad} faults left something`)
  const untried = reports.reduce((sum, { left }) => sum + left, 0)
  if (untried > 0) console.log(`${untried} faults were not tried: time limit reached`)
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ seed, share, codes, reports }, null, 2))
  if (bad > 0) process.exitCode = 1
}
