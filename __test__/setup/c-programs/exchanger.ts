/** Exchanges what is in another user's directory, in a loop and as that user: the program in C beside this file. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type CProgram, compileC } from './c-program.ts'

export interface Exchanger {
  /** Ends it, and says how often it exchanged. */
  stop(): Promise<number>
}

/** Compiles it; undefined where there is no compiler. */
export const compileExchanger = (): CProgram | undefined => compileC('exchanger', '-static')

/** Starts it in a directory: it exchanges the name with each of the others in turn. */
export async function startExchanger(
  program: CProgram,
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
