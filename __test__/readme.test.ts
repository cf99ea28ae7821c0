/** What the README shows is so: its first example runs, as root and as an ordinary user. */
import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { expect, test } from 'vitest'
import { runPlainNode } from './setup/plain-node.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the first example', async () => {
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const { code } = await transform(example, { loader: 'ts', format: 'esm', target: 'node20' })
  const { stdout, stderr } = await runPlainNode(code)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^NamespaceSet\(net:\[\d+\] user:\[\d+\] uts:\[\d+\]\) root\ninside\nlo .*127\.0\.0\.1\/8/)
})
