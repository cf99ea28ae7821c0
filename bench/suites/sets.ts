/** What it costs to hold sets. */
import { NamespaceSet } from 'nsset'
import { interleave, microseconds } from '../measure.ts'
import type { Row } from '../row.ts'

export async function suite(): Promise<Row[]> {
  using set = NamespaceSet.current()
  const figures = await interleave(
    [
      { name: 'current(), close()', sample: () => microseconds(() => NamespaceSet.current().close(), 500) },
      { name: 'dup(), close()', sample: () => microseconds(() => set.dup().close(), 500) },
    ],
    60,
  )
  const limits = new Map([
    ['current(), close()', 20],
    ['dup(), close()', 7],
  ])
  return [...figures].map(([name, { median, p95, samples }]) => {
    return { name, unit: 'µs', ours: median, p95, samples, limit: { of: 'ours', most: limits.get(name) ?? 0 } }
  })
}
