/** Bundles a module of the project into one file, as users bundle their programs. */
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export function bundle(entry: string, outfile: string, external = ['nsset']): void {
  const how = { bundle: true, platform: 'node', target: 'node20', format: 'esm' } as const
  buildSync({ absWorkingDir: ROOT, entryPoints: [entry], outfile, external, ...how })
}
