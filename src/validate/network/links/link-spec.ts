import { invalidValue } from '../../../errors.ts'
import {
  array,
  type Fields,
  type FieldsOf,
  object,
  type Parse,
  type Plain,
  parseFields,
  parseObject,
} from '../../fields.ts'
import { boolean, described, u32, whole, word } from '../../values.ts'
import { type AddressSpec, parseAddress } from '../address.ts'
import { type LinkInOtherNetwork, type LinkRef, parseLinkRef, parseOptionalLinkRef } from '../link-ref.ts'
import { netnsId } from '../netns-id.ts'
import { parseSetRef, type SetRef } from '../set-ref.ts'
import { alias, altName, linkIndex, linkName, mac } from '../values.ts'
import { BOND_PORT, type BondPort } from './bond.ts'
import { BRIDGE_PORT, type BridgePort } from './bridge.ts'
import { LINK_KINDS, type LinkData, type LinkKind } from './link-kinds.ts'

/** Properties of a link that can be set when it is created, and changed later. Properties that you omit stay the same. */
export interface LinkState {
  /** A description for people, of at most 255 bytes. An empty string removes it. */
  alias?: string | undefined
  /** The hardware address: `'02:00:00:00:00:01'`. */
  mac?: string | undefined
  /** In bytes. */
  mtu?: number | undefined
  /** Whether the link is up. Default for a new link: `false`. */
  up?: boolean | undefined
  /** Whether it receives all frames. */
  promiscuous?: boolean | undefined
  /** Whether it finds the hardware addresses of its neighbours, by ARP and NDP. */
  arp?: boolean | undefined
  /** Whether it sends and receives multicast. */
  multicast?: boolean | undefined
  /** Whether it receives the frames of all multicast groups (`allmulticast`). */
  allMulticast?: boolean | undefined
  /** The bridge, bond or VRF that it becomes a port of; `null` for none. */
  master?: LinkRef | null | undefined
  /** Its settings as the port of a bridge. It loses them when it leaves the bridge. */
  bridgePort?: BridgePort | undefined
  /** Its settings as the port of a bond. It loses them when it leaves the bond. */
  bondPort?: BondPort | undefined
  /**
   * Its alternative names, of at most 127 bytes: exactly these (`ip link property add dev eth0 altname NAME`). They are unique in
   * a network, and refer to the link wherever its name does.
   */
  altNames?: readonly string[] | undefined
  /** The number of a group, for programs that treat several links alike (`group`). Default: 0. */
  linkGroup?: number | undefined
  /** How many packets wait in a queue that has no limit of its own (`txqueuelen`). */
  txQueueLength?: number | undefined
  /** The largest packet that the link divides into segments, in bytes (`gso_max_size`). */
  gsoMaxSize?: number | undefined
  /** The most segments of such a packet (`gso_max_segs`). */
  gsoMaxSegments?: number | undefined
  /** The largest packet that arriving segments are joined to, in bytes (`gro_max_size`). */
  groMaxSize?: number | undefined
  /** {@link LinkState.gsoMaxSize} for IPv4 (`gso_ipv4_max_size`, Linux 6.3). */
  gsoIpv4MaxSize?: number | undefined
  /** {@link LinkState.groMaxSize} for IPv4 (`gro_ipv4_max_size`, Linux 6.3). */
  groIpv4MaxSize?: number | undefined
  /**
   * Addresses to add to those that it has. It fails with `EEXIST` if the link has one of them in a way that the kernel cannot
   * change, such as IPv6 with another prefix length.
   */
  addresses?: readonly AddressSpec[] | undefined
}

/** The kinds of link whose data can be changed. */
export type ChangeableLinkKind = 'bond' | 'bridge'

/** A change of the data of a kind. The link has to be of that kind. */
type DataChanges = { kind?: undefined } | { [K in ChangeableLinkKind]: { kind: K } & LinkData[K] }[ChangeableLinkKind]

/** Changes of a link that do not depend on its kind. */
export interface PlainLinkChanges extends LinkState {
  /** The new name: 1 to 15 bytes, without `/`, `:`, `%`, whitespace and the byte A0. */
  name?: string | undefined
}

/** Changes of a link. With its `kind`, they can be those of the data of that kind: `{ kind: 'bridge', vlanFiltering: true }`. */
export type LinkChanges = PlainLinkChanges & DataChanges

/** The other end of a veth or a netkit. */
export interface VethPeer extends LinkState {
  /** Default: chosen by the kernel. */
  name?: string | undefined
  /** Default: chosen by the kernel. */
  index?: number | undefined
  /** The set in whose network the peer is created. Default: the network of the link. */
  set?: SetRef | undefined
  /** The id of its network, as in a {@link Link}. It does not choose the network; a new veth requires `set` then. */
  netnsId?: number | undefined
}

/** Properties of a new link of any kind. */
export interface LinkSpecBase extends LinkState {
  /** The name: 1 to 15 bytes, without `/`, `:`, `%`, whitespace and the byte A0. */
  name: string
  /** The index of the new link (`index` of `ip link add`). Default: chosen by the kernel. */
  index?: number | undefined
  /** How many queues it sends by, 1 to 4096 (`numtxqueues`). Default: that of the kind. */
  numTxQueues?: number | undefined
  /** How many queues it receives by, 1 to 4096 (`numrxqueues`). Default: that of the kind. */
  numRxQueues?: number | undefined
}

/** For kinds whose device, or whose sockets, can be in another network. */
interface Elsewhere {
  /**
   * The set in whose network the link is created, with its device in the network of this method. `master` and `addresses` are then
   * those of that network. Default: the network of this method.
   */
  set?: SetRef | undefined
}

/** For kinds that are created on a device, or send their packets through one. */
interface OnDevice {
  dev?: LinkRef | LinkInOtherNetwork | undefined
}

/** Properties of a kind besides its data. */
type KindOptions<K extends LinkKind> = K extends 'veth' | 'netkit'
  ? { peer?: VethPeer | undefined }
  : K extends 'vlan' | 'macvlan' | 'ipvlan' | 'macsec'
    ? { dev: LinkRef | LinkInOtherNetwork } & Elsewhere
    : K extends 'vxlan'
      ? OnDevice & Elsewhere
      : K extends
            | 'gre'
            | 'gretap'
            | 'ip6gre'
            | 'ip6gretap'
            | 'ip6tnl'
            | 'ipip'
            | 'sit'
            | 'vti'
            | 'vti6'
            | 'xfrm'
            | 'other'
        ? OnDevice
        : K extends 'wireguard'
          ? Elsewhere
          : unknown

/** A new link of one kind, such as `LinkSpecOf<'veth'>`. */
export type LinkSpecOf<K extends LinkKind> = LinkSpecBase & LinkData[K] & KindOptions<K> & { kind: K }

/** A new link of any kind. `kind` tells them apart. */
export type LinkSpec = { [K in LinkKind]: LinkSpecOf<K> }[LinkKind]

const STATE = {
  alias,
  mac,
  mtu: whole(0, 0x7fffffff),
  up: boolean,
  promiscuous: boolean,
  arp: boolean,
  multicast: boolean,
  allMulticast: boolean,
  master: parseOptionalLinkRef,
  bridgePort: object(BRIDGE_PORT),
  bondPort: object(BOND_PORT),
  altNames: array(altName),
  linkGroup: u32,
  txQueueLength: u32,
  gsoMaxSize: u32,
  gsoMaxSegments: u32,
  groMaxSize: u32,
  gsoIpv4MaxSize: u32,
  groIpv4MaxSize: u32,
  addresses: array(parseAddress),
} satisfies FieldsOf<LinkState>

const CHANGES = { name: linkName, ...STATE } satisfies FieldsOf<PlainLinkChanges>

const PEER = {
  ...CHANGES,
  index: linkIndex,
  netnsId,
  set: parseSetRef,
} satisfies FieldsOf<VethPeer>

const DEVICE = { dev: parseDevice }

/** Further properties of links in a list. */
const OF_LISTS = {
  index: linkIndex,
  numTxQueues: whole(1, 4096),
  numRxQueues: whole(1, 4096),
  running: described,
  carrier: described,
  operationalState: described,
  statistics: described,
}

const ELSEWHERE = { set: parseSetRef }

/** The properties of each kind besides its data. */
const KIND_OPTIONS: { readonly [K in LinkKind]?: Fields } = {
  veth: { peer: parsePeer },
  gre: DEVICE,
  gretap: DEVICE,
  ip6gre: DEVICE,
  ip6gretap: DEVICE,
  ip6tnl: DEVICE,
  ipip: DEVICE,
  ipvlan: { ...DEVICE, ...ELSEWHERE },
  macsec: { ...DEVICE, ...ELSEWHERE },
  macvlan: { ...DEVICE, ...ELSEWHERE },
  netkit: { peer: parsePeer },
  other: DEVICE,
  sit: DEVICE,
  vti: DEVICE,
  vti6: DEVICE,
  xfrm: DEVICE,
  vlan: { ...DEVICE, ...ELSEWHERE },
  vxlan: { ...DEVICE, ...ELSEWHERE },
  wireguard: ELSEWHERE,
}

const REQUIRED: { readonly [K in LinkKind]?: readonly string[] } = {
  geneve: ['id'],
  ipvlan: ['dev'],
  macsec: ['dev'],
  macvlan: ['dev'],
  other: ['type'],
  vlan: ['id', 'dev'],
  vrf: ['table'],
  vxlan: ['id'],
  xfrm: ['interfaceId'],
}

/** Parses a device. With a `netnsId`, its index is that of another network, where the kernel looks it up. */
function parseDevice(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !('netnsId' in value) || value.netnsId === undefined) {
    return parseLinkRef(value, name)
  }
  const { index, netnsId } = parseFields(value, name, IN_OTHER_NETWORK, ['index'])
  return new DeviceInOtherNetwork({ index }, netnsId)
}

const IN_OTHER_NETWORK = { index: linkIndex, netnsId } satisfies FieldsOf<LinkInOtherNetwork>

class DeviceInOtherNetwork {
  readonly dev: unknown
  readonly netnsId: unknown

  constructor(dev: unknown, netnsId: unknown) {
    this.dev = dev
    this.netnsId = netnsId
  }
}

function parsePeer(value: unknown, name: string): Plain {
  const { set, ...peer } = parseFields(value, name, PEER)
  return set === undefined ? peer : { ...peer, network: set }
}

const KINDS = Object.keys(LINK_KINDS) as LinkKind[]

const kind: Parse<LinkKind> = (value, name) => {
  if (KINDS.includes(value as LinkKind)) return value as LinkKind
  throw invalidValue(name, `must be a kind of link that can be created: ${KINDS.join(', ')}`, value)
}

/** @internal */
export function parseLinkSpec(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { kind, ...CHANGES, ...OF_LISTS, ...LINK_KINDS[of], ...KIND_OPTIONS[of] }
  const parsed = parseFields(spec, name, fields, ['kind', 'name', ...(REQUIRED[of] ?? [])])
  const { dev, set, ...rest } = parsed as Plain
  return { ...rest, ...(set === undefined ? {} : { network: set }), ...parsedDevice(dev) }
}

function parsedDevice(dev: unknown): Plain {
  if (dev instanceof DeviceInOtherNetwork) return { dev: dev.dev, devNetnsId: dev.netnsId }
  return dev === undefined ? {} : { dev }
}

const CHANGEABLE = ['bond', 'bridge'] as const satisfies readonly ChangeableLinkKind[]

const changeableKind = word(...CHANGEABLE)

/** @internal */
export function parseLinkChanges(changes: unknown, name: string): Plain {
  const given = parseObject(changes, name)['kind']
  if (given === undefined) return parseFields(changes, name, CHANGES)
  const of = changeableKind(given, `${name}.kind`)
  const { kind, ...parsed } = parseFields(changes, name, { ...CHANGES, kind: changeableKind, ...LINK_KINDS[of] })
  const isData = (key: string) => Object.hasOwn(LINK_KINDS[of], key)
  const entries = Object.entries(parsed)
  const data = Object.fromEntries(entries.filter(([key]) => isData(key)))
  return { ...Object.fromEntries(entries.filter(([key]) => !isData(key))), data: { kind, ...data } }
}
