/**
 * The process with the faults: repeats one operation, each time with another fault, and examines what is
 * left. It runs under the injector: `subject.mjs OPERATION REPORT SCRATCH`, with lines of JSON as in `outcome.ts`.
 */
import { accessSync, readFileSync } from 'node:fs'
import { type Call, type Fault, faultName, numberOf, parseFault, parseReport } from './fault.ts'
import { printLine, readLine } from './lines.ts'
import { OPERATIONS } from './operations/index.ts'
import type { Round } from './operations/operation.ts'
import { type Line, type Outcome, TOOK_LONG, type Wanted } from './outcome.ts'
import { endIdleHelpers, NEVER, outcomeOf, settled, steady } from './settle.ts'
import { added, missing, type State, state } from './state.ts'

const WARM_UP = 5
/** Milliseconds for the cleanup after a call has settled. A helper that was stopped where it waits is killed after two seconds. */
const PATIENCE = 3_000

const [name = '', report = '', scratch = ''] = process.argv.slice(2)
const operation = OPERATIONS[name]
if (operation === undefined) throw new RangeError(`unknown operation ${name}`)

/** Uncaught errors during a call with a fault. */
const strays: string[] = []
let isUnderWay = false
process.on('uncaughtException', (error) => {
  if (isUnderWay) {
    strays.push(`uncaught: ${error.message}`)
    return
  }
  console.error(error)
  process.exit(70)
})

const { isListing } = JSON.parse(readLine()) as Wanted
const nsset =
  operation.isFresh === true ? ({} as typeof import('nsset')) : await import(process.env['NSSET_FAULTS_ENTRY'] ?? '')
const round = await operation.prepare({ nsset, scratch })
if (operation.isFresh !== true) {
  // The process keeps the helper's program from its first use, which a fault may hit.
  ;(await nsset.NamespaceSet.unshare('user')).close()
  for (let time = 0; time < WARM_UP; time += 1) await once(round)
}
if (isListing) send({ calls: await calls() })
const faults = (JSON.parse(readLine()) as string[]).map(parseFault)
for (const fault of faults) {
  send({ begun: faultName(fault) })
  isUnderWay = true
  const outcome = await tried(fault)
  isUnderWay = false
  send({ outcome })
  // The next fault is for a new process.
  if (outcome.problems.length > 0) process.exit(0)
}
send({ done: true })
process.exit(0)

/** Runs it once, without a fault. */
async function once({ before, run, after }: Round): Promise<void> {
  await before?.()
  await run()
  await after?.()
}

/** The calls that it makes: those of two runs, since concurrent work differs. */
async function calls(): Promise<Call[]> {
  const seen = new Map<string, Call>()
  for (let time = 0; time < (operation?.isFresh === true ? 1 : 2); time += 1) {
    await round.before?.()
    await endIdleHelpers()
    const before = state()
    order('begin')
    await round.run()
    order('mute')
    await settled(before, 200)
    order('end')
    await round.after?.()
    for (const call of parseReport(readFileSync(report, 'latin1')).calls) {
      seen.set(`${call.role} ${call.name} ${call.nth}`, call)
    }
  }
  return [...seen.values()]
}

async function tried(fault: Fault): Promise<Outcome> {
  const before = await steady()
  await round.before?.()
  await endIdleHelpers()
  const isSignal = fault.what.startsWith('SIG')
  order(`begin/${fault.role}/${fault.call}/${fault.nth}/${isSignal ? 'signal' : 'error'}/${numberOf(fault.what)}`)
  const { thrown, milliseconds } = await outcomeOf(round.run)
  order('mute')
  await settled(before, 60)
  order('end')
  const { isHit } = parseReport(readFileSync(report, 'latin1'))
  const outcome: Outcome = { fault: faultName(fault), isHit, milliseconds, problems: strays.splice(0) }
  if (thrown !== undefined) outcome.thrown = thrown
  const limit = (operation?.limit ?? 2) * 1_000
  if (milliseconds >= NEVER) {
    outcome.problems.push('it did not settle')
    return outcome
  }
  if (milliseconds > limit) outcome.problems.push(`${TOOK_LONG}${milliseconds} ms`)
  outcome.problems.push(...(await leftOf(before, thrown?.code === 'ERR_NSSET_RESTORE')))
  return outcome
}

/** What is left after the cleanup, and what no longer works. */
async function leftOf(before: State, isAway: boolean): Promise<string[]> {
  const undone = await outcomeOf(() => round.after?.())
  if (undone.thrown !== undefined) return [`what it did could not be undone: ${undone.thrown.message}`]
  // A thread that was not restored is restored by the next call. The first import allocates resources permanently.
  const left = isAway || operation?.isFresh === true ? [] : added(before, await settled(before, PATIENCE))
  if (left.length > 0) return [`it left ${left.join(', ')}`]
  const again = await outcomeOf(() => once(round))
  if (again.thrown !== undefined) return [`the next call failed: ${again.thrown.message}`]
  if (operation?.isFresh === true) return leftByLoad(before)
  const then = await settled(before, PATIENCE)
  const more = added(before, then)
  if (more.length > 0) return [`the next call left ${more.join(', ')}`]
  const lost = missing(before, then)
  return [...(lost.length > 0 ? [`it lost ${lost.join(', ')}`] : []), ...strays.splice(0)]
}

/** A load allocates resources permanently, but it leaves no process, no mount of nsset and no name. */
async function leftByLoad(before: State): Promise<string[]> {
  const end = performance.now() + PATIENCE
  for (;;) {
    const left = added(before, state()).filter((thing) => /^\d+ (child|orphan|mount .*nsset|name) /.test(thing))
    if (left.length === 0 || performance.now() > end) return left.map((thing) => `it left ${thing}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Sends an order to the injector, which sees the call and answers it. */
function order(what: string): void {
  accessSync(`/nsset-faults/${what}`)
}

function send(line: Line): void {
  printLine(line)
}
