import { expect, test } from 'vitest'
import { libc } from '../../src/native/libc.ts'

test('the C library is the one that Node.js itself reports', () => {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  expect(libc()).toBe(header.glibcVersionRuntime === undefined ? 'musl' : 'gnu')
})
