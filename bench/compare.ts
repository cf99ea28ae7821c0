/** Measures nsset, its floor and its peers, interleaved, and creates a row. */
import { type Figures, interleave, type Sample } from './measure.ts'
import type { Row } from './row.ts'

export interface Comparison extends Pick<Row, 'name' | 'unit' | 'work' | 'why'> {
  ours: Sample
  floor?: { is: string; sample: Sample }
  /** Undefined if the peer is missing. */
  peers?: Record<string, Sample | undefined>
  rounds: number
  targets?: Row['targets']
}

export async function compare(comparison: Comparison): Promise<Row> {
  const { name, unit, work, why, ours, floor, peers = {}, rounds, targets = [] } = comparison
  const present = Object.entries(peers).filter((entry): entry is [string, Sample] => entry[1] !== undefined)
  // Peers are named after programs, so that these names are free.
  const ways: Record<string, Sample> = { ours, ...(floor && { floor: floor.sample }), ...Object.fromEntries(present) }
  const figures: Record<string, Figures> = await interleave(ways, rounds)
  return {
    name,
    unit,
    ours: figures['ours'] as Figures,
    ...(floor && { floor: { is: floor.is, ...(figures['floor'] as Figures) } }),
    peers: Object.fromEntries(Object.keys(peers).map((peer) => [peer, figures[peer] ?? null])),
    ...(work && { work }),
    targets,
    ...(why !== undefined && { why }),
  }
}
