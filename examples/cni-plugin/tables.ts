import { isDeepStrictEqual } from 'node:util'
import { type FirewallRule, type FirewallTableSpec, firewall, type NetworkSync, type PublishedPort } from 'nsset'
import type { Network, PortMapping } from './configuration.ts'
import { ifThere } from './errors.ts'
import type { Subnet } from './subnet.ts'

const MULTICAST = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' }
const SELECTORS = { ipv4: 'ip', ipv6: 'ip6' } as const

/** An address of a container. */
export interface Lease {
  subnet: Subnet
  address: string
}

/** Packets from containers to elsewhere get the address of the host. Every ADD of a network writes the same table. */
export function masqueradeTable({ subnets }: Network): FirewallTableSpec {
  const rules = subnets.map(({ cidr, family }) => {
    const header = SELECTORS[family]
    const outward = { '!=': [cidr, MULTICAST[family]] }
    return [{ [`${header} saddr`]: cidr }, { [`${header} daddr`]: outward }, 'masquerade'] as FirewallRule
  })
  return { chains: { postrouting: { type: 'nat', hook: 'postrouting', rules } } }
}

/** The published ports of a container lead to it, also for other containers of its network. */
export function portsTable(ports: readonly PortMapping[], leases: readonly Lease[]): FirewallTableSpec {
  return firewall.publish(leases.flatMap((lease) => ports.flatMap((mapping) => publishedPort(mapping, lease))))
}

function publishedPort({ hostPort, containerPort, protocol, hostIP }: PortMapping, lease: Lease): PublishedPort[] {
  const { address, subnet } = lease
  const any = hostIP === undefined || hostIP === '' || hostIP === '0.0.0.0' || hostIP === '::'
  const family = hostIP?.includes(':') ? 'ipv6' : 'ipv4'
  if (hostIP !== undefined && hostIP !== '' && family !== subnet.family) return []
  const published = { port: hostPort, to: { host: address, port: containerPort }, hairpin: subnet.cidr }
  return [{ ...published, protocol: protocol as 'tcp' | 'udp', ...(any ? {} : { host: hostIP }) }]
}

/** Whether the host has a table with these rules. */
export function hasTable(host: NetworkSync, name: string, expected: FirewallTableSpec): boolean {
  const table = ifThere(() => host.firewall.get(name))
  const rulesOf = ({ chains = {} }: FirewallTableSpec) =>
    Object.entries(chains).map(([chain, { rules = [] }]) => [chain, rules])
  return table !== undefined && isDeepStrictEqual(rulesOf(table), rulesOf(expected))
}
