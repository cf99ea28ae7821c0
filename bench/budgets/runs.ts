/** Parses a trace: the system calls between its marks, and the processes that made them. */
import { isByChance } from './by-chance.ts'
import { markIn } from './marks.ts'

/** The calls between two marks, by name. */
export interface Run {
  operation: number
  times: number
  node: Map<string, number>
  helper: Map<string, number>
}

/**
 * Lines are such as `12180 setns(28<net:[4026532177]>, CLONE_NEWNET) = 0`; an interrupted call has a second
 * line, `12180 <... setns resumed>) = 0`, which is not counted.
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
    // From then on it is the started program, whose calls are not ours.
    if (name === 'execve' && tid !== node) programs.add(tid)
    if (run !== undefined) add(helpers.has(tid) ? run.helper : run.node, name)
  }
  return runs
}

function add(calls: Map<string, number>, name: string): void {
  calls.set(name, (calls.get(name) ?? 0) + 1)
}
