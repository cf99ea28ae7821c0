import type { LinkInOtherNetwork } from '../../validate/network/link-ref.ts'
import type { BondPort } from '../../validate/network/links/bond.ts'
import type { BridgePort } from '../../validate/network/links/bridge.ts'
import type { LinkData, LinkKind } from '../../validate/network/links/link-kinds.ts'

/** A counter of a link. It is a bigint if it is greater than `Number.MAX_SAFE_INTEGER`. */
export type LinkCounter = number | bigint

/**
 * Counters of a link since it was created. Packets, errors and drops are counts; bytes are bytes. Those after `collisions` are
 * parts of the others, for drivers that count them.
 */
export interface LinkStatistics {
  receivedPackets: LinkCounter
  sentPackets: LinkCounter
  receivedBytes: LinkCounter
  sentBytes: LinkCounter
  receiveErrors: LinkCounter
  sendErrors: LinkCounter
  receiveDropped: LinkCounter
  sendDropped: LinkCounter
  multicast: LinkCounter
  collisions: LinkCounter
  receiveLengthErrors: LinkCounter
  receiveOverErrors: LinkCounter
  receiveCrcErrors: LinkCounter
  receiveFrameErrors: LinkCounter
  receiveFifoErrors: LinkCounter
  receiveMissed: LinkCounter
  sendAborted: LinkCounter
  sendCarrierErrors: LinkCounter
  sendFifoErrors: LinkCounter
  sendHeartbeatErrors: LinkCounter
  sendWindowErrors: LinkCounter
  receiveCompressed: LinkCounter
  sendCompressed: LinkCounter
  /** Packets for which nothing inside listens. */
  receiveUnhandled: LinkCounter
  /** Packets with the MAC address of another host. */
  receiveOtherHost: LinkCounter
}

/** The state of a link as RFC 2863 defines it. `'unknown'`: its driver does not say, as that of `lo`. */
export type OperationalState = 'unknown' | 'not-present' | 'down' | 'lower-layer-down' | 'testing' | 'dormant' | 'up'

/** The properties of every link. */
export interface LinkBase {
  index: number
  name: string
  /** A description for people, which `ip link set eth0 alias TEXT` sets. */
  alias?: string
  /** Its alternative names (`altname`), if it has some. */
  altNames?: string[]
  /** Its hardware address, if it has one of six bytes. */
  mac?: string
  /** In bytes. */
  mtu: number
  /** Whether it is up administratively (`IFF_UP`). */
  up: boolean
  /** Whether it can carry packets: it and the links that it depends on are up (`IFF_RUNNING`). */
  running: boolean
  /** Whether it has a carrier: a cable that is plugged in, the other end of a veth that is up, a port of a bridge that is up. */
  carrier: boolean
  operationalState: OperationalState
  /** Whether it receives all frames (`ip link set eth0 promisc on`). */
  promiscuous: boolean
  /** Whether it finds the hardware addresses of its neighbours (`ip link set eth0 arp on`). */
  arp: boolean
  /** Whether it sends and receives multicast (`ip link set eth0 multicast on`). */
  multicast: boolean
  /** Whether it receives the frames of all multicast groups (`ip link set eth0 allmulticast on`). */
  allMulticast: boolean
  /** The bridge, bond or VRF that it is a port of. */
  master?: { index: number }
  /** Its state and settings as the port of a bridge. */
  bridgePort?: BridgePort
  /** Its state and settings as the port of a bond. */
  bondPort?: BondPort
  /** The number of its group (`group`). */
  linkGroup: number
  /** How many packets wait in a queue that has no limit of its own (`txqueuelen`). */
  txQueueLength: number
  /** How many queues it sends by. */
  numTxQueues: number
  /** How many queues it receives by. */
  numRxQueues: number
  /** The largest packet that it divides into segments, in bytes. */
  gsoMaxSize: number
  /** The most segments of such a packet. */
  gsoMaxSegments: number
  /** The largest packet that arriving segments are joined to, in bytes. Linux 5.19. */
  groMaxSize?: number
  /** The same for IPv4. Linux 6.3. */
  gsoIpv4MaxSize?: number
  /** The same for IPv4. Linux 6.3. */
  groIpv4MaxSize?: number
  /** The other end of a veth or a netkit. */
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
