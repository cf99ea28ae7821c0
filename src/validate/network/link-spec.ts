import { invalidValue } from '../../errors.ts'
import { array, type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../fields.ts'
import { boolean, described, whole } from '../values.ts'
import { type AddressSpec, parseAddress } from './address.ts'
import { LINK_KINDS, type LinkData, type LinkKind } from './link-kinds.ts'
import { type LinkInOtherNetwork, type LinkRef, parseLinkRef, parseOptionalLinkRef } from './link-ref.ts'
import { parseSetRef, type SetRef } from './set-ref.ts'
import { alias, linkIndex, linkName, mac } from './values.ts'

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
  /** The bridge, bond or VRF that it becomes a port of; `null` for none. */
  master?: LinkRef | null | undefined
  /**
   * Addresses to add to those that it has. It fails with `EEXIST` if the link has one of them in a way that the kernel cannot
   * change, such as IPv6 with another prefix length.
   */
  addresses?: readonly AddressSpec[] | undefined
}

/** Changes of a link. */
export interface LinkChanges extends LinkState {
  /** The new name: 1 to 15 bytes, without `/`, `:`, `%`, whitespace and the byte A0. */
  name?: string | undefined
}

/** The other end of a veth. */
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
}

/** For kinds that are created on a device, or send their packets through one. */
interface OnDevice {
  dev?: LinkRef | LinkInOtherNetwork | undefined
}

/** Properties of a kind besides its data. */
type KindOptions<K extends LinkKind> = K extends 'veth'
  ? { peer?: VethPeer | undefined }
  : K extends 'vlan' | 'macvlan' | 'ipvlan'
    ? { dev: LinkRef | LinkInOtherNetwork }
    : K extends 'vxlan' | 'gre' | 'gretap' | 'ipip' | 'other'
      ? OnDevice
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
  master: parseOptionalLinkRef,
  addresses: array(parseAddress),
} satisfies FieldsOf<LinkState>

const CHANGES = { name: linkName, ...STATE } satisfies FieldsOf<LinkChanges>

const PEER = {
  ...CHANGES,
  index: linkIndex,
  netnsId: whole(0, 0x7fffffff),
  set: parseSetRef,
} satisfies FieldsOf<VethPeer>

const DEVICE = { dev: parseDevice }

/** Further properties of links in a list. */
const OF_LISTS = { index: linkIndex, running: described, statistics: described }

/** The properties of each kind besides its data. */
const KIND_OPTIONS: { readonly [K in LinkKind]?: Fields } = {
  veth: { peer: parsePeer },
  gre: DEVICE,
  gretap: DEVICE,
  ipip: DEVICE,
  ipvlan: DEVICE,
  macvlan: DEVICE,
  other: DEVICE,
  vlan: DEVICE,
  vxlan: DEVICE,
}

const REQUIRED: { readonly [K in LinkKind]?: readonly string[] } = {
  geneve: ['id'],
  ipvlan: ['dev'],
  macvlan: ['dev'],
  other: ['type'],
  vlan: ['id', 'dev'],
  vrf: ['table'],
  vxlan: ['id'],
}

/** Parses a device. With a `netnsId`, its index is that of another network, where the kernel looks it up. */
function parseDevice(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !('netnsId' in value) || value.netnsId === undefined) {
    return parseLinkRef(value, name)
  }
  const { index, netnsId } = parseFields(value, name, IN_OTHER_NETWORK, ['index'])
  return new DeviceInOtherNetwork({ index }, netnsId)
}

const IN_OTHER_NETWORK = { index: linkIndex, netnsId: whole(0, 0x7fffffff) } satisfies FieldsOf<LinkInOtherNetwork>

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
  const { dev } = parsed
  return dev instanceof DeviceInOtherNetwork ? { ...parsed, dev: dev.dev, devNetnsId: dev.netnsId } : parsed
}

/** @internal */
export function parseLinkChanges(changes: unknown, name: string): Plain {
  return parseFields(changes, name, CHANGES)
}
