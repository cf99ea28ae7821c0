import { type FieldsOf, type Parse, parseFields } from '../../fields.ts'
import { boolean, u8, u16, u32, whole, word } from '../../values.ts'
import { ip, milliseconds } from '../values.ts'
import { flag } from './tunnels.ts'

/** Data of a GENEVE tunnel: Ethernet over UDP. */
export interface GeneveData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** The IP address of the other end. */
  remote?: string | undefined
  /** The UDP port. Default: `6081`. */
  port?: number | undefined
  /** TTL of the outer packets. Default: the kernel's. */
  ttl?: number | undefined
  /** Whether each packet says where it goes. The `id` is `0` then. Default: `false`. */
  external?: boolean | undefined
  /** TOS of the outer packets. `1`: that of the inner packet. */
  tos?: number | undefined
  /** Whether the outer packets have the TTL of the inner ones (`ttl inherit`). */
  inheritTtl?: boolean | undefined
  /** Whether routers must not divide the outer packets over IPv4, or those of which the inner packet says so (`df`). */
  dontFragment?: 'unset' | 'set' | 'inherit' | undefined
  /** The flow label of the outer packets over IPv6 (`flowlabel`). */
  flowLabel?: number | undefined
  /** Whether UDP over IPv4 has a checksum (`udpcsum`). */
  checksum?: boolean | undefined
  /** Whether UDP over IPv6 has none (`udp6zerocsumtx`). */
  noChecksum6?: boolean | undefined
  /** Whether UDP over IPv6 without a checksum is accepted (`udp6zerocsumrx`). */
  acceptNoChecksum6?: boolean | undefined
  /** Whether the inner packets are IP, and not Ethernet (`innerprotoinherit`). Linux 5.18. */
  inheritProtocol?: boolean | undefined
}

/** Data of a VXLAN: Ethernet over UDP. */
export interface VxlanData {
  /** The network identifier, 0 to 16777215. */
  id: number
  /** The IP address of this end. */
  local?: string | undefined
  /** The multicast group that it joins. Not together with `remote`. */
  group?: string | undefined
  /** The IP address of the only other end. */
  remote?: string | undefined
  /** The UDP port. Default: `8472`, the kernel's; the standard's is `4789`. */
  port?: number | undefined
  /** TTL of the outer packets. Default: the kernel's. */
  ttl?: number | undefined
  /** Whether it learns which end has which MAC address. Default: `true`, with `external` `false`. */
  learning?: boolean | undefined
  /** In milliseconds, whole seconds: how long it remembers a learned MAC address. */
  ageingTime?: number | undefined
  /** Whether each packet says where it goes. The `id` is `0` then. Default: `false`. */
  external?: boolean | undefined
  /** TOS of the outer packets. `1`: that of the inner packet. */
  tos?: number | undefined
  /** Whether the outer packets have the TTL of the inner ones (`ttl inherit`). */
  inheritTtl?: boolean | undefined
  /** Whether routers must not divide the outer packets over IPv4, or those of which the inner packet says so (`df`). */
  dontFragment?: 'unset' | 'set' | 'inherit' | undefined
  /** The flow label of the outer packets over IPv6 (`flowlabel`). */
  flowLabel?: number | undefined
  /** Whether UDP over IPv4 has a checksum (`udpcsum`). */
  checksum?: boolean | undefined
  /** Whether UDP over IPv6 has none (`udp6zerocsumtx`). */
  noChecksum6?: boolean | undefined
  /** Whether UDP over IPv6 without a checksum is accepted (`udp6zerocsumrx`). */
  acceptNoChecksum6?: boolean | undefined
  /** The UDP ports of this end, one for each flow (`srcport`). Default: all that programs use. */
  sourcePorts?: { readonly start: number; readonly end: number } | undefined
  /** How many MAC addresses it learns (`maxaddress`). Default: unlimited. */
  maxLearned?: number | undefined
  /** Whether it answers ARP requests and neighbour solicitations for its neighbours (`proxy`). */
  proxy?: boolean | undefined
  /** Whether it replaces the router between two networks (`rsc`). */
  routeShortCircuit?: boolean | undefined
  /** Whether `network.watch('neighbours')` reports MAC addresses that have no forwarding entry (`l2miss`). */
  announceMissingMac?: boolean | undefined
  /** The same for IP addresses that have no neighbour (`l3miss`). */
  announceMissingIp?: boolean | undefined
  /** Whether the other end computes the checksum of the inner packet (`remcsumtx`). */
  remoteChecksum?: boolean | undefined
  /** The same for packets that arrive (`remcsumrx`). */
  acceptRemoteChecksum?: boolean | undefined
  /** Whether the mark of a packet is sent as the number of its group (`gbp`). */
  groupPolicy?: boolean | undefined
  /** Whether packets can be of other protocols than Ethernet (`gpe`). Requires `external`. */
  genericProtocols?: boolean | undefined
  /** Whether it only accepts the identifiers that `bridge vni` lists (`vnifilter`). Requires `external`. Linux 5.18. */
  vniFilter?: boolean | undefined
  /** Whether packets to an address of this host do not leave the kernel (`localbypass`). Default: `true`. Linux 6.5. */
  localBypass?: boolean | undefined
}

const networkId = whole(0, 0xffffff)

const both = {
  id: networkId,
  remote: ip,
  port: u16,
  ttl: u8,
  external: flag,
  tos: u8,
  dontFragment: word('unset', 'set', 'inherit'),
  flowLabel: whole(0, 0xfffff),
  checksum: boolean,
  noChecksum6: boolean,
  acceptNoChecksum6: boolean,
}

/** @internal */
export const GENEVE = { ...both, inheritTtl: boolean, inheritProtocol: flag } satisfies FieldsOf<GeneveData>

const port = whole(1, 0xffff)

const sourcePorts: Parse = (value, name) => parseFields(value, name, { start: port, end: port }, ['start', 'end'])

/** @internal */
export const VXLAN = {
  ...both,
  local: ip,
  group: ip,
  learning: boolean,
  ageingTime: milliseconds,
  inheritTtl: flag,
  sourcePorts,
  maxLearned: u32,
  proxy: boolean,
  routeShortCircuit: boolean,
  announceMissingMac: boolean,
  announceMissingIp: boolean,
  remoteChecksum: boolean,
  acceptRemoteChecksum: boolean,
  groupPolicy: flag,
  genericProtocols: flag,
  vniFilter: boolean,
  localBypass: boolean,
} satisfies FieldsOf<VxlanData>
