import { NamespaceSet } from 'nsset'
import { type Attachment, namesOf } from './attachment.ts'
import { CniError, CODES, ifThere } from './errors.ts'
import { hasTable, type Lease, masqueradeTable, portsTable } from './tables.ts'

/** Throws an error that names every difference between what ADD made and what there is. */
export function check(attachment: Attachment, container: NamespaceSet): void {
  const differences = [...differencesInside(attachment, container), ...differencesOfHost(attachment)]
  if (differences.length === 0) return
  const { owner } = namesOf(attachment)
  throw new CniError(CODES.changed, `${owner} has changed since ADD`, differences.join('; '))
}

function* differencesInside({ configuration, ifname }: Attachment, container: NamespaceSet): Generator<string> {
  const { prevResult } = configuration
  if (prevResult === undefined) throw new CniError(CODES.invalidConfiguration, 'prevResult is missing or invalid')
  const { addresses, links, routes } = container.network.sync
  const link = ifThere(() => links.get(ifname))
  if (link === undefined) return yield `${ifname} is missing`
  const added = prevResult.interfaces?.find(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  if (!link.up) yield `${ifname} is down`
  if (link.mac !== added?.mac) yield `${ifname} has the address ${link.mac} in place of ${added?.mac}`
  const present = new Set(addresses.list(link).map(({ cidr }) => cidr))
  const gateways = new Set(routes.list({ table: 254 }).map(({ destination, via }) => `${destination} ${via}`))
  const { interfaces = [], ips = [] } = prevResult
  for (const { address, gateway, interface: index } of ips) {
    // Later plugins of the list can have added others.
    if (index === undefined || interfaces[index] !== added) continue
    if (!present.has(address)) yield `${ifname} lacks ${address}`
    if (!gateways.has(`default ${gateway}`)) yield `the route by ${gateway} is missing`
  }
}

function* differencesOfHost(attachment: Attachment): Generator<string> {
  const { bridge: bridgeName, ipMasq, pool, ports, subnets } = attachment.configuration
  const names = namesOf(attachment)
  using host = NamespaceSet.current('net')
  const { sync } = host.network
  const bridge = ifThere(() => sync.links.get(bridgeName))
  const link = ifThere(() => sync.links.get(names.link))
  if (!bridge?.up) yield `${bridgeName} is missing or down`
  if (!link?.up) yield `${names.link} is missing or down`
  if (link !== undefined && link.master?.index !== bridge?.index) yield `${names.link} is not a port of ${bridgeName}`
  const addresses = pool.addressesOf(names.owner)
  const leases = subnets.flatMap((subnet): Lease[] => {
    const address = addresses.find((one) => one.includes(':') === (subnet.family === 'ipv6'))
    return address === undefined ? [] : [{ address, subnet }]
  })
  if (leases.length < subnets.length) return yield 'an address is not reserved'
  if (ipMasq && !hasTable(sync, names.masquerade, masqueradeTable(attachment.configuration))) {
    yield `the table ${names.masquerade} is missing or different`
  }
  if (ports.length > 0 && !hasTable(sync, names.ports, portsTable(ports, leases))) {
    yield `the table ${names.ports} is missing or different`
  }
}
