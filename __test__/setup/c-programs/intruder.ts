/** The attacker in C beside this file: compiled once, and set to work inside a set. */
import { createInterface } from 'node:readline'
import type { NamespaceSet } from 'nsset'
import { type CProgram, compileC } from './c-program.ts'

/** What it has seen, done and got. */
export interface IntruderReport {
  newcomers: number
  /** Newcomers that were no program of the set's user when they were first seen. */
  helpers: number
  /** How often it fell upon Node itself, or upon PID 1 where it cannot see Node. */
  elders: number
  stopped: number
  /** Helpers that it stopped and that no process continued. */
  hung: number
  attempts: number
  /** Techniques that worked on a program of the set's user, which they may. */
  fair: string[]
  /** What it read of other processes. */
  breaches: string[]
}

export interface Intruder {
  /** Resolves once it has had its way with a program of the set's user: its techniques work. */
  taken: Promise<void>
  /** Ends it. */
  report(): Promise<IntruderReport>
}

/** Compiles it; undefined where there is no compiler. */
export const compileIntruder = (): CProgram | undefined => compileC('intruder', '-static')

/**
 * Starts it inside, where it looks at the `/proc` it finds: at this process' children, or at all processes in a `/proc` of
 * the set's own. It stops each `every`th newcomer, or all of them again and again.
 */
export async function startIntruder(
  program: CProgram,
  set: NamespaceSet,
  { ownProc, every }: { ownProc: boolean; every: number | 'all, again and again' },
): Promise<Intruder> {
  const parent = ownProc ? 0 : process.pid
  const child = set.spawn(program.path, ['attack', `${parent}`, `${every === 'all, again and again' ? 0 : every}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
  })
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const lines: string[] = []
  const waiters: (() => void)[] = []
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line)
    for (const wake of waiters.splice(0)) wake()
  })
  const line = async (index: number) => {
    while (lines[index] === undefined) await new Promise<void>((resolve) => waiters.push(resolve))
  }
  await Promise.race([line(0), ended.then(() => Promise.reject(new Error('the intruder did not start')))])
  return {
    taken: line(1),
    report: async () => {
      child.stdin?.end()
      await ended
      return JSON.parse(lines.at(-1) ?? '') as IntruderReport
    },
  }
}
