/** Runs the benchmarks: `npm run bench -- [SUITE…] [--json FILE]`. Exits with 1 when a target is not met. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { resultOf, writeResult } from './result.ts'
import type { Row } from './row.ts'
import { printTables, unmetTargets } from './table.ts'

const NATIVE = new URL('native/', import.meta.url)

// The binding with the bare system calls in it, for the face as well: one binding, one process.
const binary = readdirSync(NATIVE).find((name) => name.endsWith('.node'))
if (binary === undefined) throw new Error('no binary to measure: npm run build:bare')
process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] = fileURLToPath(new URL(binary, NATIVE))

type Suite = () => Promise<{ suite: () => Promise<Row[]> }>

const SUITES: Record<string, Suite> = {
  do: () => import('./suites/do.ts'),
  sets: () => import('./suites/sets.ts'),
  unshare: () => import('./suites/unshare.ts'),
  netns: () => import('./suites/netns.ts'),
  spawn: () => import('./suites/spawn.ts'),
  pool: () => import('./suites/pool.ts'),
  network: () => import('./suites/network.ts'),
  sockets: () => import('./suites/sockets.ts'),
  start: () => import('./suites/start.ts'),
}

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
const chosen = positionals.length > 0 ? positionals : Object.keys(SUITES)
const suites = chosen.map((name) => {
  const load = SUITES[name]
  if (load === undefined) throw new Error(`unknown suite '${name}'; the suites are ${Object.keys(SUITES).join(', ')}`)
  return { name, load }
})
const rows = new Map<string, Row[]>()
for (const { name, load } of suites) rows.set(name, await (await load()).suite())

const result = resultOf(rows)
printTables(result)
if (values.json !== undefined) writeResult(values.json, result)
process.exitCode = unmetTargets(result.rows).length === 0 ? 0 : 1
