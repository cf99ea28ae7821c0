/** docs/performance.md has the measurements of the benchmark, and nothing else. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PAGE, pageOf, RESULT } from '../../bench/page.ts'
import { readResult } from '../../bench/result.ts'

const result = readResult(RESULT)
const page = readFileSync(PAGE, 'utf8')

describe('docs/performance.md', () => {
  test('matches the result in the repository', () => {
    expect(page).toBe(pageOf(result))
  })

  test('has a row for each measurement, and names missing peers', () => {
    for (const { name } of result.rows) expect(page).toContain(`| ${name} |`)
    for (const [name, reason] of Object.entries(result.missing))
      expect(page).toContain(`**${name}** is missing: ${reason}`)
  })

  test('has every target, and whether it was met', () => {
    const { length } = result.rows.flatMap((row) => row.targets)
    const [, targets = ''] = page.split('\n## Targets\n')
    expect(targets.match(/\| (yes|\*\*no\*\*|not measured) \|$/gm)).toHaveLength(length)
  })

  test('cannot be generated when nsset is slower than a peer, or far above its floor, without an explanation', () => {
    const figures = { median: 2, p95: 2, samples: 1 }
    const row = { suite: 'do', name: 'slow', unit: 'µs', ours: figures, peers: {}, targets: [] } as const
    const made = (more: object) => () => pageOf({ ...result, rows: [{ ...row, targets: [], ...more }] })
    expect(made({ ratio: 1.01 })).toThrow('slower without an explanation: slow')
    expect(made({ overFloor: 1.51 })).toThrow('slower without an explanation: slow')
    expect(made({ overFloor: 1.51, why: 'Because.' })()).toContain('*slow*: Because.')
    expect(made({ ratio: 1, overFloor: 1.5 })()).toContain('| slow |')
  })
})
