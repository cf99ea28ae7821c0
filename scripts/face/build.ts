/** Writes the face, `dist/index.js`: `npm run build:face`. */
import { writeFileSync } from 'node:fs'
import { bundleFace } from './bundle.ts'

writeFileSync(new URL('../../dist/index.js', import.meta.url), bundleFace())
