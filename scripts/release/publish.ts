/**
 * Publishes what `npm run pack:release` has packed: `npm run release:publish -- [--from DIRECTORY] [--dry-run]`.
 *
 * The binaries go first: who installs the package when it appears has to find them. What is published already is left
 * out, so that a release that broke off can be run again. It imports nothing but Node.js, from 22.18 on, as it is run
 * where one may publish.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

interface Manifest {
  name: string
  version: string
}

const { values } = parseArgs({
  options: { from: { type: 'string', default: 'packed' }, 'dry-run': { type: 'boolean', default: false } },
})
const tarballs = readdirSync(values.from).filter((name) => name.endsWith('.tgz'))
if (tarballs.length === 0) throw new Error(`${values.from} has no tarballs: npm run pack:release -- --all makes them`)
const packages = tarballs.map((name) => {
  const file = join(values.from, name)
  return { file, ...manifestIn(file) }
})
for (const { file, name, version } of packages.toSorted((a, b) => Number(isMain(a)) - Number(isMain(b)))) {
  if (isPublished(name, version)) console.log(`${name}@${version} is published already`)
  else publish(file)
}

/** The package that depends on the others. */
function isMain({ name }: Manifest): boolean {
  return packages.every((other) => other.name.startsWith(name))
}

function manifestIn(file: string): Manifest {
  return JSON.parse(execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8', timeout: 20_000 }))
}

function isPublished(name: string, version: string): boolean {
  const { status, stdout, error } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (error !== undefined) throw error
  if (status === 0) return stdout.includes(version)
  if (stdout.includes('"E404"')) return false
  throw new Error(`npm view ${name}@${version} has failed: ${stdout}`)
}

function publish(file: string): void {
  const options = ['--provenance', '--access', 'public', ...(values['dry-run'] ? ['--dry-run'] : [])]
  // Without './' npm would take it for a repository of GitHub.
  execFileSync('npm', ['publish', file.startsWith('/') ? file : `./${file}`, ...options], {
    stdio: 'inherit',
    timeout: 120_000,
  })
}
