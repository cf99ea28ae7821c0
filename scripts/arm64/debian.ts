/** Debian for arm64, of this host's apt configuration. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptGet, environmentOf, ownApt } from '../vm/apt.ts'
import { download } from '../vm/debian.ts'

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
  const env = aptIn(join(cache, 'apt'))
  return { env, archives: download(cache, 'programs', PACKAGES, { env }) }
}

function aptIn(directory: string): NodeJS.ProcessEnv {
  const complete = join(directory, 'complete')
  if (existsSync(complete)) return environmentOf(directory)
  const env = ownApt(directory, { 'APT::Architecture': 'arm64', 'APT::Architectures': 'arm64' })
  aptGet(env, 'update')
  writeFileSync(complete, '')
  return env
}
