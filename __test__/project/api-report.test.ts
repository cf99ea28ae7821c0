/** The report on the public types: it changes with them, and a change requires an entry in the changelog. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { apiReport } from '../../scripts/api-report/report.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const REPORT = 'api/nsset.api.md'
/** The compiler runs several times, as do programs compiled by tsx, beside other tests. */
const TIME_LIMIT = 120_000

/** A project in its own directory and repository. */
function project(files: Record<string, string>) {
  const directory = temporaryDirectory()
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
      cwd: directory.path,
      encoding: 'utf8',
      timeout: 10_000,
    })
  const write = (changed: Record<string, string>): void => {
    for (const [name, text] of Object.entries(changed)) {
      mkdirSync(dirname(directory.file(name)), { recursive: true })
      writeFileSync(directory.file(name), text)
    }
  }
  const commit = (changed: Record<string, string>): void => {
    write(changed)
    git('add', '.')
    git('commit', '--quiet', '--no-gpg-sign', '--message', Object.keys(changed).join(' '))
  }
  git('init', '--quiet', '--initial-branch=main')
  commit(files)
  return {
    path: directory.path,
    git,
    write,
    commit,
    run: (script: string, ...args: string[]) => run(directory.path, script, args),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

interface Outcome {
  code: number
  output: string
}

function run(cwd: string, script: string, args: string[]): Promise<Outcome> {
  const file = join(ROOT, 'scripts/api-report', script)
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', TSX, file, ...args], { cwd, timeout: TIME_LIMIT }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: out + err }),
    )
  })
}

describe('the API report', () => {
  const CONFIG = JSON.stringify({
    compilerOptions: {
      target: 'ES2023',
      lib: ['ES2023'],
      types: [],
      module: 'NodeNext',
      rewriteRelativeImportExtensions: true,
      declaration: true,
      emitDeclarationOnly: true,
      stripInternal: true,
      rootDir: 'src',
      outDir: 'dist',
    },
    include: ['src'],
  })
  const FILES = {
    'package.json': '{ "type": "module" }',
    'tsconfig.build.json': CONFIG,
    'src/index.ts': "export { Door } from './door.ts'\n",
    'src/size.ts': 'export interface Size { width: number }\nexport interface Elsewhere { a: string }\n',
    'src/door.ts': `
      import type { Elsewhere, Size } from './size.ts'
      /** A door. */
      export class Door {
        #open = false
        private hinges = 2
        /** @hidden Made by carpenters. */
        constructor(plan: Elsewhere) { this.hinges = plan.a.length }
        /** @internal */
        oil(): void {}
        open(by: Size): boolean { return (this.#open = this.hinges > by.width) }
      }`,
  }

  test('of this project matches its types', { timeout: TIME_LIMIT }, () => {
    expect(readFileSync(join(ROOT, REPORT), 'utf8'), 'npm run api writes it').toBe(apiReport(ROOT))
  })

  test('has the exports and the types that they name, and nothing internal', { timeout: TIME_LIMIT }, () => {
    using scratch = project(FILES)
    const text = apiReport(scratch.path)
    expect(text).toContain('export declare class Door {\n    open(by: Size): boolean;\n}')
    expect(text).toMatch(/## Not exported, but named.*interface Size/s)
    expect(text).not.toMatch(/Elsewhere|hinges|oil|A door/)
  })

  test('changes with the types, and not with the code', {
    timeout: TIME_LIMIT,
  }, async () => {
    using scratch = project(FILES)
    expect(await scratch.run('run.ts', '--check')).toMatchObject({
      code: 1,
      output: expect.stringContaining('not there'),
    })
    expect(await scratch.run('run.ts')).toEqual({ code: 0, output: '' })
    scratch.write({ 'src/door.ts': FILES['src/door.ts'].replace('hinges = 2', 'hinges = 3').replace('A door', 'One') })
    expect(await scratch.run('run.ts', '--check')).toEqual({ code: 0, output: '' })
    scratch.write({ 'src/size.ts': FILES['src/size.ts'].replace('width: number', 'width: number | undefined') })
    const changed = await scratch.run('run.ts', '--check')
    expect(changed.code).toBe(1)
    expect(changed.output).toContain('-    width: number;\n+    width: number | undefined;')
  })
})

describe('a change of the report', { timeout: TIME_LIMIT }, () => {
  const NOTHING_NEW = '# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- Doors.\n'
  const NEWS = NOTHING_NEW.replace('Unreleased\n', 'Unreleased\n\n- Windows.\n')
  const RELEASED = NEWS.replace('Unreleased\n', 'Unreleased\n\n## 0.2.0 - 2026-12-24\n')
  const REWRITTEN = NOTHING_NEW.replace('- Doors.', '- Doors and windows.')

  /** A repository with a release, and a branch off main. */
  function branch() {
    const scratch = project({ [REPORT]: 'Door\n', 'CHANGELOG.md': NOTHING_NEW })
    scratch.git('tag', 'v0.1.0')
    scratch.git('switch', '--quiet', '--create', 'windows')
    return scratch
  }

  test('without a changelog entry is rejected, on a branch and on main', async () => {
    using scratch = branch()
    scratch.commit({ [REPORT]: 'Door Window\n' })
    const refused = { code: 1, output: expect.stringContaining("says nothing new below '## Unreleased'") }
    expect(await scratch.run('changelog.ts')).toEqual(refused)
    scratch.git('switch', '--quiet', 'main')
    scratch.git('merge', '--quiet', 'windows')
    expect(await scratch.run('changelog.ts')).toEqual(refused)
  })

  test('is rejected before it is committed, too', async () => {
    using scratch = branch()
    scratch.write({ [REPORT]: 'Door Window\n' })
    expect(await scratch.run('changelog.ts')).toMatchObject({ code: 1 })
  })

  test.each([
    ['has its entry below another version', REWRITTEN],
    ['removes a line of the changelog', '# Changelog\n\n## Unreleased\n'],
    ['adds only a heading', NOTHING_NEW.replace('Unreleased\n', 'Unreleased\n\n### Added\n')],
  ])('that %s is rejected', async (_, changelog) => {
    using scratch = branch()
    scratch.commit({ [REPORT]: 'Door Window\n', 'CHANGELOG.md': changelog })
    expect(await scratch.run('changelog.ts')).toMatchObject({ code: 1 })
  })

  test.each([
    ['unreleased', NEWS],
    ['in the version that it is released with', RELEASED],
  ])('with an entry passes: %s', async (_, changelog) => {
    using scratch = branch()
    scratch.commit({ 'CHANGELOG.md': changelog })
    scratch.commit({ [REPORT]: 'Door Window\n' })
    expect(await scratch.run('changelog.ts')).toEqual({ code: 0, output: expect.stringContaining('has news') })
  })

  test('needs its own entry, besides that of an earlier change, with --since', async () => {
    using scratch = branch()
    scratch.commit({ [REPORT]: 'Door Window\n', 'CHANGELOG.md': NEWS })
    scratch.commit({ [REPORT]: 'Door Window Roof\n' })
    expect(await scratch.run('changelog.ts')).toMatchObject({ code: 0 })
    expect(await scratch.run('changelog.ts', '--since', 'HEAD~1')).toMatchObject({ code: 1 })
  })

  test('of other files needs no entry', async () => {
    using scratch = branch()
    scratch.commit({ 'door.txt': 'painted' })
    expect(await scratch.run('changelog.ts')).toEqual({ code: 0, output: expect.stringContaining('as they were') })
  })

  test('cannot be checked in a clone without the commit, which is an error', async () => {
    using scratch = branch()
    const outcome = await scratch.run('changelog.ts', '--since', 'v9.9.9')
    expect(outcome).toMatchObject({ code: 1, output: expect.stringContaining('is the clone shallow?') })
  })
})
