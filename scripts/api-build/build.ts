/** Writes the TypeScript API as one file for each entry, `dist/index.js` and `dist/sandbox/index.js`: `npm run build:api`. */
import { writeFileSync } from 'node:fs'
import { bundleApi, ENTRIES } from './bundle.ts'

for (const entry of ENTRIES) writeFileSync(new URL(`../../dist/${entry}.js`, import.meta.url), bundleApi(entry))
