/** A Node.js process in which one system call of one of its children fails: see `fault.c` in setup/programs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type CProgram, compileC } from '../c-programs/c-program.ts'
import { childrenOf, eventually, idleHelpersOf } from '../guards/resources.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * The effect: the process is killed or stopped at the call, or stopped there and whenever it continues (`hold`), or
 * its tracer does not let it continue (`keep`), or the call fails with this error number.
 */
export type Effect = 'kill' | 'stop' | 'hold' | 'keep' | number

const EFFECTS = { kill: -1, stop: -2, hold: -3, keep: -4 }

export interface Fault {
  /** In order of creation, from 1; 0 is the calling thread. */
  process: number
  /** The number of a system call; any if omitted. */
  call?: number
  /** Which of them, from 1. */
  number: number
  effect: Effect
}

/** The outcome of an operation with a fault. */
export interface FaultReport {
  /** The code of its error, or `ok`. */
  code: string
  message: string
  /** Milliseconds. */
  took: number
  /** What has grown, after a moment for it to end. */
  left: Held
}

export interface FaultyNode extends AsyncDisposable {
  readonly pid: number
  /** The session of all processes that nsset starts in it, except programs that lead their own. */
  readonly session: number
  /** Runs an operation with this fault; the report is undefined if the operation did not reach it. */
  run(operation: string, fault: Fault): Promise<FaultReport | undefined>
}

/** Compiles the tracer; undefined without a compiler, and on unsupported machines. */
export function compileFaults(): CProgram | undefined {
  return process.arch === 'x64' ? compileC('fault') : undefined
}

/** Each line of its input names an operation, whose report is a line of its output. */
const program = (operations: string) => `
  import { createInterface } from 'node:readline'
  import { NamespaceSet } from 'nsset'
  const operations = await (async () => { ${operations} })()
  for (const operation of Object.values(operations)) await operation(() => {})
  console.log('ready')
  for await (const name of createInterface({ input: process.stdin })) {
    const begun = performance.now()
    let took
    const called = () => { took ??= Math.round(performance.now() - begun) }
    const error = await operations[name]?.(called).then(() => undefined, (error) => error)
    called()
    console.log(JSON.stringify({ code: error === undefined ? 'ok' : String(error.code), message: String(error?.message), took }))
  }`

/**
 * Starts it. `operations` is the body of a function that returns async functions by name. `prefix` is a program that
 * starts Node.js as its only child.
 */
export async function faultyNode(
  faults: string,
  operations: string,
  prefix: readonly string[] = [],
): Promise<FaultyNode> {
  const [file, ...args] = [...prefix, process.execPath, '--input-type=module', '--eval', program(operations)]
  const node = spawn(file as string, args, {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development' },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
    // In its own session.
    detached: true,
  })
  const answers = linesOf(node)
  if ((await answers.next()) !== 'ready') throw new Error('the operations do not work without a fault')
  const pid = prefix.length === 0 ? (node.pid as number) : onlyChildOf(node.pid as number)
  const tracer = spawn(faults, [String(pid)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const events = linesOf(tracer)
  const send = (child: ChildProcess, line: string) => void child.stdin?.write(`${line}\n`)
  send(node, 'no operation')
  await answers.next()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const before = resourcesOf(pid)
  return {
    pid,
    session: node.pid as number,
    async run(operation, { process: index, call = -1, number, effect }) {
      const errno = typeof effect === 'number' ? effect : EFFECTS[effect]
      await endIdleHelpers(pid)
      send(tracer, `${index} ${call} ${number} ${errno}`)
      await events.next()
      send(node, operation)
      const report = await answers.next()
      send(tracer, '')
      let isHit = false
      for (let event = await events.next(); !event.startsWith('births'); event = await events.next()) isHit = true
      const grown = () => growth(before, resourcesOf(pid))
      const left = await eventually(grown, ({ children, descriptors }) => children === 0 && descriptors === 0, 2_000)
      return isHit ? { ...(JSON.parse(report) as Omit<FaultReport, 'left'>), left } : undefined
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => node.once('exit', resolve))
      tracer.kill('SIGKILL')
      node.kill('SIGKILL')
      await ended
    },
  }
}

interface Held {
  /** Zombies count. */
  children: number
  descriptors: number
}

/** Helpers that wait in a network are not counted, nor the two descriptors that each has of its parent. */
function resourcesOf(pid: number): Held {
  const idle = idleHelpersOf(pid).length
  return { children: childrenOf(pid).length, descriptors: readdirSync(`/proc/${pid}/fd`).length - 2 * idle }
}

/** The operation then starts a helper, whose system calls can fail. */
async function endIdleHelpers(pid: number): Promise<void> {
  for (const helper of idleHelpersOf(pid)) process.kill(helper, 'SIGKILL')
  await eventually(
    () => idleHelpersOf(pid),
    (left) => left.length === 0,
  )
}

function onlyChildOf(pid: number): number {
  const [child, ...others] = childrenOf(pid)
  if (child === undefined || others.length > 0) throw new Error(`${pid} does not have exactly one child`)
  return child
}

const growth = (before: Held, now: Held): Held => ({
  children: now.children - before.children,
  descriptors: now.descriptors - before.descriptors,
})

function linesOf(child: ChildProcess): { next(): Promise<string> } {
  if (child.stdout === null) throw new Error('no output to read')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async next() {
      const { value, done } = await lines.next()
      if (done) throw new Error('it has ended')
      return value
    },
  }
}
