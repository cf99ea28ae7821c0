/** A program that does one thing and exits, started by Node.js. */
import { spawnSync } from 'node:child_process'
import { microseconds, type Sample } from '../measure.ts'

/** In microseconds, until it has exited. */
export function program(file: string, ...args: string[]): Sample {
  return () => microseconds(() => runProgram(file, ...args), 1)
}

export function runProgram(file: string, ...args: string[]): void {
  const { status, error } = spawnSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 30_000 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with code ${status}`)
}
