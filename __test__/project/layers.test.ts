/** The structure of the project: imports point down, no imports form a circle, and no folder has too many files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { circlesOf, upwardArrows } from '../setup/layers/graph.ts'
import { CRATE_DEPENDENCIES, CRATES, FULL_FOLDERS, MOST_FILES, PROJECT, SRC } from '../setup/layers/layers.ts'
import { graphOfTexts, ROOT, rustGraph } from '../setup/layers/rust-graph.ts'
import { importsOf, typescriptGraph } from '../setup/layers/typescript-graph.ts'

const HERE = fileURLToPath(new URL('../../', import.meta.url))
const src = typescriptGraph(join(HERE, 'src'))

describe('the folders with TypeScript', () => {
  const graph = typescriptGraph(HERE, PROJECT.flat())

  test('imports point down', () => {
    expect(graph.size).toBeGreaterThan(300)
    expect(upwardArrows(graph, PROJECT)).toEqual([])
  })

  test('no imports form a circle, types included', () => {
    expect(circlesOf(graph)).toEqual([])
  })
})

describe('src', () => {
  test('imports point down', () => {
    expect(src.size).toBeGreaterThan(100)
    expect(upwardArrows(src, SRC)).toEqual([])
  })

  test('no imports form a circle, types included', () => {
    expect(circlesOf(src)).toEqual([])
  })

  test('the layers below src/set compile without it', () => {
    const lower = [...src.keys()].filter(
      (file) => !/^(?:set|netns|pool|discovery|sandbox|testing|command)\/|^index\.ts$/.test(file),
    )
    const { config } = ts.readConfigFile(join(HERE, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, HERE)
    const program = ts.createProgram(
      lower.map((file) => join(HERE, 'src', file)),
      { ...options, noEmit: true, skipLibCheck: true },
    )
    const own = program.getSourceFiles().map(({ fileName }) => relative(join(HERE, 'src'), fileName))
    expect(own.filter((file) => file.startsWith('set/'))).toEqual([])
    const messages = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)
    expect(messages).toEqual([])
  }, 120_000)
})

test('the layers of every crate are stated', () => {
  const crates = readdirSync(join(HERE, 'crates')).toSorted()
  expect(Object.keys(CRATES).toSorted()).toEqual(crates)
  expect(Object.keys(CRATE_DEPENDENCIES).toSorted()).toEqual(crates)
})

describe.each(Object.keys(CRATES))('crates/%s', (crate) => {
  const directory = join(HERE, 'crates', crate)
  const graph = rustGraph(directory)

  test('imports point down', () => {
    expect(graph.size).toBeGreaterThan(10)
    expect(upwardArrows(graph, CRATES[crate] ?? [], '::')).toEqual([])
  })

  test('no modules form a circle', () => {
    expect(circlesOf(graph)).toEqual([])
  })

  test('it depends only on the crates below it', () => {
    const sections = readFileSync(join(directory, 'Cargo.toml'), 'utf8').split(/^\[/m)
    const dependencies = sections.find((section) => section.startsWith('dependencies]')) ?? ''
    const own = [...dependencies.matchAll(/^(nsset[\w-]*)/gm)].map(([, name]) => name)
    expect(own).toEqual(CRATE_DEPENDENCIES[crate])
  })
})

describe('folders', () => {
  const counts = new Map<string, number>()
  for (const top of [
    '.ci',
    '.github',
    '__test__',
    'api',
    'bench',
    'crates',
    'docs',
    'examples',
    'findings',
    'npm',
    'scripts',
    'src',
  ]) {
    countFiles(top, counts)
  }
  const full = [...counts].filter(([, count]) => count > MOST_FILES).map(([folder]) => folder)

  test(`have at most ${MOST_FILES} files, except those with a reason`, () => {
    expect(counts.get('src/validate')).toBeGreaterThan(10)
    expect(full.filter((folder) => !(folder in FULL_FOLDERS))).toEqual([])
  })

  test('with a reason have more files', () => {
    expect(Object.keys(FULL_FOLDERS).filter((folder) => !full.includes(folder))).toEqual([])
  })
})

function countFiles(folder: string, counts: Map<string, number>): void {
  const entries = readdirSync(join(HERE, folder), { withFileTypes: true })
  counts.set(folder, entries.filter((entry) => entry.isFile()).length)
  for (const entry of entries) {
    if (entry.isDirectory() && !['node_modules', 'target'].includes(entry.name))
      countFiles(`${folder}/${entry.name}`, counts)
  }
}

describe('what the rules find', () => {
  const graph = (arrows: Record<string, string[]>) =>
    new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]))
  const layers = [['top.ts'], ['middle', 'beside'], ['middle/low'], ['bottom']]

  test('an import that points up, one within a row, and a module without a room', () => {
    const arrows = graph({
      'bottom/a.ts': ['middle/b.ts'],
      'middle/b.ts': ['bottom/a.ts', 'beside/c.ts', 'middle/d.ts', 'middle/low/e.ts'],
      'middle/low/e.ts': ['middle/b.ts'],
      'new/f.ts': [],
    })
    expect(upwardArrows(arrows, layers)).toEqual([
      'bottom/a.ts → middle/b.ts',
      'middle/b.ts → beside/c.ts',
      'middle/low/e.ts → middle/b.ts',
      'new/f.ts is in no room',
    ])
  })

  test('circles of two and of three modules, and a module that imports itself', () => {
    const arrows = graph({ a: ['b', 'e'], b: ['c'], c: ['a'], d: ['c', 'd'], e: ['f'], f: ['e'], g: ['a'] })
    expect(circlesOf(arrows).toSorted()).toEqual([['a', 'b', 'c'], ['d'], ['e', 'f']])
  })

  test('every form of an import', () => {
    const text = `
      import type { A } from './a.ts'
      import './b.ts'
      export * from './c.ts'
      type D = import('./d.ts').D
      const e = await import('./e.ts')
      declare module './f.ts' { interface F {} }
      // import './no.ts'
      const text = "import './no.ts'"
    `
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts'])
  })

  test('paths in Rust: use trees, inline paths, child modules and re-exports, but no text and no tests', () => {
    const texts = {
      'lib.rs': 'mod a; mod b; mod c; pub use b::Thing;',
      'a.rs': `use crate::{b::{self, inner::{Deep, Other as Name}}, c::*}; use super::Thing; use std::b::X;`,
      'b/mod.rs': `pub mod inner; mod hidden; pub use inner::Deep; pub use hidden::Named; pub struct Thing;
        fn call() { hidden::go() }`,
      'b/inner.rs':
        'pub struct Deep; pub struct Other; // crate::a\nconst TEXT: &str = "crate::a"; const LETTER: char = \'"\';',
      'b/hidden.rs':
        '#[cfg(test)] mod tests { use crate::a; fn f() { crate::c::f() } } pub struct Named; pub fn go() {}',
      'c.rs':
        "fn f<'a>() -> &'a crate::b::Named { crate::b::Named } use crate::b::Deep; mod within { use super::{f, super::a}; }",
    }
    const found = graphOfTexts(new Map(Object.entries(texts)))
    expect(Object.fromEntries([...found].map(([name, targets]) => [name, [...targets].toSorted()]))).toEqual({
      [ROOT]: [],
      a: ['b', 'b::inner', 'c'],
      b: ['b::hidden'],
      'b::inner': [],
      'b::hidden': [],
      c: ['a', 'b::hidden', 'b::inner'],
    })
  })
})
