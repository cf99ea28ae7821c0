/** Reads a trace: which system calls were made between its marks, and whose they were. */
import { isByChance } from './by-chance.ts'
import { markIn } from './marks.ts'

/** What was seen between two marks, by the names of the calls. */
export interface Run {
  operation: number
  times: number
  node: Map<string, number>
  helper: Map<string, number>
}

/**
 * Lines are such as `12180 setns(28<net:[4026532177]>, CLONE_NEWNET) = 0`; a call that another interrupts has a second
 * one, `12180 <... setns resumed>) = 0`, which is none.
 */
const CALL = /^(\d+)\s+((\w+)\(.*)/

export function runsIn(trace: string): Run[] {
  const calls = trace.split('\n')
  const helpers = new Set(calls.filter((line) => line.includes(' execveat(')).map((line) => CALL.exec(line)?.[1]))
  const programs = new Set<string>()
  // strace has executed it: the trace begins with that.
  const [, node] = CALL.exec(calls[0] ?? '') ?? []
  const runs: Run[] = []
  let run: Run | undefined
  for (const line of calls) {
    const mark = markIn(line)
    if (mark !== undefined) {
      run = mark === 'end' ? undefined : { ...mark, node: new Map(), helper: new Map() }
      if (run !== undefined) runs.push(run)
      continue
    }
    const [, tid = '', call = '', name = ''] = CALL.exec(line) ?? []
    if (name === '' || programs.has(tid) || isByChance(call)) continue
    // From then on it is the program that it was to start, whose calls are not ours.
    if (name === 'execve' && tid !== node) programs.add(tid)
    if (run !== undefined) add(helpers.has(tid) ? run.helper : run.node, name)
  }
  return runs
}

function add(calls: Map<string, number>, name: string): void {
  calls.set(name, (calls.get(name) ?? 0) + 1)
}
