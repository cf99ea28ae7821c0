/** Other ways out of a network: slirp4netns(1) and pasta(1), as their users start them. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import type { Address, ExecFileOptions, NamespaceChildProcess, NamespaceSet } from 'nsset'
import { type Internet, RESOLVER } from './internet.ts'

export type Execute = (file: string, args: readonly string[]) => Promise<{ stdout: string; stderr: string }>

export const TWINS = { slirp4netns, pasta } as const
export type TwinName = keyof typeof TWINS

/** The addresses inside that answer questions about names. */
export const TWINS_RESOLVER = '10.0.2.3'

/** The time limit of a program inside. */
const TIME_LIMIT = 60_000

const PACKAGES = { slirp4netns: 'slirp4netns', pasta: 'passt' } as const

/** The version of a program in Debian, or why it cannot run here. */
export function presenceOf(name: TwinName): { reason: string } | { version: string } {
  try {
    const details = execFileSync('dpkg-query', ['--status', PACKAGES[name]], { encoding: 'utf8', stdio: 'pipe' })
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return { version: /^Version: (.*)$/m.exec(details)?.[1] ?? '' }
  } catch (error) {
    return { reason: `${name}: ${(error as Error).message}` }
  }
}

export class Twin implements AsyncDisposable {
  readonly #set: NamespaceSet
  readonly #children: readonly ChildProcess[]

  constructor(set: NamespaceSet, ...children: readonly ChildProcess[]) {
    this.#set = set
    this.#children = children
  }

  execute: Execute = (file, args) => {
    const options: ExecFileOptions<'utf8'> = { reject: false, timeout: TIME_LIMIT }
    return this.#set.execFile(file, args, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) if (child.kill('SIGKILL')) await once(child, 'exit')
    this.#set.close()
  }
}

async function slirp4netns(internet: Internet): Promise<Twin> {
  using host = await withResolver(internet)
  const { set, sleeper } = await emptySet(internet)
  const options = ['--configure', '--enable-ipv6', '--mtu=65520', '--ready-fd=3', String(sleeper.pid), 'tap0']
  const program = host.spawn('slirp4netns', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  await Promise.race([once(program.stdio[3] as NodeJS.ReadableStream, 'data'), failure(program)])
  // Its router advertisements bring the address of IPv6.
  await Promise.race([untilConfigured(set), failure(program)])
  return new Twin(set, sleeper, program)
}

async function pasta(internet: Internet): Promise<Twin> {
  using host = await withResolver(internet)
  const { set, sleeper } = await emptySet(internet)
  const addresses = ['-a', '10.0.2.100', '-n', '24', '-g', '10.0.2.2', '-a', 'fd00::100', '-g', 'fd00::2']
  const names = ['--dns-forward', TWINS_RESOLVER]
  const closed = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none']
  const options = ['--foreground', '--config-net', '--mtu', '65520', '--runas', '0', ...addresses, ...names, ...closed]
  const program = host.spawn('pasta', [...options, String(sleeper.pid)], { stdio: 'ignore' })
  await Promise.race([untilConfigured(set), failure(program)])
  return new Twin(set, sleeper, program)
}

/** The host with a file that names its name server. */
function withResolver(internet: Internet): Promise<NamespaceSet> {
  const content = `nameserver ${RESOLVER}\n`
  return internet.host.unshare('mnt', { mounts: [{ type: 'file', target: '/etc/resolv.conf', content }] })
}

/** The other programs look for a process in the network. */
async function emptySet(internet: Internet): Promise<{ set: NamespaceSet; sleeper: NamespaceChildProcess }> {
  const set = await internet.host.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
  return { set, sleeper: set.spawn('sleep', ['1000'], { stdio: 'ignore' }) }
}

async function failure(program: ChildProcess): Promise<never> {
  const [code] = await once(program, 'exit')
  throw new Error(`${program.spawnfile} ends with ${code}`)
}

/** Both programs set up IPv4 first. */
async function untilConfigured(set: NamespaceSet): Promise<void> {
  for (;;) {
    const [routes, addresses] = [await set.network.routes.list(), await set.network.addresses.list()]
    const hasRoute = routes.some(({ destination, family }) => family === 'IPv6' && destination === 'default')
    const isUsable = ({ cidr, scope, tentative }: Address) => cidr.includes(':') && scope === 'global' && !tentative
    if (hasRoute && addresses.some(isUsable)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
