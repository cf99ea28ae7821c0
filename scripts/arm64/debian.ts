/** Debian for arm64: packages downloaded by apt-get(8) with this host's configuration, and never installed. */
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { aptGet, environmentOf, ownApt } from '../vm/apt.ts'

/** The packages whose programs the guest has; their dependencies are included. */
const PACKAGES = [
  ...['coreutils', 'dash', 'hostname', 'kmod', 'mount', 'procps', 'util-linux'],
  ...['iproute2', 'libc-bin', 'libstdc++6'],
]

export interface Debian {
  /** Options of apt-get(8) and similar programs for arm64. */
  env: NodeJS.ProcessEnv
  /** The paths of the packages. */
  archives: string[]
}

/** The packages in the cache; downloads missing ones. */
export function debianIn(cache: string): Debian {
  const apt = join(cache, 'apt')
  const packages = join(cache, 'packages')
  const env = environmentOf(apt)
  if (!existsSync(packages)) {
    ownApt(apt, { 'APT::Architecture': 'arm64', 'APT::Architectures': 'arm64' })
    console.log('downloading Debian for arm64')
    aptGet(env, 'update')
    aptGet(env, 'install', '--download-only', '--yes', ...PACKAGES)
    renameSync(join(apt, 'archives'), packages)
  }
  const names = readdirSync(packages).filter((name) => name.endsWith('.deb'))
  return { env, archives: names.map((name) => join(packages, name)) }
}
