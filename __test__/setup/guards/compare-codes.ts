/** After all tests: fails for an error code that a test has met and that the page of errors does not have. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The variable with the directory in which each process of the tests records its codes. */
export const RECORDS = 'NSSET_TEST_CODES'

const PAGE = fileURLToPath(new URL('../../../docs/errors.md', import.meta.url))

export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-codes-'))
  process.env[RECORDS] = directory
  return () => {
    const records = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'))
    rmSync(directory, { recursive: true })
    const missing = undocumented(records.map((record) => JSON.parse(record) as Record))
    if (missing.length === 0) return
    // vitest prints an error thrown here, and does not fail for it.
    process.exitCode = 1
    throw new Error(`docs/errors.md lacks codes that tests have met:\n${missing.join('\n')}`)
  }
}

interface Record {
  testPath: string
  codes: string[]
}

/** Each code that the page does not have, and the test that met it. */
export function undocumented(records: readonly Record[]): string[] {
  const page = readFileSync(PAGE, 'utf8')
  return records.flatMap(({ testPath, codes }) =>
    codes.filter((code) => !page.includes(`\`${code}\``)).map((code) => `${code} (${testPath})`),
  )
}
