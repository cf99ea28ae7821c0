import { createHash } from 'node:crypto'
import { NamespaceSet } from 'nsset'
import type { Network } from './configuration.ts'
import { CniError, CODES, ifThere } from './errors.ts'
import { type Lease, masqueradeTable, portsTable } from './tables.ts'

/** A container on the network, which has a link of this name. */
export interface Attachment {
  configuration: Network
  containerId: string
  ifname: string
}

/** What belongs to an attachment on the host: all of it follows from its ids, so that DEL finds it after a crash. */
export function namesOf({ configuration: { name }, containerId, ifname }: Attachment) {
  const owner = `${containerId}/${ifname}`
  const digest = createHash('sha256').update(`${name}/${owner}`).digest('hex').slice(0, 11)
  return { owner, link: `veth${digest}`, ports: `cni-${name}-${digest}`, masquerade: `cni-${name}` }
}

export function add(attachment: Attachment, container: NamespaceSet, sandbox: string) {
  const { owner } = namesOf(attachment)
  const { pool, subnets } = attachment.configuration
  if (pool.addressesOf(owner).length > 0) {
    throw new CniError(CODES.alreadyAttached, `${owner} is attached already; DEL has to come first`)
  }
  try {
    // The address comes first and goes last: GC finds by it what a killed ADD or DEL left.
    const leases = subnets.map((subnet): Lease => ({ subnet, address: pool.reserve(subnet, owner) }))
    return connect(attachment, leases, container, sandbox)
  } catch (error) {
    remove(attachment)
    throw error
  }
}

function connect(attachment: Attachment, leases: readonly Lease[], container: NamespaceSet, sandbox: string) {
  const { configuration, ifname } = attachment
  const { dns = {}, ipMasq, mtu, ports, subnets } = configuration
  const names = namesOf(attachment)
  using host = NamespaceSet.current('net')
  const { sync } = host.network

  const bridge = sync.links.ensure({
    ...{ kind: 'bridge', name: configuration.bridge, up: true, mtu },
    // Without an address of its own, a bridge takes the lowest of its ports, which change.
    mac: macOf(configuration.bridge),
    addresses: subnets.map(({ gatewayCidr }) => ({ cidr: gatewayCidr, ...WITHOUT_DETECTION })),
  })
  const addresses = leases.map(({ address, subnet }) => `${address}/${subnet.prefixLength}`)
  const peer = {
    ...{ set: container, name: ifname, up: true, mtu },
    addresses: addresses.map((cidr) => ({ cidr, ...WITHOUT_DETECTION })),
  }
  // With br_netfilter, a container that asks for its own published port gets its packets back through the port of the bridge.
  const bridgePort = { hairpin: ports.length > 0 }
  const outer = sync.links.add({ kind: 'veth', name: names.link, up: true, mtu, master: bridge, bridgePort, peer })
  const inner = container.network.sync.links.get(ifname)
  for (const { subnet } of leases) {
    container.network.sync.routes.add({ destination: DESTINATIONS[subnet.family], via: subnet.gateway })
    sync.sysctls.set(FORWARDING[subnet.family], true)
  }
  if (ipMasq) sync.firewall.replace(names.masquerade, masqueradeTable(configuration))
  if (ports.length > 0) sync.firewall.replace(names.ports, portsTable(ports, leases))

  return {
    interfaces: [
      { name: bridge.name, mac: bridge.mac },
      { name: outer.name, mac: outer.mac },
      { name: inner.name, mac: inner.mac, mtu: inner.mtu, sandbox },
    ],
    ips: leases.map(({ subnet }, index) => ({ address: addresses[index], gateway: subnet.gateway, interface: 2 })),
    routes: leases.map(({ subnet }) => ({ dst: DESTINATIONS[subnet.family], gw: subnet.gateway })),
    dns,
  }
}

/** Removes what there is of an attachment, and succeeds if nothing is left, as often as it is called. */
export function remove(attachment: Attachment): void {
  const { pool } = attachment.configuration
  const names = namesOf(attachment)
  using host = NamespaceSet.current('net')
  const { conntrack, firewall, links } = host.network.sync
  ifThere(() => firewall.delete(names.ports))
  // The other end of the cable, and its addresses and routes, go with it.
  links.delete(names.link, { force: true })
  // Datagrams of a client would go on to this address, and to the next container that has it. Ports are not known here: the
  // runtime names them neither for GC nor always for DEL.
  for (const address of pool.addressesOf(names.owner))
    ifTracked(() => conntrack.delete({ replySourceAddress: address }))
  pool.release(names.owner)
}

/** Without the module nf_conntrack_netlink, no published port was ever used. */
function ifTracked(forget: () => unknown): void {
  try {
    forget()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  }
}

/** Removes all attachments that the runtime does not name. */
export function collectGarbage(configuration: Network): void {
  const valid = configuration['cni.dev/valid-attachments'] ?? []
  const owners = new Set(valid.map(({ containerID, ifname }) => `${containerID}/${ifname}`))
  const errors: unknown[] = []
  for (const owner of configuration.pool.owners()) {
    if (owners.has(owner)) continue
    const [containerId = '', ifname = ''] = owner.split('/')
    try {
      remove({ configuration, containerId, ifname })
    } catch (error) {
      errors.push(error) // the specification: remove as much as possible, then report
    }
  }
  if (errors.length > 0) throw new CniError(CODES.io, 'not everything could be removed', errors.join('; '))
}

export const DESTINATIONS = { ipv4: '0.0.0.0/0', ipv6: '::/0' }
const FORWARDING = { ipv4: 'net.ipv4.ip_forward', ipv6: 'net.ipv6.conf.all.forwarding' }
// The pool gives no address twice, so that containers need not wait for the detection of duplicates.
const WITHOUT_DETECTION = { noDuplicateDetection: true }

/** A locally administered address that follows from the name. */
function macOf(name: string): string {
  const [first = 0, ...others] = createHash('sha256').update(name).digest().subarray(0, 6)
  return [(first & 0xfc) | 2, ...others].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
