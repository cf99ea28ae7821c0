/** npm's nns, which runs `ip`: `peers/nns`. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isMissing, isPresent } from './presence.ts'

const MANIFEST = new URL('nns/package.json', import.meta.url)
const HOME = new URL('../../target/peers/nns/', import.meta.url)

/** The part of nns that nsset has, too: its other function adds routes and firewall rules on the host. */
export interface Nns {
  /** With `lo` up. */
  create(name: string): Promise<void>
  del(name: string): Promise<void>
}

export function loadNns(): Nns | undefined {
  const { nns: version } = (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { dependencies: { nns: string } })
    .dependencies
  try {
    if (!existsSync(new URL('node_modules/nns', HOME))) install()
  } catch (error) {
    isMissing('nns', reasonOf(error as NodeJS.ErrnoException & { stderr?: string }))
    return undefined
  }
  isPresent('nns', version)
  return createRequire(HOME)('nns/lib/namespace-utils.js') as Nns
}

function install(): void {
  mkdirSync(HOME, { recursive: true })
  copyFileSync(MANIFEST, new URL('package.json', HOME))
  const options = { cwd: HOME, timeout: 120_000, encoding: 'utf8', stdio: 'pipe' } as const
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], options)
}

function reasonOf({ stderr = '', message }: NodeJS.ErrnoException & { stderr?: string }): string {
  return /^npm error (.+)/m.exec(stderr)?.[1] ?? message
}
