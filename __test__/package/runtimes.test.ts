/** What works in Bun and in Deno: each cell of the table in docs/runtimes.md is the outcome of a program there. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BundledApp, bundledApp } from '../setup/package/bundled-app.ts'
import { FEATURES, programOf } from '../setup/package/runtime-features.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** How each runs a file; those from npm are in the directory of this variable, or among the project's dependencies. */
const COMMANDS: Record<string, string[] | undefined> = {
  'Node.js': [process.execPath],
  Bun: commandOf('bun'),
  Deno: commandOf('deno', 'run', '--allow-all', '--quiet'),
}

function commandOf(program: string, ...args: string[]): string[] | undefined {
  const given = process.env['NSSET_TEST_RUNTIMES']
  const directories = [...(given ? [given] : []), join(ROOT, 'node_modules/.bin')]
  const path = [...directories, ...(process.env['PATH'] ?? '').split(delimiter)]
    .map((directory) => join(directory, program))
    .find(existsSync)
  return path === undefined ? undefined : [path, ...args]
}

interface Row {
  feature: string
  /** By runtime. */
  cells: Record<string, string>
}

function readTable(): Row[] {
  const lines = readFileSync(join(ROOT, 'docs/runtimes.md'), 'utf8').split('\n')
  const [head = [], , ...rows] = lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  return rows.map(([feature = '', ...cells]) => ({
    feature: feature.replaceAll('`', ''),
    cells: Object.fromEntries(cells.map((cell, at) => [head[at + 1] ?? '', cell])),
  }))
}

const table = readTable()

test('the table has a row for each feature, and a column for each runtime', () => {
  expect(table.map(({ feature }) => feature)).toEqual(Object.keys(FEATURES))
  for (const { cells } of table) expect(Object.keys(cells)).toEqual(Object.keys(COMMANDS))
})

describe.each(Object.keys(COMMANDS))('in %s', (runtime) => {
  let app: BundledApp
  beforeAll(() => {
    app = bundledApp()
  })
  afterAll(() => app[Symbol.dispose]())

  test.for(table)('$feature does what the table says', async ({ feature, cells }, context) => {
    if (COMMANDS[runtime] === undefined) return context.skip(`needs the npm package ${runtime.toLowerCase()}`)
    expect(await outcomeOf(app, feature, runtime)).toBe(cells[runtime])
  })
})

/** The text of the cell: `works`, `refuses`, or another outcome. */
async function outcomeOf(app: BundledApp, feature: string, runtime: string): Promise<string> {
  const command = COMMANDS[runtime] ?? []
  const { value, code, signal, stderr } = await app.run(programOf(feature), {
    command,
    env: { PEER_NODE: process.execPath },
    timeout: 20_000,
  })
  const { works, code: failure, message } = (value ?? {}) as { works?: unknown; code?: string; message?: string }
  if (works === true) return 'works'
  if (failure === 'ERR_NSSET_UNSUPPORTED_PLATFORM') return 'refuses'
  return message ?? `ends with ${signal ?? code}, after ${JSON.stringify(works)}: ${stderr}`
}
