/** apt(8) with a directory of its own: it downloads packages and never installs them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Creates the directory. Returns the environment in which apt uses it; only the sources are this host's. */
export function ownApt(directory: string, further: Record<string, string> = {}): NodeJS.ProcessEnv {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(directory, name), { recursive: true })
  writeFileSync(join(directory, 'status'), '')
  const settings = {
    'APT::Install-Recommends': 'false',
    // The user of apt may not write here.
    'APT::Sandbox::User': 'root',
    'Dir::State': directory,
    'Dir::State::status': join(directory, 'status'),
    'Dir::Cache': directory,
    ...further,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
  writeFileSync(join(directory, 'apt.conf'), lines.join(''))
  return environmentOf(directory)
}

/** The environment in which apt uses such a directory. */
export function environmentOf(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, APT_CONFIG: join(directory, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' }
}

export function aptGet(env: NodeJS.ProcessEnv, ...args: string[]): void {
  execFileSync('apt-get', ['--quiet', '--quiet', ...args], {
    env,
    timeout: 240_000,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
