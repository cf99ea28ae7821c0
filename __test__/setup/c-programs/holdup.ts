/** The program in C beside this file, which holds up what is started in the set where it runs: compiled once. */
import type { NamespaceSet } from 'nsset'
import { type CProgram, compileC } from './c-program.ts'

/** What it does: nothing below `/etc` answers, or it stops or kills all children of this process. */
export type Malice = 'files' | 'stop' | 'kill'

export interface Holdup extends AsyncDisposable {
  readonly pid: number
  begin(): void
  /** How many children of this process it has stopped or killed. */
  hits(): number
}

/** Compiles it; undefined where there is no compiler. */
export const compileHoldup = (): CProgram | undefined => compileC('holdup', '-static')

/** Starts it inside; what comes back ends it. */
export async function startHoldup(program: CProgram, set: NamespaceSet, malice: Malice): Promise<Holdup> {
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
    pid: child.pid as number,
    begin: () => void child.stdin.end('\n'),
    hits: () => said.split('hit').length - 1,
    [Symbol.asyncDispose]: async () => {
      failed.catch(() => undefined)
      child.kill('SIGKILL')
      await ended
    },
  }
}
