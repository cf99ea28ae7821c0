/**
 * The limited process: repeats every operation under each limit, and examines what is left when the
 * limit is removed. `subject.mjs LIMIT SCRATCH SECONDS`; it requests each limit by a line on its output, and continues
 * when it reads one from its input.
 */
import { closeSync, openSync } from 'node:fs'
import { whyUndocumented } from '../faults/documented.ts'
import { printLine, readLine } from '../faults/lines.ts'
import { OPERATIONS } from '../faults/operations/index.ts'
import type { Round } from '../faults/operations/operation.ts'
import { NEVER, outcomeOf, settled, steady } from '../faults/settle.ts'
import { added, missing } from '../faults/state.ts'
import { pause } from './pause.ts'

export type Line =
  | { room: number | 'lifted' }
  | { problem: string }
  | { calls: number; failures: number; codes: string[] }

const [limit = '', scratch = '', seconds, rooms = '[]', without = '[]', codes = '[]'] = process.argv.slice(2)
const documented = new Set(JSON.parse(codes) as string[])
const isRoot = process.getuid?.() === 0
const thrown = new Set<string>()
let calls = 0
let failures = 0
process.on('uncaughtException', (error) => report(`uncaught: ${error.stack}`))

const nsset = await import(process.env['NSSET_FAULTS_ENTRY'] ?? '')
const left = JSON.parse(without) as string[]
const work: [string, Round][] = []
for (const [name, operation] of Object.entries(OPERATIONS)) {
  if (left.includes(name)) continue
  if (operation.isFresh === true || (operation.isRoots === true && !isRoot)) continue
  work.push([name, await operation.prepare({ nsset, scratch })])
}
for (let time = 0; time < 3; time += 1) for (const [, round] of work) await once(round)
await new Promise((resolve) => setTimeout(resolve, 200))
const before = await steady()

const end = performance.now() + Number(seconds) * 1_000
const choices = JSON.parse(rooms) as number[]
for (let turn = 0; performance.now() < end; turn += 1) {
  for (const [index, [name, round]] of work.entries()) {
    // Each operation has another room in each round, so that a short run has some of each.
    await underLimit(name, round, choices[(turn + index * 5) % choices.length] ?? 0)
    if (performance.now() > end) break
  }
}
const now = await settled(before, 3_000)
for (const thing of added(before, now)) report(`left at the end: ${thing}`)
for (const thing of missing(before, now)) report(`lost at the end: ${thing}`)
send({ calls, failures, codes: [...thrown].sort() })
process.exit(0)

async function underLimit(name: string, round: Round, room: number): Promise<void> {
  await round.before?.()
  const fillers = limit === 'descriptors' ? fill(room) : []
  ask(room)
  const outcome = await outcomeOf(round.run)
  for (const fd of fillers) closeSync(fd)
  ask('lifted')
  calls += 1
  const where = `${name} with room for ${room}`
  if (outcome.milliseconds >= NEVER) report(`${where}: it did not settle`)
  if (outcome.thrown !== undefined) {
    failures += 1
    thrown.add(outcome.thrown.code ?? outcome.thrown.name)
    const why = whyUndocumented(outcome.thrown, documented)
    if (why !== undefined) report(`${where}: ${why}`)
  }
  const undone = await outcomeOf(async () => {
    await round.after?.()
    await once(round)
  })
  if (undone.thrown !== undefined) report(`${where}: with the limit lifted: ${undone.thrown.message}`)
}

async function once({ before, run, after }: Round): Promise<void> {
  await before?.()
  await run()
  await after?.()
}

/** Opens descriptors until only this many are left. */
function fill(room: number): number[] {
  const fds: number[] = []
  try {
    for (;;) fds.push(openSync('/dev/null', 'r'))
  } catch {
    for (const fd of fds.splice(0, room)) closeSync(fd)
  }
  return fds
}

function ask(room: number | 'lifted'): void {
  if (limit === 'descriptors') return
  send({ room })
  readLine()
}

function report(problem: string): void {
  send({ problem })
}

/** The output is a socket, for which a group without memory has no buffer until its limit is removed: ENOBUFS. */
function send(line: Line): void {
  for (;;) {
    try {
      printLine(line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOBUFS') throw error
      pause()
    }
  }
}
