/** The program in C beside this file, which holds up what is started in the set where it runs: compiled once. */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NamespaceSet } from 'nsset'
import { temporaryDirectory } from './temporary-directory.ts'

/** What it does: nothing below `/etc` answers, or it stops or kills all children of this process. */
export type Malice = 'files' | 'stop' | 'kill'

export interface Holdup extends AsyncDisposable {
  begin(): void
  /** How many children of this process it has stopped or killed. */
  hits(): number
}

export interface HoldupProgram extends Disposable {
  readonly path: string
}

/** Compiles it; undefined where there is no compiler. */
export function compileHoldup(): HoldupProgram | undefined {
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const path = directory.file('holdup')
  const source = fileURLToPath(new URL('holdup.c', import.meta.url))
  try {
    execFileSync('cc', ['-O2', '-static', '-o', path, source], { stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    directory[Symbol.dispose]()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}

/** Starts it inside; what comes back ends it. */
export async function startHoldup(program: HoldupProgram, set: NamespaceSet, malice: Malice): Promise<Holdup> {
  const args = malice === 'files' ? ['files'] : [malice, String(process.pid)]
  const child = set.spawn(program.path, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} })
  const ended = new Promise<void>((resolve) => child.once('error', () => resolve()).once('close', () => resolve()))
  let complaint = ''
  child.stderr.on('data', (text) => {
    complaint += text
  })
  let said = ''
  const ready = new Promise<void>((resolve) =>
    child.stdout.on('data', (text) => {
      said += text
      resolve()
    }),
  )
  const failed = ended.then(() => Promise.reject(new Error(`it did not start: ${complaint}`)))
  await Promise.race([ready, failed])
  return {
    begin: () => void child.stdin.end('\n'),
    hits: () => said.split('hit').length - 1,
    [Symbol.asyncDispose]: async () => {
      failed.catch(() => undefined)
      child.kill('SIGKILL')
      await ended
    },
  }
}
