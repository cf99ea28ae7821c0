/** Every fault of one operation, in as many processes as it takes. */
import { choose } from './choose.ts'
import { documentedCodes, whyUndocumented } from './documented.ts'
import { faultName } from './fault.ts'
import { OPERATIONS } from './operations/index.ts'
import type { Outcome } from './outcome.ts'
import { faultsAt } from './possible.ts'
import { startSession } from './session.ts'
import type { Built } from './tools.ts'

export interface Selection {
  /** Names of faults; all that are possible by default. */
  faults?: readonly string[]
  /** Only those whose names have one of these parts: `EMFILE`, `child-1`, `sendmsg`. */
  only: readonly string[]
  share: number
  seed: number
}

export interface Report {
  operation: string
  /** System calls that it makes. */
  calls: number
  outcomes: Outcome[]
  seconds: number
}

const CODES = documentedCodes()

export async function tryOperation(built: Built, operation: string, selection: Selection): Promise<Report> {
  const begin = performance.now()
  const { calls, wanted } = await plan(built, operation, selection)
  const outcomes: Outcome[] = []
  const atOnce = OPERATIONS[operation]?.isFresh === true ? 1 : wanted.length
  for (let left = wanted; left.length > 0; left = wanted.slice(outcomes.length)) {
    outcomes.push(...(await tryInOneProcess(built, operation, left.slice(0, atOnce))))
  }
  for (const outcome of outcomes) judge(outcome)
  return { operation, calls, outcomes, seconds: (performance.now() - begin) / 1_000 }
}

async function plan(built: Built, operation: string, { faults, only, share, seed }: Selection) {
  if (faults !== undefined) return { calls: 0, wanted: [...faults] }
  await using session = startSession(built, operation)
  session.tell({ isListing: true })
  const line = await session.next()
  if (!('calls' in line)) throw new Error(`${operation} does not work without faults: ${JSON.stringify(line)}`)
  const nodesOwn = OPERATIONS[operation]?.nodesOwn ?? []
  const possible = line.calls.filter(({ role, name }) => !nodesOwn.includes(`${role}/${name}`)).flatMap(faultsAt)
  const chosen = possible.filter(
    (fault) => only.length === 0 || only.some((part) => faultName(fault).split('/').includes(part)),
  )
  return { calls: line.calls.length, wanted: choose(chosen, share, seed).map(faultName) }
}

/** Until the first that has a problem, after which the process is not what it was. */
async function tryInOneProcess(built: Built, operation: string, faults: string[]): Promise<Outcome[]> {
  await using session = startSession(built, operation)
  session.tell({ isListing: false })
  session.tell(faults)
  const outcomes: Outcome[] = []
  let begun: string | undefined
  for (;;) {
    const line = await session.next()
    if ('done' in line) return outcomes
    if ('begun' in line) begun = line.begun
    if ('outcome' in line) {
      outcomes.push(line.outcome)
      begun = undefined
    }
    if ('ended' in line) {
      if (begun !== undefined) outcomes.push(crash(begun, line.ended))
      else if (outcomes.length === 0) throw new Error(`${operation} does not work without faults: ${line.ended}`)
      return outcomes
    }
  }
}

function crash(fault: string, how: string): Outcome {
  return { fault, isHit: true, milliseconds: 0, problems: [`Node ended: ${how}`] }
}

function judge(outcome: Outcome): void {
  const why = outcome.thrown === undefined ? undefined : whyUndocumented(outcome.thrown, CODES)
  if (why !== undefined) outcome.problems.push(why)
}
