import type { LinkData, LinkKind } from '../../validate/network/link-kinds.ts'
import type { LinkInOtherNetwork } from '../../validate/network/link-ref.ts'

/** Counters of a link since it was created. Packets, errors and drops are counts; bytes are bytes. */
export interface LinkStatistics {
  receivedPackets: number
  sentPackets: number
  receivedBytes: number
  sentBytes: number
  receiveErrors: number
  sendErrors: number
  receiveDropped: number
  sendDropped: number
  multicast: number
  collisions: number
}

/** The properties of every link. */
export interface LinkBase {
  index: number
  name: string
  /** A description for people, which `ip link set eth0 alias TEXT` sets. */
  alias?: string
  /** Its hardware address, if it has one of six bytes. */
  mac?: string
  /** In bytes. */
  mtu: number
  /** Whether it is up administratively (`IFF_UP`). */
  up: boolean
  /** Whether it can carry packets: it and the links that it depends on are up (`IFF_RUNNING`). */
  running: boolean
  /** Whether it receives all frames (`ip link set eth0 promisc on`). */
  promiscuous: boolean
  /** The bridge, bond or VRF that it is a port of. */
  master?: { index: number }
  /** The other end of a veth. */
  peer?: LinkInOtherNetwork
  /** The link that it was created on. */
  dev?: LinkInOtherNetwork
  statistics: LinkStatistics
}

/** A link of one kind, such as `LinkOf<'bridge'>`. */
export type LinkOf<K extends LinkKind | 'loopback' | 'hardware'> = K extends LinkKind
  ? LinkBase & LinkData[K] & { kind: K }
  : LinkBase & { kind: K }

/**
 * A link of any kind. `kind` tells them apart: `'loopback'` is `lo`, `'hardware'` is a link that was not created by software, and
 * `'other'` is a link whose kind nsset knows only by its `type`.
 */
export type Link = { [K in LinkKind | 'loopback' | 'hardware']: LinkOf<K> }[LinkKind | 'loopback' | 'hardware']
