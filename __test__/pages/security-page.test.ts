/** SECURITY.md: every promise names its tests, and they exist. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'))

test('every promise names its tests, which exist', () => {
  expect(rows.length).toBeGreaterThan(8)
  for (const row of rows) {
    const [promise, tests = ''] = row.split('|').slice(1)
    const names = [...tests.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
    expect(names, promise).not.toEqual([])
    for (const name of names) {
      expect(existsSync(fileURLToPath(new URL(`../${name}.test.ts`, import.meta.url))), name).toBe(true)
    }
  }
})
