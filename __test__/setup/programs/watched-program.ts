/**
 * Programs that run beside a test, inside or outside: socat(1), dnsmasq(8), tcpdump(8). Each is killed at the end of
 * its block.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { NamespaceSet } from 'nsset'
import { eventually } from '../guards/resources.ts'
import { isRoot } from '../sets/privilege.ts'
import { installed } from './busybox-root.ts'

/** An ordinary user's PATH may lack where daemons are. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

export interface WatchedProgram extends AsyncDisposable {
  /** All that it has printed, complaints too. */
  readonly output: string
  /** Waits until it has printed this, and gives all that it has. */
  prints(part: string | RegExp): Promise<string>
  /** Ends it: `SIGINT` lets tcpdump write what it has. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

const limits = { timeout: 30_000, killSignal: 'SIGKILL' } as const

export function startInside(set: NamespaceSet, program: string, args: readonly string[]): WatchedProgram {
  return watch(set.spawn(program, [...args], { env, ...limits }), program)
}

export function startOutside(program: string, args: readonly string[]): WatchedProgram {
  return watch(spawn(program, [...args], { env, ...limits }), program)
}

function watch(child: ChildProcess, program: string): WatchedProgram {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()))
  child.once('error', (error) => (output += error.message))
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal)
    await ended
  }
  return {
    get output() {
      return output
    },
    async prints(part) {
      const has = (text: string) => (typeof part === 'string' ? text.includes(part) : part.test(text))
      const text = await eventually(() => output, has, 8_000)
      if (!has(text)) throw new Error(`${program} does not print ${part}: ${text}`)
      return text
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

/** What ss(8) shows of datagram sockets inside: their own addresses. */
export async function datagramSockets(set: NamespaceSet): Promise<string[]> {
  const { stdout } = await set.execFile('ss', ['-H', '-n', '-u', '-a'], { env, timeout: 10_000 })
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => line.trim().split(/\s+/)[3] ?? '')
}

/** Waits until a socket inside is bound to a port. */
export async function untilBound(set: NamespaceSet, port: number): Promise<void> {
  for (let count = 0; count < 200; count += 1) {
    if ((await datagramSockets(set)).some((address) => address.endsWith(`:${port}`))) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`no socket inside is bound to port ${port}`)
}

/** Why a test is skipped where a program is missing; root has to have it. */
export function missingProgram(program: string, aptPackage: string): string | undefined {
  if (installed(program) !== undefined) return undefined
  const message = `needs ${program}, of the package ${aptPackage}`
  if (isRoot) throw new Error(message)
  return message
}
