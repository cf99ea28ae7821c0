/** Runs the benchmarks: `npm run bench -- [SUITE…] [--json FILE]`. Ends with 1 when a row is over its limit. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeLimit, isWithinLimit, type Row, ratioOf } from './row.ts'

const NATIVE = new URL('native/', import.meta.url)

// The binding with the bare system calls in it, for the face as well: one binding, one process.
const binary = readdirSync(NATIVE).find((name) => name.endsWith('.node'))
if (binary === undefined) throw new Error('there is no binary to measure: npm run build:bare')
process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] = fileURLToPath(new URL(binary, NATIVE))

const SUITES = {
  do: () => import('./suites/do.ts'),
  sets: () => import('./suites/sets.ts'),
  unshare: () => import('./suites/unshare.ts'),
  spawn: () => import('./suites/spawn.ts'),
  pool: () => import('./suites/pool.ts'),
  network: () => import('./suites/network.ts'),
  sockets: () => import('./suites/sockets.ts'),
  start: () => import('./suites/start.ts'),
}

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
const chosen = positionals.length > 0 ? positionals : Object.keys(SUITES)
const rows: Row[] = []
for (const name of chosen) {
  const load = SUITES[name as keyof typeof SUITES]
  if (load === undefined) throw new Error(`there is no suite '${name}'; there are ${Object.keys(SUITES).join(', ')}`)
  rows.push(...(await (await load()).suite()))
}

const number = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))
console.table(
  rows.map((row) => ({
    operation: row.name,
    unit: row.unit,
    nsset: number(row.ours),
    p95: number(row.p95),
    floor: number(row.floor),
    ratio: number(ratioOf(row)),
    limit: describeLimit(row),
    'within it': isWithinLimit(row) ? 'yes' : 'NO',
  })),
)
if (values.json !== undefined) {
  const version = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release() }
  const versions = { nsset: version, node: process.version }
  const withRatios = rows.map((row) => ({ ...row, ratio: ratioOf(row) }))
  writeFileSync(values.json, `${JSON.stringify({ machine, versions, rows: withRatios }, null, 2)}\n`)
}
process.exitCode = rows.every(isWithinLimit) ? 0 : 1
