import type { Link, LinkBase, LinkCounter, LinkStatistics } from './link.ts'

/** Counters in a fixed order, without the zeros at the end. One that a number cannot hold is a text. */
type Counters = readonly (number | string)[]

/**
 * @internal A link as the native side returns it. Its counters are in a fixed order, because their names for each link would be
 * half of the text of a list.
 */
export type LinkAnswer<L extends LinkBase = Link> = Omit<L, 'statistics'> & { statistics: Counters }

/** @internal */
export function readLinks(links: Link[]): void {
  for (const link of links as unknown as LinkAnswer[]) readLink<Link>(link)
}

/** @internal Returns the same object, with named counters. */
export function readLink<L extends LinkBase>(answer: LinkAnswer<L>): L {
  const link = answer as unknown as L
  link.statistics = statisticsOf(answer.statistics)
  return link
}

function counter(value: number | string | undefined): LinkCounter {
  if (value === undefined) return 0
  return typeof value === 'number' ? value : BigInt(value)
}

/** In the order of `struct rtnl_link_stats64` of linux/if_link.h. */
function statisticsOf(counters: Counters): LinkStatistics {
  return {
    receivedPackets: counter(counters[0]),
    sentPackets: counter(counters[1]),
    receivedBytes: counter(counters[2]),
    sentBytes: counter(counters[3]),
    receiveErrors: counter(counters[4]),
    sendErrors: counter(counters[5]),
    receiveDropped: counter(counters[6]),
    sendDropped: counter(counters[7]),
    multicast: counter(counters[8]),
    collisions: counter(counters[9]),
    receiveLengthErrors: counter(counters[10]),
    receiveOverErrors: counter(counters[11]),
    receiveCrcErrors: counter(counters[12]),
    receiveFrameErrors: counter(counters[13]),
    receiveFifoErrors: counter(counters[14]),
    receiveMissed: counter(counters[15]),
    sendAborted: counter(counters[16]),
    sendCarrierErrors: counter(counters[17]),
    sendFifoErrors: counter(counters[18]),
    sendHeartbeatErrors: counter(counters[19]),
    sendWindowErrors: counter(counters[20]),
    receiveCompressed: counter(counters[21]),
    sendCompressed: counter(counters[22]),
    receiveUnhandled: counter(counters[23]),
    receiveOtherHost: counter(counters[24]),
  }
}
