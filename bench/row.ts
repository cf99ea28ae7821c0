/** One row of the result: the operation, the times of nsset, its floor and its peers, and its targets. */
import type { Figures } from './measure.ts'

export type Unit = 'µs' | 'ms' | 'MB' | 'KiB' | 'threads' | 'descriptors'

export interface Row {
  name: string
  unit: Unit
  ours: Figures
  /** The bare system calls, or the bare process: the minimum for nsset. */
  floor?: Floor
  /** The times of peers for the same; null if one is missing. */
  peers: Record<string, Figures | null>
  work?: Work
  targets: Target[]
  /** The explanation of a figure. The page requires it if nsset is slower. */
  why?: string
}

export interface Floor extends Figures {
  /** What it is, in a few words. */
  is: string
}

/** The amount of work: rows of one series show how the cost grows with it. */
export interface Work {
  series: string
  of: string
  amount: number
}

/**
 * The maximum of the time of nsset, of its 95th percentile, of its difference to the floor, of its ratio to the floor, to the least work
 * of the series, or to a peer.
 */
export type Target =
  | { of: 'ours' | 'p95' | 'excess' | 'floor' | 'growth'; most: number }
  | { of: 'peer'; name: string; most: number }

/** The ratio to its floor. */
export function overFloor({ ours, floor }: Row): number | undefined {
  return floor === undefined ? undefined : ours.median / floor.median
}

/** The fastest peer, if any. */
export function fastestPeer({ peers }: Row): { name: string; median: number } | undefined {
  return Object.entries(peers)
    .flatMap(([name, figures]) => (figures === null ? [] : [{ name, median: figures.median }]))
    .toSorted((a, b) => a.median - b.median)[0]
}

/** The ratio to the fastest peer. */
export function ratioOf(row: Row): number | undefined {
  const fastest = fastestPeer(row)
  return fastest === undefined ? undefined : row.ours.median / fastest.median
}

/** How the cost has grown since the row of the same series with the least work, and from which amount to which. */
export interface Growth {
  cost: number
  from: number
  to: number
  of: string
}

export function growthOf(row: Row, rows: readonly Row[]): Growth | undefined {
  const { work } = row
  if (work === undefined) return undefined
  const least = rows
    .filter((other) => other.work?.series === work.series)
    .toSorted((a, b) => (a.work?.amount ?? 0) - (b.work?.amount ?? 0))[0]
  if (least === undefined || least === row || least.work === undefined) return undefined
  return { cost: row.ours.median / least.ours.median, from: least.work.amount, to: work.amount, of: work.of }
}

/** The value for a target: undefined if the peer, or the floor, is missing. */
export function measuredFor(target: Target, row: Row, rows: readonly Row[]): number | undefined {
  switch (target.of) {
    case 'ours':
      return row.ours.median
    case 'p95':
      return row.ours.p95
    case 'excess':
      return row.floor && row.ours.median - row.floor.median
    case 'floor':
      return overFloor(row)
    case 'growth':
      return growthOf(row, rows)?.cost
    case 'peer': {
      const peer = row.peers[target.name]
      return peer ? row.ours.median / peer.median : undefined
    }
  }
}

export function describeTarget(target: Target, { unit, work }: Row): string {
  switch (target.of) {
    case 'ours':
      return `at most ${target.most} ${unit}`
    case 'p95':
      return `at most ${target.most} ${unit} at the 95th percentile`
    case 'excess':
      return `at most ${target.most} ${unit} over the floor`
    case 'floor':
      return `at most ${target.most} times the floor`
    case 'growth':
      return `at most ${target.most} times the cost with the least ${work?.of ?? 'work'}`
    case 'peer':
      return `at most ${target.most} times ${target.name}`
  }
}
