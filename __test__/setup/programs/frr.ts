/** FRRouting, as ordinary programs in a set: bgpd exchanges routes by BGP, and zebra writes them into the kernel. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { MountSpec, NamespaceChildProcess, NamespaceSet } from 'nsset'
import type { TemporaryDirectory } from '../sets/temporary-directory.ts'

/** The number of BGP in /etc/iproute2/rt_protos. */
export const RTPROT_BGP = 186

/** Debian's. */
const DIRECTORY = '/usr/lib/frr'

/** Why it cannot run here; undefined if it can. */
export function missingFrr(): string | undefined {
  return existsSync(`${DIRECTORY}/bgpd`) ? undefined : 'needs bgpd and zebra, of the package frr'
}

/** The daemons require that their user is a member of this group. */
export const GROUPS: MountSpec = { type: 'file', target: '/etc/group', content: 'root:x:0:\nfrrvty:x:0:\n' }

export interface FrrOptions {
  set: NamespaceSet
  directory: TemporaryDirectory
  /** An address, which is the id of the router and is announced. */
  id: string
  as: number
  /** The addresses of its neighbours. The one with the greatest weight is preferred. */
  weights: Record<string, number>
}

/** Starts the daemons in the foreground; the caller ends them. */
export function startFrr({ set, directory, id, as, weights }: FrrOptions): NamespaceChildProcess[] {
  const neighbours = Object.entries(weights).flatMap(([address, weight]) => [
    `neighbor ${address} remote-as external`,
    `neighbor ${address} timers connect 1`,
    `neighbor ${address} advertisement-interval 0`,
    `neighbor ${address} weight ${weight}`,
  ])
  const lines = [
    `router bgp ${as}`,
    `bgp router-id ${id}`,
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    'timers bgp 1 4',
    ...neighbours,
    `network ${id}/32`,
  ]
  const of = directory.file(id)
  mkdirSync(of)
  writeFileSync(`${of}/zebra.conf`, '')
  writeFileSync(`${of}/bgpd.conf`, lines.join('\n'))
  const start = (daemon: string, ...more: string[]) => {
    const files = ['-f', `${of}/${daemon}.conf`, '-i', `${of}/${daemon}.pid`, '-z', `${of}/zebra.api`]
    const args = [...files, '--vty_socket', of, '-P', '0', '-u', 'root', '-g', 'root', ...more]
    return set.spawn(`${DIRECTORY}/${daemon}`, args, { stdio: 'ignore', deathSignal: 'SIGKILL' })
  }
  return [start('zebra'), start('bgpd', '-p', '179')]
}
