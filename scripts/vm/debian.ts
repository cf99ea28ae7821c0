/** Debian as packages: apt-get(8) downloads them with their dependencies, and they are unpacked, never installed. */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { aptGet } from './apt.ts'

const TIME_LIMIT = 120_000

/** Large, and not read in a guest. */
const NOT_UNPACKED = ['doc', 'info', 'lintian', 'locale', 'man'].map((name) => `--exclude=./usr/share/${name}`)

/** The links that update-alternatives(1) would make. */
const ALTERNATIVES = { awk: 'mawk', cc: 'gcc' }

/** The paths of these packages and of those that they depend on, in the cache; downloads them if it has no such list. */
export function download(cache: string, name: string, packages: readonly string[], apt: Apt): string[] {
  const key = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 8)
  const directory = join(cache, `${name}-${key}`)
  if (!existsSync(directory)) {
    console.log(`downloading ${name}`)
    const partial = `${directory}.partial-${process.pid}`
    mkdirSync(join(partial, 'partial'), { recursive: true })
    const options = [`--option=Dir::Cache::archives=${partial}`, ...(apt.options ?? [])]
    aptGet(apt.env, 'install', '--download-only', '--yes', ...options, ...packages)
    renameSync(partial, directory)
  }
  const archives = readdirSync(directory).filter((each) => each.endsWith('.deb'))
  return archives.map((each) => join(directory, each))
}

/** How apt-get(8) is called. */
export interface Apt {
  env: NodeJS.ProcessEnv
  options?: readonly string[]
}

/** Creates Debian's directories, with /bin and similar ones as links into /usr, and unpacks the packages. */
export function unpack(archives: readonly string[], root: string): void {
  const inUsr = ['bin', 'lib', 'lib64', 'sbin']
  const empty = ['dev', 'etc', 'mnt', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/lib/modules', 'usr/local/bin', 'var']
  for (const name of [...empty, ...inUsr.map((each) => `usr/${each}`)]) mkdirSync(join(root, name), { recursive: true })
  // Relative links: tar(1) follows them.
  for (const name of inUsr) symlinkSync(`usr/${name}`, join(root, name))
  symlinkSync('../run', join(root, 'var/run'))
  for (const archive of archives) unpackFiles(archive, root)
  for (const [name, target] of Object.entries(ALTERNATIVES)) {
    if (existsSync(join(root, 'usr/bin', target))) symlinkSync(target, join(root, 'usr/bin', name))
  }
}

/** Without the maintainer scripts, which are for the system that runs them. */
function unpackFiles(archive: string, root: string): void {
  const tar = `${root}.tar`
  const options: ExecFileSyncOptions = { timeout: TIME_LIMIT, stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" >"$1"', archive, tar], options)
  const extract = ['--extract', `--file=${tar}`, '--keep-directory-symlink', ...NOT_UNPACKED, '--directory', root]
  execFileSync('tar', extract, options)
  rmSync(tar)
}
