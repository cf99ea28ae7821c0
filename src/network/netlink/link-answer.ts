import type { Link, LinkBase, LinkStatistics } from './link.ts'

type Ten<T> = readonly [T, T, T, T, T, T, T, T, T, T]
type Counters = Ten<number>

/**
 * @internal A link as the native side returns it. Its counters are numbers in a fixed order, because ten names for each link
 * would be half of the text of a list.
 */
export type LinkAnswer<L extends LinkBase = Link> = Omit<L, 'statistics'> & { statistics: Counters }

/** @internal */
export function readLinks(links: LinkAnswer[]): Link[] {
  return links.map(readLink<Link>)
}

/** @internal Returns the same object, with named counters. */
export function readLink<L extends LinkBase>(answer: LinkAnswer<L>): L {
  const link = answer as unknown as L
  link.statistics = statisticsOf(answer.statistics)
  return link
}

/** In the order of `Statistics` in crates/nsset-net. By index: destructuring an array is several times slower. */
function statisticsOf(counters: Counters): LinkStatistics {
  return {
    receivedPackets: counters[0],
    sentPackets: counters[1],
    receivedBytes: counters[2],
    sentBytes: counters[3],
    receiveErrors: counters[4],
    sendErrors: counters[5],
    receiveDropped: counters[6],
    sendDropped: counters[7],
    multicast: counters[8],
    collisions: counters[9],
  }
}
