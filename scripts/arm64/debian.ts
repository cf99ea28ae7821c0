/** Debian for arm64: packages downloaded by apt-get(8) with this host's configuration, and never installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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
  const env = { ...process.env, APT_CONFIG: join(apt, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' }
  if (!existsSync(packages)) {
    setUp(apt)
    console.log('downloading Debian for arm64')
    aptGet(env, 'update')
    aptGet(env, 'install', '--download-only', '--yes', ...PACKAGES)
    renameSync(join(apt, 'archives'), packages)
  }
  const names = readdirSync(packages).filter((name) => name.endsWith('.deb'))
  return { env, archives: names.map((name) => join(packages, name)) }
}

/** A separate apt without installed packages; only the sources are this host's. */
function setUp(apt: string): void {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, name), { recursive: true })
  writeFileSync(join(apt, 'status'), '')
  const settings = {
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Install-Recommends': 'false',
    // The user of apt may not write here.
    'APT::Sandbox::User': 'root',
    'Dir::State': apt,
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
  writeFileSync(join(apt, 'apt.conf'), lines.join(''))
}

function aptGet(env: NodeJS.ProcessEnv, ...args: string[]): void {
  execFileSync('apt-get', ['--quiet', '--quiet', ...args], {
    env,
    timeout: 240_000,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
