/** Records the system calls of the operations with strace(1). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { BY_CHANCE } from './by-chance.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url))
const TIME_LIMIT = 120_000

/** The trace of the whole program: the calls of its threads, helpers and children. */
export async function trace(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-budgets-'))
  try {
    const file = join(directory, 'trace')
    await run('strace', [...straceOptions(file), process.execPath, '--input-type=module', '--eval', bundle()])
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** One module, without a loader, whose threads would be in the trace. The package is external, as for users. */
function bundle(): string {
  const how = { bundle: true, write: false, platform: 'node', target: 'node20', format: 'esm' } as const
  return buildSync({ entryPoints: [PROGRAM], external: ['nsset'], ...how }).outputFiles[0]?.text ?? ''
}

/** Calls that are not counted are not traced, either; `?`: the name of a call that not every architecture has. */
function straceOptions(file: string): string[] {
  const left = Object.keys(BY_CHANCE).map((name) => `?${name}`)
  return ['-f', '-q', '-y', '--seccomp-bpf', '-e', `trace=!${left.join(',')}`, '-o', file]
}

/** Runs it until it exits; it and its descendants are killed after the time limit. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' }
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  const ended = once(child, 'close')
  const limit = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), TIME_LIMIT)
  try {
    const [stderr, [code, signal]] = await Promise.all([text(child.stderr), ended])
    if (code !== 0) throw new Error(`the traced program ended with ${signal ?? code}: ${stderr}`)
  } finally {
    clearTimeout(limit)
  }
}
