/**
 * Publishes the packages from `npm run pack:release`: `npm run release:publish -- [--from DIRECTORY] [--dry-run]`.
 *
 * The binaries come first, so that they exist when the package does. Published packages are
 * skipped, so that an interrupted release can be continued. It imports only modules of Node.js, from 22.18 on, since
 * it runs without installed packages.
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
if (tarballs.length === 0)
  throw new Error(`${values.from} has no tarballs; create them with npm run pack:release -- --all`)
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
  throw new Error(`npm view ${name}@${version} failed: ${stdout}`)
}

function publish(file: string): void {
  const options = ['--provenance', '--access', 'public', ...(values['dry-run'] ? ['--dry-run'] : [])]
  // Without './' npm would take it for a GitHub repository.
  execFileSync('npm', ['publish', file.startsWith('/') ? file : `./${file}`, ...options], {
    stdio: 'inherit',
    timeout: 120_000,
  })
}
