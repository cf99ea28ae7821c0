/** iproute2 and wg(8) inside a set, as oracles: they read what nsset creates, and nsset reads what they create. */
import type { ExecFileResult, NamespaceSet } from 'nsset'

/** The virtual machine's kernel has every kind of link and of queueing discipline, but an emulated processor. */
export const isVm = process.env['NSSET_TEST_VM'] !== undefined

const TIME_LIMIT = isVm ? 60_000 : 10_000

/** The PATH of an ordinary user may lack the directory of `tc` and `bridge`. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

/**
 * What `ip` prints for a kind that the kernel lacks, and `ip tuntap` for a /dev/net/tun that only root may open, as on
 * systems without udev.
 */
const LACKING =
  /Unknown device type|Specified qdisc kind is unknown|Specified qdisc not found|Operation not supported|^open: Permission denied/

export interface IpLink {
  ifindex: number
  ifname: string
  flags: string[]
  /** How many have asked for all frames. */
  promiscuity?: number
  mtu: number
  address?: string
  /** Random for tunnels over IPv6. */
  permaddr?: string
  ifalias?: string
  altnames?: string[]
  operstate?: string
  group?: string
  txqlen?: number
  num_tx_queues?: number
  num_rx_queues?: number
  gso_max_size?: number
  gso_max_segs?: number
  gro_max_size?: number
  master?: string
  link?: string
  link_netnsid?: number
  linkinfo?: {
    info_kind?: string
    info_data?: Record<string, unknown>
    info_slave_kind?: string
    info_slave_data?: Record<string, unknown>
  }
}

export interface IpAddress {
  family: 'inet' | 'inet6'
  local: string
  address?: string
  prefixlen: number
  broadcast?: string
  scope: string
  label?: string
  tentative?: boolean
  valid_life_time?: number
  preferred_life_time?: number
}

export interface IpRoute {
  type?: string
  dst: string
  gateway?: string
  via?: { family: string; host: string }
  dev?: string
  table?: string
  protocol: string
  scope?: string
  prefsrc?: string
  metric?: number
  flags: string[]
}

export interface TcQdisc {
  kind: string
  handle: string
  root?: boolean
  parent?: string
  options: Record<string, unknown>
}

/** Runs a program inside and returns its result: `await resultOf(set, 'ip', 'link add br0 type bridge')`. */
export function resultOf(set: NamespaceSet, program: string, words: string): Promise<ExecFileResult<string>> {
  return set.execFile(program, words.split(' '), { env, timeout: TIME_LIMIT, reject: false })
}

/** The output of a program inside; throws if it fails. */
export async function outputOf(set: NamespaceSet, program: string, words: string, input?: string): Promise<string> {
  const { stdout } = await set.execFile(program, words.split(' '), { env, timeout: TIME_LIMIT, input })
  return stdout
}

export const ip = (set: NamespaceSet, words: string): Promise<string> => outputOf(set, 'ip', words)
export const tc = (set: NamespaceSet, words: string): Promise<string> => outputOf(set, 'tc', words)

/**
 * Runs a program that creates something; returns false if this kernel cannot. The virtual machine's kernel can: there
 * that is an error.
 */
export async function isMadeBy(set: NamespaceSet, program: string, words: string): Promise<boolean> {
  const { exitCode, stderr } = await resultOf(set, program, words)
  if (exitCode === 0) return true
  if (!isVm && LACKING.test(stderr)) return false
  throw new Error(`${program} ${words}: ${stderr}`)
}

export async function ipLinks(set: NamespaceSet): Promise<IpLink[]> {
  return JSON.parse(await ip(set, '-j -d link show'))
}

/** The names of all links, except those that the kernel creates in every network: `lo`, `tunl0`, `gre0`. */
export async function namesOf(set: NamespaceSet): Promise<string[]> {
  const names = (await ipLinks(set)).map(({ ifname }) => ifname)
  return names.filter((name) => !/^(lo|tunl0|sit0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0|ip_vti0|ip6_vti0)$/.test(name))
}

export async function ipLink(set: NamespaceSet, name: string): Promise<IpLink> {
  const [link] = JSON.parse(await ip(set, `-j -d link show dev ${name}`))
  return link
}

/** The addresses of a link, except those that the kernel assigns. */
export async function ipAddresses(set: NamespaceSet, name: string): Promise<IpAddress[]> {
  const [link] = JSON.parse(await ip(set, `-j -d address show dev ${name}`))
  return link.addr_info.filter(({ local }: IpAddress) => !local.startsWith('fe80:'))
}

/** The routes of a family, except those of the kernel. */
export async function ipRoutes(set: NamespaceSet, family: '-4' | '-6' = '-4'): Promise<IpRoute[]> {
  const routes: IpRoute[] = JSON.parse(await ip(set, `-j -d ${family} route show table all`))
  return routes.filter(({ protocol }) => protocol !== 'kernel')
}

export async function tcQdiscs(set: NamespaceSet, name: string): Promise<TcQdisc[]> {
  return JSON.parse(await tc(set, `-j qdisc show dev ${name}`))
}
