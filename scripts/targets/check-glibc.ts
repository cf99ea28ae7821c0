/** Says which glibc the binaries in `npm/`, or those that are named, need; fails when it is too new: `npm run check:glibc`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkGlibc, newestGlibc } from './glibc.ts'
import { binaryOf, TARGETS } from './targets.ts'

const PROJECT = join(import.meta.dirname, '../..')

const named = process.argv.slice(2)
const built = TARGETS.filter(({ abi }) => abi === 'gnu')
  .map(binaryOf)
  .filter((binary) => existsSync(join(PROJECT, binary)))
const binaries = named.length > 0 ? named : built.map((binary) => join(PROJECT, binary))
if (binaries.length === 0) throw new Error('nothing is built: npm run build:target -- TARGET')
for (const binary of binaries) {
  console.log(`${binary}: glibc ${newestGlibc(binary)}`)
  checkGlibc(binary)
}
