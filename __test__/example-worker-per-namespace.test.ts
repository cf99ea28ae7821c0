/** `examples/worker-per-namespace.ts` runs, and says what it is to say. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { asRoot } from './setup/privilege.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

asRoot('each tenant has a server of its own on the same port', 'a thread of an ordinary user may not enter', () => {
  const stdout = execFileSync(process.execPath, ['--import', 'tsx', 'examples/worker-per-namespace.ts'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 25_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  expect(stdout).toMatch(/^3 servers on port 80/)
  const answers = [...stdout.matchAll(/^(\w+) +(net:\[\d+\]) {2}Good day from (\w+) at host-of-(\w+)$/gm)]
  for (const name of ['red', 'green', 'blue']) {
    expect(answers.filter((answer) => answer.slice(1).filter((word) => word === name).length === 3).length).toBe(1)
  }
  expect(new Set(answers.map(([, , network]) => network)).size).toBe(3)
  expect(stdout).toMatch(/\noutside, /)
})
