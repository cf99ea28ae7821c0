/** A package registry on 127.0.0.1 that has the packages of a release, and nothing else. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../sets/temporary-directory.ts'
import { manifestIn, packRelease, type Release } from './release.ts'

const BINARIES = fileURLToPath(new URL('../../../npm', import.meta.url))
/** Package managers do not trust packages that are only hours old. */
const PUBLISHED = '2020-01-01T00:00:00.000Z'

export interface Registry extends AsyncDisposable {
  readonly url: string
  /** The manifests, by package name. */
  readonly tarballs: ReadonlyMap<string, string>
  /** The packages whose tarballs were downloaded since the last call, sorted. */
  downloads(): string[]
}

interface Package {
  manifest: Record<string, unknown>
  tarball: Buffer
}

/** Packs a release, and starts its registry. A package whose binary is not built here has a text file in its place. */
export async function startRegistry(): Promise<Registry> {
  const release = packRelease()
  const packages = new Map(readPackages(release).map((each) => [String(each.manifest['name']), each]))
  const downloads = new Set<string>()
  const server = createServer((request, response) => {
    const [, name = '', file] = /^\/([\w-]+)(?:\/-\/([\w.-]+))?$/.exec(request.url ?? '') ?? []
    const found = packages.get(name)
    if (found === undefined || request.method !== 'GET') return answer(response, 404, {})
    if (file === undefined) return answer(response, 200, packument(found, request))
    downloads.add(name)
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(found.tarball)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    tarballs: release.tarballs,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    downloads: () => {
      const names = [...downloads].sort()
      downloads.clear()
      return names
    },
    [Symbol.asyncDispose]: async () => {
      release[Symbol.dispose]()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function readPackages({ tarballs }: Release): Package[] {
  using directory = temporaryDirectory()
  const names = ['nsset', ...readdirSync(BINARIES).map((name) => `nsset-${name}`)]
  return names.map((name) => {
    const tarball = tarballs.get(name) ?? standIn(name, directory.file(name))
    return { manifest: manifestIn(tarball), tarball: readFileSync(tarball) }
  })
}

function standIn(name: string, place: string): string {
  const source = name.replace('nsset-', `${BINARIES}/`)
  const { main } = JSON.parse(readFileSync(`${source}/package.json`, 'utf8')) as { main: string }
  cpSync(source, `${place}/package`, { recursive: true })
  writeFileSync(`${place}/package/${main}`, 'no binary\n')
  const tarball = `${place}.tgz`
  execFileSync('tar', ['-czf', tarball, '-C', place, 'package'], { timeout: 20_000 })
  return tarball
}

/** See https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function packument({ manifest, tarball }: Package, { headers }: IncomingMessage): object {
  const [name, version] = [String(manifest['name']), String(manifest['version'])]
  const dist = {
    tarball: `http://${headers.host}/${name}/-/${name}-${version}.tgz`,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
  }
  return {
    _id: name,
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED },
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
