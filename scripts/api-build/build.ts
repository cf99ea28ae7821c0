/** Writes the TypeScript API as one file, `dist/index.js`: `npm run build:api`. */
import { writeFileSync } from 'node:fs'
import { bundleApi } from './bundle.ts'

writeFileSync(new URL('../../dist/index.js', import.meta.url), bundleApi())
