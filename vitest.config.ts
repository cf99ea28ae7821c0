import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const report = process.env['NSSET_TEST_REPORT']

export default defineConfig({
  cacheDir: `${tmpdir()}/nsset-vitest-${process.getuid?.()}`,
  resolve: {
    alias: [
      { find: /^nsset$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) },
      { find: 'nsset/sandbox', replacement: fileURLToPath(new URL('src/sandbox/index.ts', import.meta.url)) },
      { find: 'nsset/testing', replacement: fileURLToPath(new URL('src/testing/index.ts', import.meta.url)) },
    ],
  },
  test: {
    include: ['__test__/**/*.test.ts'],
    setupFiles: ['thread-guard', 'record-codes', 'leak-guard'].map((name) => `__test__/setup/guards/${name}.ts`),
    globalSetup: ['__test__/setup/guards/compare-codes.ts'],
    // Each file in a process of its own: a thread that one test leaves inside must not reach another's.
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // CI shares its processors: there a failed test is tried again a little later, and CI lists each one, with its error.
    retry: { count: Number(process.env['NSSET_TEST_RETRY'] ?? 0), delay: 1_000 },
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
  },
})
