/** A directory for one run; it is removed with the process, or by the next run if that was killed. */
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

/** The name ends with the pid of its process. */
function isLeftOver(name: string): boolean {
  return name.startsWith(PREFIX) && !existsSync(`/proc/${name.slice(PREFIX.length)}`)
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
