/** One subject under the injector, from its start to its exit. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { Line, Wanted } from './outcome.ts'
import type { Built } from './tools.ts'

/** Seconds without output after which a subject is killed. */
const SILENCE = 60
/** The directory of the sources, for the subject, which is a bundle elsewhere. */
export const SOURCES = import.meta.dirname
export const ROOT = join(import.meta.dirname, '../..')
/** Its own mounts, names and links, so that other programs on the machine do not change the counts. */
export const APART = `mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up && exec "$@"`

export interface Session extends AsyncDisposable {
  /** The next line; how it ended if there are no more. */
  next(): Promise<Line | { ended: string }>
  send(what: Wanted | string[]): void
}

export function startSession(built: Built, operation: string): Session {
  const scratch = mkdtempSync(join(built.directory, 'scratch-'))
  const line = [
    built.injector,
    join(scratch, 'report'),
    process.execPath,
    built.subject,
    operation,
    join(scratch, 'report'),
    scratch,
  ]
  const apart =
    process.getuid?.() === 0 ? ['unshare', '--mount', '--net', '--propagation', 'private', 'sh', '-c', APART, 'sh'] : []
  const [file, ...args] = [...apart, ...line] as [string, ...string[]]
  const child = spawn(file, args, {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group, so that all of it can be killed.
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NSSET_FAULTS_ENTRY: process.env['NSSET_FAULTS_ENTRY'] ?? pathToFileURL(join(ROOT, 'dist/index.js')).href,
      NSSET_FAULTS_SOURCES: SOURCES,
    },
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000)
  })
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'close').then(([code, signal]) => howItEnded(code, signal, complaint))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    next: async () => {
      const limit = setTimeout(() => kill(child), SILENCE * 1_000)
      try {
        const { value, done } = await lines.next()
        return done === true ? { ended: await ended } : (JSON.parse(value) as Line)
      } finally {
        clearTimeout(limit)
      }
    },
    send: (what) => child.stdin.write(`${JSON.stringify(what)}\n`),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) kill(child)
      await ended
    },
  }
}

/** The injector exits as its program did, like a shell: 128 plus the number of a signal. */
function howItEnded(code: number | null, signal: string | null, complaint: string): string {
  const how = signal ?? (code !== null && code > 128 ? `signal ${code - 128}` : `code ${code}`)
  const why = complaint.split('\n').filter((line) => /panicked|Assertion|FATAL|Error:|uv_|failed/.test(line))
  return [how, ...why.slice(0, 3)].join(': ')
}

function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
