/**
 * A fresh Node that has loaded the built package and nothing else: no loader, no test runner, no thread of theirs.
 * Its program is a module of JavaScript that imports `nsset` as its users do, and prints one value as JSON.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { isRoot } from '../sets/privilege.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TIME_LIMIT = 60_000

export interface PlainNodeOptions {
  /** Added to this process' environment. */
  env?: Record<string, string>
  /** What starts Node: `['strace', '-f']`. */
  prefix?: readonly string[]
  /** Node's own. */
  flags?: readonly string[]
  /** Milliseconds; 60,000 is the default. */
  timeLimit?: number
}

export interface PlainNodeResult {
  stdout: string
  stderr: string
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Starts Node so that it may `do`: as root; for an ordinary user, as the root of a user namespace that unshare(1) makes,
 * with the other kinds beside it, since the way back is only into what that user namespace owns.
 */
export const AS_ROOT_INSIDE: readonly string[] = isRoot
  ? []
  : ['unshare', '--user', '--map-root-user', '--net', '--uts', '--ipc', '--cgroup']

/** For a program: `placesOfThreads('net')` lists a namespace for each thread, except those that end meanwhile. */
export const PLACES_OF_THREADS = `
  import { readdirSync, readlinkSync } from 'node:fs'
  const placesOfThreads = (kind) => readdirSync('/proc/self/task').flatMap((tid) => {
    try { return [readlinkSync('/proc/self/task/' + tid + '/ns/' + kind)] } catch { return [] }
  })`

/** Runs a program to its end; it and what started it are killed when they take too long. */
export async function runPlainNode(program: string, options: PlainNodeOptions = {}): Promise<PlainNodeResult> {
  const node = [process.execPath, ...(options.flags ?? []), '--input-type=module', '--eval', program]
  const [file, ...args] = [...(options.prefix ?? []), ...node] as [string, ...string[]]
  const child = spawn(file, args, {
    cwd: ROOT,
    // What vitest gives its own workers does not belong there.
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that the limit ends Node too, and not only strace.
    detached: true,
  })
  const limit = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), options.timeLimit ?? TIME_LIMIT)
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve([code, signal]))
  })
  try {
    const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    return { stdout, stderr, code, signal }
  } finally {
    clearTimeout(limit)
  }
}

/** What has it run inside other namespaces, which these options of nsenter(1) name, in the directory that it runs in otherwise. */
export function byNsenter(...options: string[]): string[] {
  return ['nsenter', ...options, 'sh', '-c', 'cd "$0" && exec "$@"', ROOT]
}

/** Runs a program that prints one value as JSON, and gives that value. */
export async function askPlainNode<T>(program: string, options?: PlainNodeOptions): Promise<T> {
  const { stdout, stderr, code, signal } = await runPlainNode(program, options)
  if (code !== 0) throw new Error(`the program ended with ${signal ?? code}: ${stderr}\n${stdout}`)
  return JSON.parse(stdout) as T
}
