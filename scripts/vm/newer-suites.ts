/** The kernels of Debian's newer suites. This host's apt knows the mirror; its own suite stays as it is. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptGet, environmentOf, ownApt } from './apt.ts'
import type { Source } from './kernel.ts'

/** Those that can have a kernel that Debian 12 lacks. */
const SUITES = ['trixie', 'forky', 'sid', 'experimental']

/** The source of a kernel such as `6.12` or `7.3`. */
export function sourceOf(version: string, cache: string): Source {
  if (!/^\d+\.\d+$/.test(version)) throw new RangeError(`--kernel takes a version such as 6.12, not ${version}`)
  const env = aptIn(join(cache, 'apt'))
  return { name: `kernel-${version}`, image: () => newestOf(version, env), env }
}

function aptIn(directory: string): NodeJS.ProcessEnv {
  if (existsSync(join(directory, 'complete'))) return environmentOf(directory)
  const list = join(directory, 'sources.list')
  const env = ownApt(directory, { 'Dir::Etc::sourcelist': list, 'Dir::Etc::sourceparts': '-' })
  const mirror = mirrorOfThisHost()
  writeFileSync(list, SUITES.map((suite) => `deb ${mirror} ${suite} main\n`).join(''))
  aptGet(env, 'update')
  writeFileSync(join(directory, 'complete'), '')
  return env
}

function mirrorOfThisHost(): string {
  const format = ['--format', '$(SITE)', 'Created-By: Packages', 'Label: Debian', 'Component: main']
  const [mirror] = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8', timeout: 60_000 }).split(
    '\n',
  )
  if (!mirror) throw new Error('apt has no Debian mirror: run apt-get update, on Debian')
  return mirror
}

function newestOf(version: string, env: NodeJS.ProcessEnv): string {
  const pattern = `^linux-image-${version.replace('.', '\\.')}([.~+-][^ ]*)?-cloud-amd64$`
  const text = execFileSync('apt-cache', ['search', '--names-only', pattern], {
    encoding: 'utf8',
    timeout: 60_000,
    env,
  })
  const names = text.split('\n').flatMap((line) => line.split(' ')[0] || [])
  const newest = names.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1)
  if (newest === undefined)
    throw new Error(`no suite of ${SUITES.join(', ')} has a kernel ${version} for virtual machines`)
  return newest
}
