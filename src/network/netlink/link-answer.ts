import type { Link, LinkBase, LinkStatistics } from './link.ts'

type Ten<T> = readonly [T, T, T, T, T, T, T, T, T, T]
type Counters = Ten<number>

/**
 * @internal A link as the native side tells of it: its counters come as numbers in their order, since their names, ten for
 * each link, were half of the text of a list.
 */
export type LinkAnswer<L extends LinkBase = Link> = Omit<L, 'statistics'> & { statistics: Counters }

/** @internal */
export function readLinks(links: LinkAnswer[]): Link[] {
  return links.map(readLink<Link>)
}

/** @internal The same object, with its counters by their names. */
export function readLink<L extends LinkBase>(answer: LinkAnswer<L>): L {
  const link = answer as unknown as L
  link.statistics = statisticsOf(answer.statistics)
  return link
}

/** In the order of `Statistics` of crates/nsset-net. By their places: to take an array apart is several times as slow. */
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
