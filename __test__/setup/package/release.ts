/** The tarballs of a release, packed from the local build. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }

/** The binary package for this machine, by its architecture; the tests run with glibc. */
export const BINARY_HERE = `nsset-linux-${process.arch}-gnu`

export interface Release extends Disposable {
  readonly version: string
  /** By package name. */
  readonly tarballs: ReadonlyMap<string, string>
  /** Their sizes. */
  readonly report: string
}

/** As `npm run pack:release` does it. */
export function packRelease(): Release {
  const directory = temporaryDirectory()
  const args = ['--import', 'tsx', join(ROOT, 'scripts/pack.ts'), '--to', directory.path]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const report = execFileSync(process.execPath, args, {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const files = readdirSync(directory.path)
  const tarballs = new Map(files.map((file) => [file.replace(`-${version}.tgz`, ''), directory.file(file)]))
  return { version, tarballs, report, [Symbol.dispose]: directory[Symbol.dispose] }
}

/** The `package.json` of a tarball. */
export function manifestIn(tarball: string): Record<string, unknown> {
  return JSON.parse(tar('-xOf', tarball, 'package/package.json')) as Record<string, unknown>
}

/** The paths of its files, sorted. */
export function filesIn(tarball: string): string[] {
  const names = tar('-tf', tarball).trim().split('\n')
  return names.map((name) => name.replace(/^package\//, '')).sort()
}

function tar(...args: string[]): string {
  return execFileSync('tar', args, { encoding: 'utf8', timeout: 20_000 })
}
