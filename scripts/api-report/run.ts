/**
 * Writes the report on the public types: `npm run api`. With `--check` it writes nothing, and fails, with the
 * difference, unless the report is as the types are; in the current directory.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { API_REPORT } from './place.ts'
import { apiReport } from './report.ts'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const root = process.cwd()
const report = apiReport(root)
const file = join(root, API_REPORT)

if (values.check) check()
else {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, report)
}

function check(): void {
  if (!existsSync(file)) throw new Error(`${API_REPORT} is not there: npm run api writes it`)
  const args = ['diff', '--no-index', '--exit-code', '--', API_REPORT, '-']
  const { status } = spawnSync('git', args, {
    cwd: root,
    input: report,
    stdio: ['pipe', 'inherit', 'inherit'],
    timeout: 60_000,
  })
  if (status === 0) return
  console.error(`${API_REPORT} is not what the public types are: run npm run api, and tell of it in CHANGELOG.md`)
  process.exitCode = 1
}
