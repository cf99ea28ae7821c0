/** Debian for arm64: packages that apt-get(8) downloads as this host is set up to, and that are never installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Whose programs the guest has; what these depend on comes along. */
const PACKAGES = [
  ...['coreutils', 'dash', 'hostname', 'kmod', 'mount', 'procps', 'util-linux'],
  ...['iproute2', 'libc-bin', 'libstdc++6'],
]

export interface Debian {
  /** What apt-get(8) and its like get, to be for arm64. */
  env: NodeJS.ProcessEnv
  /** The paths of the packages. */
  archives: string[]
}

/** The packages in the cache; when they are not there, downloads them. */
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

/** An apt of its own, for which nothing is installed yet; only the sources are this host's. */
function setUp(apt: string): void {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, name), { recursive: true })
  writeFileSync(join(apt, 'status'), '')
  const settings = {
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Install-Recommends': 'false',
    // Its own user may not write here.
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
