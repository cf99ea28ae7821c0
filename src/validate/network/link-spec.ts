import { invalidValue } from '../../errors.ts'
import { array, type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../fields.ts'
import { boolean, described, whole } from '../values.ts'
import { type AddressSpec, parseAddress } from './address.ts'
import { LINK_KINDS, type LinkData, type LinkKind } from './link-kinds.ts'
import { type LinkElsewhere, type LinkRef, parseLinkRef, parseOptionalLinkRef } from './link-ref.ts'
import { parseSetRef, type SetRef } from './set-ref.ts'
import { alias, linkIndex, linkName, mac } from './values.ts'

/** What can be said of a link when it is made, and changed later. What is left out is, or stays, as the kernel has it. */
export interface LinkState {
  /** A text for people, of at most 255 bytes; an empty one takes it away. */
  alias?: string | undefined
  /** `'02:00:00:00:00:01'` */
  mac?: string | undefined
  /** In bytes. */
  mtu?: number | undefined
  /** Whether the link is up. A new link is down by default. */
  up?: boolean | undefined
  /** Whether it takes in every frame. */
  promiscuous?: boolean | undefined
  /** The bridge, bond or VRF whose port it is to be; null for none. */
  master?: LinkRef | null | undefined
  /**
   * Addresses that it has from then on, beside those it has. It is an error (`EEXIST`) where it has one of them in another way
   * that the kernel cannot change, as IPv6 with another prefix.
   */
  addresses?: readonly AddressSpec[] | undefined
}

/** What is to become of a link. */
export interface LinkChanges extends LinkState {
  /** 1 to 15 bytes, no `/`, `:`, `%` or whitespace, and no byte A0. */
  name?: string | undefined
}

/** The other end of a veth. */
export interface VethPeer extends LinkState {
  /** By default the kernel finds one. */
  name?: string | undefined
  /** By default the kernel finds one. */
  index?: number | undefined
  /** Where it is made; by default in the same network. */
  set?: SetRef | undefined
  /** The number of its network, as a {@link Link} has it; only `set` says where that is. */
  netnsId?: number | undefined
}

/** What can be said of a link of any kind that is to be made. */
export interface LinkSpecBase extends LinkState {
  /** 1 to 15 bytes, no `/`, `:`, `%` or whitespace, and no byte A0. */
  name: string
  /** By default the kernel finds one: `index` of `ip link add`. */
  index?: number | undefined
}

/** Kinds that are made on a device, or that have their packets leave by one. */
interface OnDevice {
  dev?: LinkRef | LinkElsewhere | undefined
}

/** What a kind takes beside its data. */
type Beside<K extends LinkKind> = K extends 'veth'
  ? { peer?: VethPeer | undefined }
  : K extends 'vlan' | 'macvlan' | 'ipvlan'
    ? { dev: LinkRef | LinkElsewhere }
    : K extends 'vxlan' | 'gre' | 'gretap' | 'ipip' | 'other'
      ? OnDevice
      : unknown

/** A link of one kind that is to be made: `LinkSpecOf<'veth'>`. */
export type LinkSpecOf<K extends LinkKind> = LinkSpecBase & LinkData[K] & Beside<K> & { kind: K }

/** A link that is to be made, told apart by its `kind`. */
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

/** What a list says beside. */
const OF_LISTS = { index: linkIndex, running: described, statistics: described }

/** Beside their data. */
const BESIDE: { readonly [K in LinkKind]?: Fields } = {
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

/** A device, which may be in another network: the kernel takes its index there. */
function parseDevice(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !('netnsId' in value) || value.netnsId === undefined) {
    return parseLinkRef(value, name)
  }
  const { index, netnsId } = parseFields(value, name, ELSEWHERE, ['index'])
  return new Elsewhere({ index }, netnsId)
}

const ELSEWHERE = { index: linkIndex, netnsId: whole(0, 0x7fffffff) } satisfies FieldsOf<LinkElsewhere>

class Elsewhere {
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
  throw invalidValue(name, `must be a kind of link that can be made: ${KINDS.join(', ')}`, value)
}

/** @internal */
export function parseLinkSpec(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { kind, ...CHANGES, ...OF_LISTS, ...LINK_KINDS[of], ...BESIDE[of] }
  const parsed = parseFields(spec, name, fields, ['kind', 'name', ...(REQUIRED[of] ?? [])])
  const { dev } = parsed
  return dev instanceof Elsewhere ? { ...parsed, dev: dev.dev, devNetnsId: dev.netnsId } : parsed
}

/** @internal */
export function parseLinkChanges(changes: unknown, name: string): Plain {
  return parseFields(changes, name, CHANGES)
}
