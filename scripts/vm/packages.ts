/** The Debian packages of this host: which ones are missing, and the files that they brought. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

/** Throws, with the command line that helps, when one of them is not installed. */
export function requirePackages(names: readonly string[]): void {
  const missing = names.filter((name) => !ask('dpkg-query', '--status', name).includes('Status: install ok installed'))
  if (missing.length > 0) {
    throw new Error(`packages are missing: apt-get install --no-install-recommends ${missing.join(' ')}`)
  }
}

/** The files of packages but for manuals, translations and the like. */
export function filesOf(names: readonly string[]): string[] {
  const paths = ask('dpkg-query', '--listfiles', ...names).split('\n')
  const wanted = paths.filter((path) => path.startsWith('/') && !path.startsWith('/usr/share/'))
  return wanted.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

/** The shared libraries that programs are linked to. */
export function librariesOf(programs: readonly string[]): string[] {
  // ldd(1) ends with 1 because some of the files are no programs.
  return ask('ldd', ...programs).match(/(?<=\s)\/\S+(?= \(0x)/g) ?? []
}

/** What a program prints, whether it succeeds or not. */
function ask(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 }).stdout.trim()
}
