/** The Debian packages of this host: which ones are missing, and their files. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

/** Throws, with the command that installs them, if one is missing. */
export function requirePackages(names: readonly string[]): void {
  const missing = names.filter((name) => !ask('dpkg-query', '--status', name).includes('Status: install ok installed'))
  if (missing.length > 0) {
    throw new Error(`packages are missing: apt-get install --no-install-recommends ${missing.join(' ')}`)
  }
}

/** The files of packages except manuals, translations and similar ones. */
export function filesOf(names: readonly string[]): string[] {
  const paths = ask('dpkg-query', '--listfiles', ...names).split('\n')
  const wanted = paths.filter((path) => path.startsWith('/') && !path.startsWith('/usr/share/'))
  return wanted.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

/** The shared libraries of programs. */
export function librariesOf(programs: readonly string[]): string[] {
  // ldd(1) exits with 1 because some of the files are not programs.
  return ask('ldd', ...programs).match(/(?<=\s)\/\S+(?= \(0x)/g) ?? []
}

/** The output of a program, whether it succeeds or not. */
function ask(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 }).stdout.trim()
}
