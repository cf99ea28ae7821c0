/** What the README shows is so: its first example runs, as root and as an ordinary user, and so do its commands. */
import { expect, test } from 'vitest'
import { compile } from '../setup/package/compile.ts'
import { blocksOf, isInstallation, textOf } from '../setup/pages/pages.ts'
import { README_EXAMPLE, README_OUTPUT } from '../setup/pages/readme-example.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'

const blocks = blocksOf('README.md')
const [, ...overviews] = blocks.filter(({ language }) => language === 'ts')
const commands = blocks.filter(({ language }) => language === 'sh')

test('the first example', async () => {
  const { stdout, stderr } = await runPlainNode(README_EXAMPLE)
  expect(stderr).toBe('')
  expect(stdout).toMatch(README_OUTPUT)
})

/** What the overview takes to be there. It goes through everything, and no one place has all that it wants. */
const TAKEN = `
import fs from 'node:fs'
import http from 'node:http'
import { action, NamespacePool, NamespaceSet, netns } from 'nsset'
declare const set: NamespaceSet, other: NamespaceSet, handler: http.RequestListener
declare const privateKey: string, publicKey: string, endpoint: string
`

test('the overview compiles, with the settings of the project', () => {
  expect(overviews).toHaveLength(1)
  for (const { place, code } of overviews) {
    const [complaints] = [...compile(new Map([[`${place}.mts`, `${TAKEN}${code}`]])).values()]
    expect(complaints).toEqual([])
  }
})

test('its commands install, build and run what CI runs', () => {
  expect(blocks.length).toBe(commands.length + 1 + overviews.length)
  const ran = [...textOf('.ci/run').matchAll(/readme_command '([^']+)'|'(npm run demo)'/g)].map(([, a, b]) => a ?? b)
  for (const block of commands) {
    expect(isInstallation(block), block.place).toBe(true)
    const [, last] = /^npm install && npm run build && (.*)\n$/.exec(block.code) ?? []
    expect(ran, block.place).toContain(last)
  }
})
