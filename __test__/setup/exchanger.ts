/** Exchanges what is in another user's directory, in a loop and as that user: the program in C beside this file. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from './temporary-directory.ts'

export interface Exchanger {
  /** Ends it, and says how often it exchanged. */
  stop(): Promise<number>
}

export interface ExchangerProgram extends Disposable {
  readonly path: string
}

/** Compiles it; undefined where there is no compiler. */
export function compileExchanger(): ExchangerProgram | undefined {
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const path = directory.file('exchanger')
  const source = fileURLToPath(new URL('exchanger.c', import.meta.url))
  try {
    execFileSync('cc', ['-O2', '-static', '-o', path, source], { stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    directory[Symbol.dispose]()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}

/** Starts it in a directory: it exchanges the name with each of the others in turn. */
export async function startExchanger(
  program: ExchangerProgram,
  uid: number,
  directory: string,
  [name, ...others]: readonly [string, ...string[]],
): Promise<Exchanger> {
  const child = spawn(program.path, [`${uid}`, name, ...others], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 300_000,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value } = await lines.next()
  if (value !== 'ready') throw new Error('the exchanger did not start')
  return {
    stop: async () => {
      child.stdin.end()
      const { value: count } = await lines.next()
      await ended
      return Number(count)
    },
  }
}
