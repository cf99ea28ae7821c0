/** Installs a peer from npm, at the version that the package.json in a directory beside this file names. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isMissing } from './presence.ts'

const NATIVE = new URL('../../target/peers/', import.meta.url)

export interface InstalledPackage {
  /** The directory that has its `node_modules`. */
  home: URL
  version: string
}

/** Undefined, with the package reported as missing, if it cannot be installed. */
export function installPackage(directory: string, name: string): InstalledPackage | undefined {
  const manifest = new URL(`${directory}/package.json`, import.meta.url)
  const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies: Record<string, string> }
  const home = new URL(`${directory}/`, NATIVE)
  try {
    if (!existsSync(new URL(`node_modules/${name}`, home))) install(manifest, home)
  } catch (error) {
    isMissing(name, reasonOf(error as NodeJS.ErrnoException & { stderr?: string }))
    return undefined
  }
  return { home, version: dependencies[name] ?? '' }
}

function install(manifest: URL, home: URL): void {
  mkdirSync(home, { recursive: true })
  copyFileSync(manifest, new URL('package.json', home))
  const options = { cwd: home, timeout: 120_000, encoding: 'utf8', stdio: 'pipe' } as const
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], options)
}

function reasonOf({ stderr = '', message }: NodeJS.ErrnoException & { stderr?: string }): string {
  return /^npm error (.+)/m.exec(stderr)?.[1] ?? message
}
