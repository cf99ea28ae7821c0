/**
 * Installs the packages from `npm run pack:release` in a container, and uses them: `npm run release:try -- IMAGE`.
 *
 * IMAGE has Node.js, such as `node:20-alpine`. The container has no network: only the tarballs.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  options: { from: { type: 'string', default: 'packed' } },
  allowPositionals: true,
})
const [image] = positionals
if (image === undefined) throw new RangeError('an image is required: npm run release:try -- node:20-alpine')
const from = resolve(values.from)
if (!readdirSync(from).some((name) => name.endsWith('.tgz'))) throw new Error(`${from} has no tarballs`)
const options = [
  ...['--rm', '--network=none', `--volume=${from}:/packed:ro`, `--volume=${import.meta.dirname}:/try:ro`],
  // Otherwise the engine forbids new namespaces.
  ...['--security-opt=seccomp=unconfined', '--security-opt=apparmor=unconfined'],
]
execFileSync('docker', ['run', ...options, image, 'sh', '/try/try-inside'], {
  stdio: 'inherit',
  timeout: 300_000,
})
