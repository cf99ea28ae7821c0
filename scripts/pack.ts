/**
 * Packs what a release publishes: `npm run pack:release -- [--to DIRECTORY] [--all]`.
 *
 * That is a tarball for each package of `npm/` whose binary is built, and one for the package itself, which then
 * depends on all of `npm/` in exactly its own version. With `--all` each binary has to be there, and to need no more
 * than one of a release may. All is put together in a copy, so that what is published is what was tried: `napi pre-publish` changes
 * the package.json of the working tree, and publishes that. The API has to be built.
 * The default directory is `packed`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkGlibc } from './targets/glibc.ts'
import { checkLibraries } from './targets/libraries.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** What goes into the package whether its `files` name it or not; those of `npm/` have only the first of their own. */
const ALWAYS = ['README.md', 'LICENSE']

interface Manifest {
  name: string
  version: string
  files: string[]
  scripts?: object
  devDependencies?: object
  napi?: object
}

interface BinaryManifest extends Manifest {
  /** The binary. */
  main: string
  libc: string[]
}

/** What npm says of a tarball that it made. */
interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: object[]
}

const { values } = parseArgs({
  options: { to: { type: 'string', default: join(ROOT, 'packed') }, all: { type: 'boolean', default: false } },
})
const to = resolve(values.to)
const stage = mkdtempSync(join(tmpdir(), 'nsset-pack-'))
try {
  emptyOfTarballs(to)
  for (const { filename, size, unpackedSize, files } of pack(stageAll(stage), to)) {
    const count = files.length === 1 ? '1 file' : `${files.length} files`
    console.log(`${filename}: ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} in ${count} unpacked`)
  }
} finally {
  rmSync(stage, { recursive: true, force: true })
}

/** Puts the packages together, and gives the directories that are to be packed; the package itself, as the last. */
function stageAll(stage: string): string[] {
  const manifest = readManifest<Manifest>(ROOT)
  const directories = readdirSync(join(ROOT, 'npm')).map((name) => join(ROOT, 'npm', name))
  const names: string[] = []
  const staged = directories.flatMap((directory) => {
    const binary = readManifest<BinaryManifest>(directory)
    if (binary.version !== manifest.version) {
      throw new Error(`${binary.name} is ${binary.version}, and ${manifest.name} is ${manifest.version}`)
    }
    names.push(binary.name)
    return stageBinary(directory, binary, join(stage, binary.name))
  })
  return [...staged, stagePackage(manifest, names, join(stage, manifest.name))]
}

function stagePackage(manifest: Manifest, optional: readonly string[], place: string): string {
  copy([...manifest.files, ...ALWAYS], ROOT, place)
  // What only a checkout has a use for is left out.
  const { scripts: _, devDependencies: __, napi: ___, ...published } = manifest
  const optionalDependencies = Object.fromEntries(optional.map((name) => [name, manifest.version]))
  writeFileSync(join(place, 'package.json'), `${JSON.stringify({ ...published, optionalDependencies }, null, 2)}\n`)
  return place
}

/** One package of `npm/`, or none when its binary is not built. */
function stageBinary(directory: string, manifest: BinaryManifest, place: string): string[] {
  // The build for this machine leaves it in the root, and may need a newer glibc than a release.
  const places = values.all ? [directory, ROOT] : [ROOT, directory]
  const binary = places.map((each) => join(each, manifest.main)).find(existsSync)
  if (binary === undefined) {
    if (values.all) throw new Error(`${manifest.name} has no binary: ${join(directory, manifest.main)} is not there`)
    console.log(`${manifest.name}: left out, its binary is not built`)
    return []
  }
  if (values.all) {
    checkLibraries(binary)
    if (manifest.libc.includes('glibc')) checkGlibc(binary)
  }
  copy(['package.json', 'README.md'], directory, place)
  copy(['LICENSE'], ROOT, place)
  copy([manifest.main], dirname(binary), place)
  return [place]
}

function copy(names: readonly string[], from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of names) {
    if (!existsSync(join(from, name))) throw new Error(`${join(from, name)} is not there: npm run build makes it`)
    cpSync(join(from, name), join(to, name), { recursive: true })
  }
}

/** A tarball of a former version would be published with the others. */
function emptyOfTarballs(directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const name of readdirSync(directory)) if (name.endsWith('.tgz')) rmSync(join(directory, name))
}

function pack(directories: readonly string[], to: string): Packed[] {
  const args = ['pack', ...directories, '--pack-destination', to, '--json', '--ignore-scripts', '--offline']
  return JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', timeout: 120_000 })) as Packed[]
}

function readManifest<T>(directory: string): T {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as T
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`
}
