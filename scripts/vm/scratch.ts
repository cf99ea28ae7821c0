/** A directory for one run; it goes with the process, or with the next run when that was killed outright. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PREFIX = 'run-'

export function scratchIn(cache: string): string {
  const scratch = join(cache, `${PREFIX}${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  process.once('exit', () => remove(scratch))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  for (const name of readdirSync(cache).filter(isLeftOver)) remove(join(cache, name))
  return scratch
}

/** The name ends in the process that made it. */
function isLeftOver(name: string): boolean {
  return name.startsWith(PREFIX) && !existsSync(`/proc/${name.slice(PREFIX.length)}`)
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
