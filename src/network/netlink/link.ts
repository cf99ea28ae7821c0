import type { LinkData, LinkKind } from '../../validate/network/link-kinds.ts'
import type { LinkElsewhere } from '../../validate/network/link-ref.ts'

/** What a link has carried since it was made. */
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

/** What every link has. */
export interface LinkBase {
  index: number
  name: string
  /** A text for people. */
  alias?: string
  /** Its address, where it has one of six bytes. */
  mac?: string
  /** In bytes. */
  mtu: number
  /** Whether it was brought up. */
  up: boolean
  /** Whether it works: it is up, and so is what it needs. */
  running: boolean
  /** Whether it was told to take in every frame. */
  promiscuous: boolean
  /** The bridge, bond or VRF whose port it is. */
  master?: { index: number }
  /** The other end, of a veth. */
  peer?: LinkElsewhere
  /** The device that it was made on. */
  dev?: LinkElsewhere
  statistics: LinkStatistics
}

/** A link of one kind: `LinkOf<'bridge'>`. */
export type LinkOf<K extends LinkKind | 'loopback' | 'hardware'> = K extends LinkKind
  ? LinkBase & LinkData[K] & { kind: K }
  : LinkBase & { kind: K }

/**
 * A link, told apart by its `kind`. `'loopback'` is `lo`; `'hardware'` is one that no software made; `'other'` is of a kind
 * that is known here by its `type` only.
 */
export type Link = { [K in LinkKind | 'loopback' | 'hardware']: LinkOf<K> }[LinkKind | 'loopback' | 'hardware']
