/** The suites of Debian, each with the programs of its time. This host's apt knows the mirror; its own suite stays as it is. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptGet, environmentOf, ownApt } from './apt.ts'

/** Those with a kernel that Debian 12 lacks, the oldest first. */
const NEWER = ['trixie', 'forky', 'sid', 'experimental']

/** A package for the kernel of a machine, and the suite with its programs. */
export interface Choice {
  image: string
  suite: string
  env: NodeJS.ProcessEnv
}

/** The newest kernel of this host's suite. */
export function ofThisHost(cache: string): Choice {
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (suite === undefined) throw new Error('the codename of this Debian is not in /etc/os-release')
  const env = aptIn(cache, [suite])
  return { image: 'linux-image-cloud-amd64', suite, env }
}

/** The newest kernel such as `6.12` or `7.3`, of the oldest suite that has that version. */
export function ofVersion(version: string, cache: string): Choice {
  if (!/^\d+\.\d+$/.test(version)) throw new RangeError(`--kernel takes a version such as 6.12, not ${version}`)
  const env = aptIn(cache, NEWER)
  const pattern = `^linux-image-${version.replace('.', '\\.')}([.~+-][^ ]*)?-cloud-amd64$`
  const names = ask(env, 'search', '--names-only', pattern).flatMap((line) => line.split(' ')[0] || [])
  const places = names.flatMap((image) => suitesOf(image, env).map((suite) => ({ image, suite, env })))
  const [first] = places.toSorted((one, other) => orderOf(one) - orderOf(other) || newestFirst(one, other))
  if (first === undefined)
    throw new Error(`no suite of ${NEWER.join(', ')} has a kernel ${version} for virtual machines`)
  // It has few packages, and is used together with sid.
  return first.suite === 'experimental' ? { ...first, suite: 'sid' } : first
}

function orderOf({ suite }: Choice): number {
  return NEWER.indexOf(suite)
}

function newestFirst(one: Choice, other: Choice): number {
  return other.image.localeCompare(one.image, 'en', { numeric: true })
}

/** As in `linux-image-7.2.12+deb14-cloud-amd64 | 7.2.12-1 | http://mirror/debian forky/main amd64 Packages`. */
function suitesOf(image: string, env: NodeJS.ProcessEnv): string[] {
  return ask(env, 'madison', image).flatMap((line) => / (\w+)\/main /.exec(line)?.[1] ?? [])
}

function aptIn(cache: string, suites: readonly string[]): NodeJS.ProcessEnv {
  const directory = join(cache, `apt-${suites.join('-')}`)
  if (existsSync(join(directory, 'complete'))) return environmentOf(directory)
  const list = join(directory, 'sources.list')
  const env = ownApt(directory, { 'Dir::Etc::sourcelist': list, 'Dir::Etc::sourceparts': '-' })
  const mirror = mirrorOfThisHost()
  writeFileSync(list, suites.map((suite) => `deb ${mirror} ${suite} main\n`).join(''))
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

function ask(env: NodeJS.ProcessEnv, ...args: string[]): string[] {
  return execFileSync('apt-cache', args, { encoding: 'utf8', timeout: 60_000, env }).split('\n')
}
