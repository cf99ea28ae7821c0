/** The published package: its files, and every way to load it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BINARY_HERE, filesIn, manifestIn, packRelease, type Release } from '../setup/package/release.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>

/** Runs one of the package's development tools, and returns its output. */
function run(program: string, ...args: string[]): string {
  const env = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' }
  return execFileSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

let release: Release
beforeAll(() => {
  release = packRelease()
}, 60_000)
afterAll(() => release?.[Symbol.dispose]())

const main = () => release.tarballs.get('nsset') ?? ''
const tool = (name: string) => join(root, 'node_modules', '.bin', name)

describe('the package loads', () => {
  const program = (load: string) => `${load}
    const set = NamespaceSet.current('net')
    console.log(JSON.stringify([set.id(), typeof NS.NET, NamespaceError.prototype instanceof Error]))
    set.close()`

  test.each([
    ['mjs', "import { NamespaceError, NamespaceSet, NS } from 'nsset'"],
    ['cjs', "const { NamespaceError, NamespaceSet, NS } = require('nsset')"],
  ])('as a dependency, from a .%s file', (extension, load) => {
    using project = temporaryDirectory()
    mkdirSync(project.file('node_modules'))
    symlinkSync(root, project.file('node_modules/nsset'))
    const file = project.file(`main.${extension}`)
    writeFileSync(file, program(load))
    const stdout = execFileSync(process.execPath, [file], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(JSON.parse(stdout)).toEqual([readNamespace(), 'number', true])
  })

  test('import and require return the same module', async () => {
    const same = await askPlainNode(
      `import { createRequire } from 'node:module'
       import * as imported from 'nsset'
       const required = createRequire(process.cwd() + '/')('nsset')
       console.log(JSON.stringify(imported.NamespaceSet === required.NamespaceSet))`,
    )
    expect(same).toBe(true)
  })

  test('the classes have the names of their exports', async () => {
    const names = await askPlainNode<Record<string, string>>(
      `import * as nsset from 'nsset'
       const classes = Object.entries(nsset).filter(([, value]) => typeof value === 'function')
       console.log(JSON.stringify(Object.fromEntries(classes.map(([name, value]) => [name, value.name]))))`,
    )
    expect(Object.keys(names)).toContain('NamespaceError')
    for (const [name, own] of Object.entries(names)) expect(own).toBe(name)
  })

  test('errors are printed as errors', async () => {
    const [shown, stack] = await askPlainNode<[string, string]>(
      `import { inspect } from 'node:util'
       import { NamespaceSet } from 'nsset'
       try {
         NamespaceSet.fromPath('/nowhere')
       } catch (error) {
         console.log(JSON.stringify([inspect(error), error.stack]))
       }`,
    )
    expect(stack).toMatch(/^NamespaceError: ENOENT: no such file or directory, open '\/nowhere'/)
    expect(shown).toContain("code: 'ENOENT'")
    expect(shown).not.toContain('undefined')
  })
})

describe('the packed release', () => {
  const packages = () => readdirSync(join(root, 'npm')).map((name) => `nsset-${name}`)
  let files: string[]
  beforeAll(() => {
    files = filesIn(main())
  })

  test('has the binary for this machine, the package, and nothing else', () => {
    console.log(release.report.trimEnd())
    const names = [...release.tarballs.keys()]
    expect(names).toEqual(expect.arrayContaining(['nsset', BINARY_HERE]))
    expect(['nsset', ...packages()]).toEqual(expect.arrayContaining(names))
  })

  test('depends on each binary package, in its own version, and has no development fields', () => {
    const { optionalDependencies, ...rest } = manifestIn(main())
    expect(optionalDependencies).toEqual(Object.fromEntries(packages().map((name) => [name, manifest['version']])))
    const { scripts: _, devDependencies: __, napi: ___, ...published } = manifest
    expect(rest).toEqual(published)
  })

  test('has a binary package with the binary, its platform, and the licence', () => {
    const tarball = release.tarballs.get(BINARY_HERE) ?? ''
    const binary = String(manifestIn(tarball)['main'])
    expect(filesIn(tarball)).toEqual(['LICENSE', 'README.md', binary, 'package.json'])
  })

  test('contains the required files', () => {
    const needed = [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs/README.md',
      'docs/first-steps.md',
      'examples/demo.ts',
      'index.js',
      'index.d.ts',
      'dist/index.js',
      'dist/index.d.ts',
    ]
    expect(files).toEqual(expect.arrayContaining(needed))
    const conditions = Object.values(manifest['exports'] as Record<string, string | Record<string, string>>)
    const targets = conditions.flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    expect(files).toEqual(expect.arrayContaining(targets.map((target) => target.slice('./'.length))))
  })

  test('contains the types of every source module, and no stale ones', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    const types = files.filter((file) => file.startsWith('dist/') && file.endsWith('.d.ts'))
    expect(types.sort()).toEqual(sources.map((name) => `dist/${name.replace(/\.ts$/, '.d.ts')}`).sort())
  })

  test('contains nothing else: no source, no test, no binary', () => {
    const documents = /^docs\/[\w/-]+\.md$|^examples\/[\w/-]+\.(ts|js|json)$|^[A-Z]+\.md$|^LICENSE$/
    const rest = files.filter((file) => !file.startsWith('dist/') && !documents.test(file))
    expect(rest.sort()).toEqual(['index.d.ts', 'index.js', 'package.json'])
    const code = files.filter((file) => !file.startsWith('examples/'))
    for (const file of code) expect(basename(file), file).toMatch(/\.(js|d\.ts|json|md)$|^LICENSE$/)
  })

  test('has pages that link to files of the package, or by https', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((page) => {
        const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$|`[^`\n]*`/gm, '')
        const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target)
        const missing = targets.filter(
          (target) => !target.startsWith('https://') && !files.includes(posix.join(posix.dirname(page), target)),
        )
        return missing.map((target) => `${page}: ${target}`)
      })
    expect(broken).toEqual([])
  })
})

describe('checkers', () => {
  test('publint reports nothing', () => {
    expect(run(tool('publint'), main(), '--strict')).toContain('All good!')
  })

  test('the types are found by every resolution that supports ES modules', () => {
    const report = JSON.parse(run(tool('attw'), main(), '--profile', 'esm-only', '--format', 'json')) as {
      analysis: { entrypoints: Record<string, unknown>; problems: { kind: string; resolutionKind?: string }[] }
    }
    expect(Object.keys(report.analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './native']))
    // require() of an ES module works since Node 20.19, which the checker does not know; node10 ignores exports.
    const problems = report.analysis.problems.filter(
      ({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10',
    )
    expect(problems).toEqual([])
  }, 120_000)
})

test('the package has no runtime dependency except its binaries', () => {
  const {
    dependencies = {},
    optionalDependencies = {},
    engines,
  } = manifest as {
    dependencies?: object
    optionalDependencies?: object
    engines?: { node?: string }
  }
  expect(dependencies).toEqual({})
  for (const name of Object.keys(optionalDependencies)) expect(name).toMatch(/^(@nsset\/|nsset-)/)
  expect(engines?.node).toBe('>=20.19')
})

function readNamespace(): string {
  return execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8', timeout: 10_000 }).trim()
}
