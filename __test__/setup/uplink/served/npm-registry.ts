/** A registry of npm with packages that are made for a test. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { TemporaryDirectory } from '../../sets/temporary-directory.ts'
import type { Files } from './files.ts'

const VERSION = '1.0.0'

/** The package `main`, and as many others that it depends on. */
export function npmRegistry(host: string, count: number, directory: TemporaryDirectory): Files {
  const others = Array.from({ length: count }, (_, index) => `dependency-${index}`)
  const manifests = [
    { name: 'main', version: VERSION, dependencies: Object.fromEntries(others.map((name) => [name, VERSION])) },
    ...others.map((name) => ({ name, version: VERSION })),
  ]
  return new Map(
    manifests.flatMap((manifest) => {
      const tarball = tarballOf(manifest, directory)
      const path = `${host}/${manifest.name}/-/${manifest.name}-${VERSION}.tgz`
      const dist = {
        tarball: `https://${path}`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      }
      // See https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
      const metadata = {
        name: manifest.name,
        'dist-tags': { latest: VERSION },
        versions: { [VERSION]: { ...manifest, dist } },
      }
      return [
        [`${host}/${manifest.name}`, Buffer.from(JSON.stringify(metadata))],
        [path, tarball],
      ] as const
    }),
  )
}

function tarballOf(manifest: { name: string }, directory: TemporaryDirectory): Buffer {
  const place = directory.file(manifest.name)
  mkdirSync(`${place}/package`, { recursive: true })
  writeFileSync(`${place}/package/package.json`, JSON.stringify(manifest))
  execFileSync('tar', ['-czf', `${place}.tgz`, '-C', place, 'package'], { timeout: 20_000 })
  return readFileSync(`${place}.tgz`)
}
