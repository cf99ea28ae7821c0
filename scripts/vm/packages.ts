/** The Debian packages of this host: which ones are missing. */
import { spawnSync } from 'node:child_process'

/** Throws, with the command that installs them, if one is missing. */
export function requirePackages(names: readonly string[]): void {
  const missing = names.filter((name) => !ask('dpkg-query', '--status', name).includes('Status: install ok installed'))
  if (missing.length > 0) {
    throw new Error(`packages are missing: apt-get install --no-install-recommends ${missing.join(' ')}`)
  }
}

/** The output of a program, whether it succeeds or not. */
function ask(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 }).stdout.trim()
}
