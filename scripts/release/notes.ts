/**
 * Prints the announcement of a release, the changelog's section on it: `npm run release:notes -- vX.Y.Z`.
 *
 * It fails unless the tag is the version of every package here, npm's and Cargo's, and the changelog has a section
 * with text for it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CHANGELOG, chaptersOf } from './changelog.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [tag = ''] = positionals
const root = process.cwd()

const version = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1]
if (version === undefined) throw new RangeError(`a release has a tag such as v1.2.3, not '${tag}'`)
const others = [...versions()].filter(([, of]) => of !== version).map(([file, of]) => `${file} has ${of}`)
if (others.length > 0) throw new Error(`the tag is ${tag}, but ${others.join(', ')}`)
const notes = chaptersOf(read(CHANGELOG)).get(version) ?? ''
if (notes === '') throw new Error(`${CHANGELOG} has nothing below '## ${version}'`)
console.log(notes)

/** The versions of the packages, by file. */
function versions(): Map<string, string | undefined> {
  const manifests = ['package.json', ...readdirSync(join(root, 'npm')).map((name) => `npm/${name}/package.json`)]
  const found = manifests.map((file) => [file, (JSON.parse(read(file)) as { version: string }).version] as const)
  const [, crates = ''] = read('Cargo.toml').split('[workspace.package]\n')
  return new Map([...found, ['Cargo.toml', /^version = "(.*)"$/m.exec(crates)?.[1]]])
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
