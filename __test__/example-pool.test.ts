/** `examples/pool.ts` runs, and says what it is to say. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

test('each request has a network of its own, which was ready', () => {
  const stdout = execFileSync(process.execPath, ['--import', 'tsx', 'examples/pool.ts'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 25_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  expect(stdout).toMatch(/^4 networks are ready\n/)
  const networks = [...stdout.matchAll(/^(\w+) in (net:\[\d+\]): 127\.0\.0\.1\/8 10\.0\.0\.1\/8/gm)]
  expect(networks.map(([, request]) => request)).toEqual(['red', 'green', 'blue', 'white', 'black'])
  expect(new Set(networks.map(([, , network]) => network)).size).toBe(5)
  expect(stdout).toMatch(/put back, and given out again\n$/)
})
