/** strace(1) of a Node.js process, with injected failures. */
import { readFileSync } from 'node:fs'
import { type PlainNodeResult, runPlainNode } from '../programs/plain-node.ts'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

/** One `setns`: the calling thread, the arguments, and the result. */
export interface SetnsCall {
  tid: number
  flag: string
  isFailed: boolean
}

export interface Traced extends PlainNodeResult {
  calls: SetnsCall[]
}

export interface TraceOptions {
  /** Which calls of each thread fail with EPERM, counted from 1: `'2'`, `'2+'`, `'2..4'`; see strace(1), `when`. */
  failing?: string
  /** The program that starts strace. */
  prefix?: readonly string[]
}

/** Runs a program (see `plain-node.ts`) and records each `setns` of each of its threads and children. */
export async function traceSetns(program: string, { failing, prefix = [] }: TraceOptions = {}): Promise<Traced> {
  using directory = temporaryDirectory()
  const file = directory.file('trace')
  const injection = failing === undefined ? [] : ['-e', `inject=setns:error=EPERM:when=${failing}`]
  const strace = ['strace', '-f', '-q', '-e', 'trace=setns', ...injection, '-o', file]
  const result = await runPlainNode(program, { prefix: [...prefix, ...strace] })
  return { ...result, calls: parse(readFileSync(file, 'utf8')) }
}

/** Lines such as `12180 setns(28, CLONE_NEWUTS) = 0`; a call interrupted by that of another thread is on two lines. */
function parse(trace: string): SetnsCall[] {
  const calls: SetnsCall[] = []
  const unfinished = new Map<number, string>()
  for (const line of trace.split('\n')) {
    const tid = Number.parseInt(line, 10)
    const begun = /setns\(\d+, (\w+)/.exec(line)?.[1]
    const result = /= (-?\d+)/.exec(line)?.[1]
    if (begun !== undefined && result === undefined) unfinished.set(tid, begun)
    const flag = begun ?? (line.includes('setns resumed') ? unfinished.get(tid) : undefined)
    if (flag !== undefined && result !== undefined) calls.push({ tid, flag, isFailed: result !== '0' })
  }
  return calls
}
