/**
 * Writes the TypeScript API as one file for each entry, `dist/index.js`, `dist/sandbox/index.js` and others, and the program of
 * the command `nsset`: `npm run build:api`.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { bundleApi, ENTRIES } from './bundle.ts'

for (const entry of ENTRIES) writeFileSync(new URL(`../../dist/${entry}.js`, import.meta.url), bundleApi(entry))

const COMMAND = `#!/usr/bin/env node
import { run } from './command/index.js'
process.stdout.on('error', (error) => {
  // A reader such as head(1) may close the pipe.
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(\`nsset: cannot write to standard output: \${error.message}\\n\`, () => process.exit(1))
})
process.exitCode = await run(process.argv.slice(2))
`

const file = new URL('../../dist/nsset.js', import.meta.url)
writeFileSync(file, COMMAND)
chmodSync(file, 0o755)
