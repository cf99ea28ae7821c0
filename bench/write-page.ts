/** `npm run performance -- [FILE]`: copies the result of a run, if a file is given, and writes docs/performance.md. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { PAGE, pageOf, RESULT } from './page.ts'
import { readResult } from './result.ts'

const [file] = process.argv.slice(2)
const page = pageOf(readResult(file ?? RESULT))
if (file !== undefined) copyFileSync(file, RESULT)
writeFileSync(PAGE, page)
