/** Every fault of one operation, in as many processes as needed. */
import { choose } from './choose.ts'
import { documentedCodes, whyUndocumented } from './documented.ts'
import { type Fault, faultName } from './fault.ts'
import { OPERATIONS } from './operations/index.ts'
import { type Outcome, TOOK_LONG } from './outcome.ts'
import { faultsAt } from './possible.ts'
import { type Session, startSession } from './session.ts'
import type { Built } from './tools.ts'

export interface Selection {
  /** Names of faults. Default: all possible ones. */
  faults?: readonly string[]
  /** Only those with one of these in their name: `EMFILE`, `child-1`, `sendmsg`. */
  only: readonly string[]
  share: number
  seed: number
  /** When to start no more faults: milliseconds since the epoch. */
  until: number
}

export interface Report {
  operation: string
  /** System calls that it makes. */
  calls: number
  outcomes: Outcome[]
  /** Faults beyond the time limit. */
  left: number
  seconds: number
}

const CODES = documentedCodes()

export async function tryOperation(built: Built, operation: string, selection: Selection): Promise<Report> {
  const begin = performance.now()
  const session = startSession(built, operation)
  const { calls, wanted } = await plan(session, operation, selection)
  const outcomes: Outcome[] = []
  let first: Session | undefined = session
  for (let left = wanted; left.length > 0 && Date.now() < selection.until; left = wanted.slice(outcomes.length)) {
    const some = left.slice(0, OPERATIONS[operation]?.isFresh === true ? 1 : AT_ONCE)
    if (OPERATIONS[operation]?.isFresh === true && first !== undefined) {
      await first[Symbol.asyncDispose]()
      first = undefined
    }
    const process = first ?? (await begun(built, operation))
    first = undefined
    outcomes.push(...(await tryInOneProcess(process, operation, some)))
  }
  await first?.[Symbol.asyncDispose]()
  const judged = await Promise.all(outcomes.map((outcome) => again(built, operation, judge(outcome))))
  return {
    operation,
    calls,
    outcomes: judged,
    left: wanted.length - judged.length,
    seconds: (performance.now() - begin) / 1_000,
  }
}

/** How many faults one process gets. */
const AT_ONCE = 100

async function begun(built: Built, operation: string): Promise<Session> {
  const session = startSession(built, operation)
  session.send({ isListing: false })
  return session
}

async function plan(session: Session, operation: string, { faults, only, share, seed }: Selection) {
  session.send({ isListing: faults === undefined })
  if (faults !== undefined) return { calls: 0, wanted: [...faults] }
  const line = await session.next()
  if (!('calls' in line)) throw new Error(`${operation} does not work without faults: ${JSON.stringify(line)}`)
  const nodesOwn = OPERATIONS[operation]?.nodesOwn ?? []
  const possible = line.calls.filter(({ role, name }) => !nodesOwn.includes(`${role}/${name}`)).flatMap(faultsAt)
  const chosen = possible.filter((fault) => only.length === 0 || only.some((part) => partsOf(fault).includes(part)))
  return { calls: line.calls.length, wanted: choose(chosen, share, seed).map(faultName) }
}

function partsOf(fault: Fault): string[] {
  return faultName(fault).split('/')
}

/** Until the first one with a problem, after which the process may be damaged. */
async function tryInOneProcess(started: Session, operation: string, faults: string[]): Promise<Outcome[]> {
  await using session = started
  session.send(faults)
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

/** A fault that only took long is tried again alone: a busy machine is not a defect. */
async function again(built: Built, operation: string, outcome: Outcome): Promise<Outcome> {
  if (outcome.problems.length === 0 || !outcome.problems.every((problem) => problem.startsWith(TOOK_LONG)))
    return outcome
  const [second = outcome] = await tryInOneProcess(await begun(built, operation), operation, [outcome.fault])
  return judge(second)
}

function crash(fault: string, how: string): Outcome {
  return { fault, isHit: true, milliseconds: 0, problems: [`Node ended: ${how}`] }
}

function judge(outcome: Outcome): Outcome {
  const why = outcome.thrown === undefined ? undefined : whyUndocumented(outcome.thrown, CODES)
  if (why !== undefined) outcome.problems.push(why)
  return outcome
}
