/** The README is correct: its examples run, as root and as an ordinary user, and its commands are those of CI. */
import { expect, test } from 'vitest'
import { blocksOf, isInstallation, snippetsOf, textOf } from '../../scripts/pages/pages.ts'
import { README_EXAMPLE, README_OUTPUT } from '../../scripts/pages/readme-example.ts'
import { compile } from '../setup/package/compile.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'

const blocks = blocksOf('README.md')
const programs = blocks.filter(({ language }) => language === 'ts')
const [examples, overviews] = [programs.slice(0, 3), programs.slice(3)]
const commands = blocks.filter(({ language }) => language === 'sh')

test('the first example runs', async () => {
  const { stdout, stderr } = await runPlainNode(README_EXAMPLE)
  expect(stderr).toBe('')
  expect(stdout).toMatch(README_OUTPUT)
})

test.each(snippetsOf(examples.slice(1)))('the example at $place runs, without using', async ({ code, output }) => {
  expect(output).not.toBe('')
  expect(await runPlainNode(code)).toMatchObject({ stdout: output, stderr: '', code: 0 })
})

/** Declarations that the overview assumes. It covers everything, and no single scope has all that it needs. */
const TAKEN = `
import fs from 'node:fs'
import http from 'node:http'
import { action, NamespacePool, NamespaceSet, namespaces, netns } from 'nsset'
declare const set: NamespaceSet, other: NamespaceSet, router: NamespaceSet, host: NamespaceSet, id: bigint, handler: http.RequestListener
declare const privateKey: string, publicKey: string, endpoint: string
`

test('the overview compiles, with the settings of the project', () => {
  expect(overviews).toHaveLength(1)
  for (const { place, code } of overviews) {
    const [complaints] = [...compile(new Map([[`${place}.mts`, `${TAKEN}${code}`]])).values()]
    expect(complaints).toEqual([])
  }
}, 120_000)

test('its commands install, build and run what CI runs', () => {
  const texts = blocks.filter(({ language }) => language === 'text').map(({ code }) => code)
  expect(texts).toEqual(['npm install nsset\n'])
  expect(blocks.length).toBe(commands.length + programs.length + texts.length)
  const ran = [...textOf('.ci/run').matchAll(/readme_command '([^']+)'|'(npm run demo)'/g)].map(([, a, b]) => a ?? b)
  for (const block of commands) {
    expect(isInstallation(block), block.place).toBe(true)
    const [, last] = /^npm install && npm run build && (.*)\n$/.exec(block.code) ?? []
    expect(ran, block.place).toContain(last)
  }
})
