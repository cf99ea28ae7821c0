/** Records the code of every nsset error in a test, for `compare-codes.ts` after all tests. */
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { afterAll, expect } from 'vitest'
import { RECORDS } from './compare-codes.ts'

const directory = process.env[RECORDS]
const codes = new Set<string>()

subscribe('nsset:error', (message) => {
  codes.add((message as { error: NodeJS.ErrnoException }).error.code ?? 'none')
})

afterAll(() => {
  if (directory === undefined || codes.size === 0) return
  const { testPath = 'unknown' } = expect.getState()
  writeFileSync(`${directory}/${process.pid}`, JSON.stringify({ testPath, codes: [...codes] }))
})
