/** A process in namespaces created by unshare(1), to be examined from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Outsider extends AsyncDisposable {
  readonly pid: number
}

/** `await using child = await unshareProgram('--user', '--net')`; it ends with its block, or after a minute. */
export async function unshareProgram(...flags: string[]): Promise<Outsider> {
  // `exec` keeps the pid; the line shows that the namespaces exist.
  const child = spawn('unshare', [...flags, 'sh', '-c', 'echo made; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const complaints: string[] = []
  child.stderr.on('data', (text: Buffer) => complaints.push(String(text)))
  const isMade = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    once(child, 'close').then(() => false),
  ])
  if (!isMade || child.pid === undefined) throw new Error(`unshare ${flags.join(' ')}: ${complaints.join('')}`)
  return { pid: child.pid, [Symbol.asyncDispose]: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
