/** A release: its notes, and the packages that are published, in order. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chaptersOf } from '../../scripts/release/changelog.ts'
import { packRelease, type Release } from '../setup/package/release.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const SCRIPTS = fileURLToPath(new URL('../../scripts/release', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

function run(cwd: string, script: string, args: string[], env = process.env): Promise<Outcome> {
  const node = ['--import', TSX, join(SCRIPTS, script), ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, node, { cwd, env, timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

describe('the release notes', () => {
  const FILES = {
    'package.json': '{ "version": "1.2.3" }',
    'npm/linux-x64-gnu/package.json': '{ "version": "1.2.3" }',
    'Cargo.toml': '[workspace]\nmembers = []\n\n[workspace.package]\nversion = "1.2.3"\nedition = "2024"\n',
    'CHANGELOG.md':
      '# Changelog\n\n## Unreleased\n\n- Later.\n\n## 1.2.3 - 2026-12-24\n\n### Added\n\n- Doors.\n\n## 1.2.2\n\n- Walls.\n',
  }

  async function notesOf(tag: string, changed: Partial<typeof FILES> = {}): Promise<Outcome> {
    using directory = temporaryDirectory()
    for (const [name, text] of Object.entries({ ...FILES, ...changed })) {
      mkdirSync(dirname(directory.file(name)), { recursive: true })
      writeFileSync(directory.file(name), text)
    }
    return await run(directory.path, 'notes.ts', [tag])
  }

  test('are the chapter of the version only', async () => {
    expect(await notesOf('v1.2.3')).toEqual({ code: 0, stdout: '### Added\n\n- Doors.\n', stderr: '' })
  })

  test.each([
    ['a tag without a version', '1.2.3', {}, "not '1.2.3'"],
    ['a tag of another version', 'v1.2.4', {}, 'package.json has 1.2.3'],
    [
      'a binary of another version',
      'v1.2.3',
      { 'npm/linux-x64-gnu/package.json': '{ "version": "1.2.2" }' },
      'npm/linux',
    ],
    [
      'crates of another version',
      'v1.2.3',
      { 'Cargo.toml': '[workspace.package]\nversion = "1.2.2"\n' },
      'Cargo.toml has',
    ],
    [
      'a version without a chapter',
      'v1.2.3',
      { 'CHANGELOG.md': '# Changelog\n\n## 1.2.2\n' },
      "nothing below '## 1.2.3'",
    ],
    [
      'an empty chapter',
      'v1.2.3',
      { 'CHANGELOG.md': '## 1.2.3\n\n## 1.2.2\n\n- Walls.\n' },
      "nothing below '## 1.2.3'",
    ],
  ])('are an error for %s', async (_, tag, changed, why) => {
    expect(await notesOf(tag, changed)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(why) })
  })

  test('exist in the changelog of this project, too', () => {
    const changelog = readFileSync(join(SCRIPTS, '../../CHANGELOG.md'), 'utf8')
    expect([...chaptersOf(changelog).keys()]).toContain('Unreleased')
  })
})

describe('npm run release:publish', () => {
  let release: Release
  let bin: TemporaryDirectory
  beforeAll(() => {
    release = packRelease()
    bin = temporaryDirectory()
    writeFileSync(bin.file('npm'), NPM)
    chmodSync(bin.file('npm'), 0o755)
  })
  afterAll(() => {
    release?.[Symbol.dispose]()
    bin?.[Symbol.dispose]()
  })

  /** A fake npm that records what it publishes, and knows the packages that the test lists as published. */
  const NPM = `#!/bin/sh
case $1 in
  publish) shift; echo "$*" >>"$PUBLISHED" ;;
  view) case " $KNOWN " in
    *" $2 "*) echo "\\"\${2##*@}\\"" ;;
    *) echo "{ \\"error\\": { \\"code\\": \\"$OTHERS\\" } }"; exit 1 ;;
  esac ;;
esac
`

  async function publish(known: string[] = [], others = 'E404') {
    using directory = temporaryDirectory()
    const [tarball = ''] = release.tarballs.values()
    const log = directory.file('published')
    writeFileSync(log, '')
    const PATH = [bin.path, process.env['PATH']].join(delimiter)
    const env = { ...process.env, PATH, PUBLISHED: log, KNOWN: known.join(' '), OTHERS: others }
    const outcome = await run(directory.path, 'publish.ts', ['--from', dirname(tarball)], env)
    return { ...outcome, published: readFileSync(log, 'utf8').split('\n').slice(0, -1) }
  }

  const commandFor = (name: string) => `${release.tarballs.get(name)} --provenance --access public`
  const binaries = () => [...release.tarballs.keys()].filter((name) => name !== 'nsset').sort()

  test('publishes the package itself last', async () => {
    const { code, published } = await publish()
    expect(code).toBe(0)
    expect(published.slice(0, -1).sort()).toEqual(binaries().map(commandFor))
    expect(published.at(-1)).toBe(commandFor('nsset'))
    expect(binaries().length).toBeGreaterThan(0)
  })

  test('continues where it was interrupted', async () => {
    const { code, published, stdout } = await publish(binaries().map((name) => `${name}@${release.version}`))
    expect({ code, published }).toEqual({ code: 0, published: [commandFor('nsset')] })
    expect(stdout).toContain(`${binaries()[0]}@${release.version} is published already`)
  })

  test('exits when the registry does not say what is published', async () => {
    const { code, published, stderr } = await publish([], 'E500')
    expect({ code, published }).toEqual({ code: 1, published: [] })
    expect(stderr).toContain('E500')
  })
})
