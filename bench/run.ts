/** Runs the benchmarks. Exits with 1 when a target is not met. */
import { parseArgs } from 'node:util'
import { resultOf, writeResult } from './result.ts'
import type { Row } from './row.ts'
import { printTables, unmetTargets } from './table.ts'

type Suite = () => Promise<{ suite: () => Promise<Row[]> }>

const SUITES: Record<string, Suite> = {
  do: () => import('./suites/do.ts'),
  sets: () => import('./suites/sets.ts'),
  unshare: () => import('./suites/unshare.ts'),
  netns: () => import('./suites/netns.ts'),
  spawn: () => import('./suites/spawn.ts'),
  pool: () => import('./suites/pool.ts'),
  namespaces: () => import('./suites/namespaces.ts'),
  scale: () => import('./suites/scale.ts'),
  network: () => import('./suites/network/links.ts'),
  entries: () => import('./suites/network/entries.ts'),
  watching: () => import('./suites/network/watching.ts'),
  firewall: () => import('./suites/network/firewall.ts'),
  sockets: () => import('./suites/sockets.ts'),
  ways: () => import('./suites/ways.ts'),
  sandbox: () => import('./suites/sandbox.ts'),
  busy: () => import('./suites/busy.ts'),
  start: () => import('./suites/start.ts'),
}

const USAGE = `npm run bench -- [SUITE…] [--json FILE]
suites: ${Object.keys(SUITES).join(', ')}; all of them by default`

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, help: { type: 'boolean' } },
  allowPositionals: true,
})
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const chosen = positionals.length > 0 ? positionals : Object.keys(SUITES)
const suites = chosen.map((name) => {
  const load = SUITES[name]
  if (load === undefined) throw new Error(`unknown suite '${name}': ${USAGE}`)
  return { name, load }
})
const rows = new Map<string, Row[]>()
for (const { name, load } of suites) {
  try {
    rows.set(name, await (await load()).suite())
  } catch (error) {
    // The others took minutes.
    console.error(`the suite '${name}' failed:`, error)
  }
}

const result = resultOf(rows)
printTables(result)
if (values.json !== undefined) writeResult(values.json, result)
process.exitCode = unmetTargets(result.rows).length === 0 && rows.size === suites.length ? 0 : 1
