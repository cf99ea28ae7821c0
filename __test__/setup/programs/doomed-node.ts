/**
 * A Node that is going to be killed. It has loaded the built package and leads a session of its own, which all that it
 * starts belongs to: what is alive of the session afterwards was left behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TIME_LIMIT = 30_000

export interface DoomedNode extends AsyncDisposable {
  readonly pid: number
  /** The next line that it prints; rejects with its complaints when it ends instead. */
  line(): Promise<string>
  /** SIGKILL, and the wait for its end. */
  kill(): Promise<void>
}

export function doomedNode(program: string): DoomedNode {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: ROOT,
    // What vitest gives its own workers does not belong there.
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
    detached: true,
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const output = { lines: '', complaints: '' }
  child.stdout.on('data', (text: Buffer) => (output.lines += String(text)))
  child.stderr.on('data', (text: Buffer) => (output.complaints += String(text)))
  const kill = async (): Promise<void> => {
    if (isRunning(child)) child.kill('SIGKILL')
    await ended
  }
  const line = async (): Promise<string> => {
    while (!output.lines.includes('\n')) {
      const more = new Promise((resolve) => child.stdout.once('data', resolve))
      await Promise.race([more, ended])
      if (!isRunning(child) && !output.lines.includes('\n')) throw new Error(`Node ended: ${output.complaints}`)
    }
    const [first = '', ...rest] = output.lines.split('\n')
    output.lines = rest.join('\n')
    return first
  }
  return { pid: child.pid as number, line, kill, [Symbol.asyncDispose]: kill }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}
