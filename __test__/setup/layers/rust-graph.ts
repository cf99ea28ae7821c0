import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Graph } from './graph.ts'

/** The root module of a crate, in a graph. */
export const ROOT = 'lib'

/** A module, as its text has it. */
interface Module {
  /** The name of the module whose file it is in. */
  file: string
  /** `['helper', 'launch']`; empty for the root. */
  path: readonly string[]
  /** Without comments, literals and tests. */
  code: string
  /** What is declared in it. */
  items: ReadonlySet<string>
  uses: readonly Use[]
}

interface Use {
  path: readonly string[]
  isReexport: boolean
}

/** The modules of a crate by their paths (`helper::launch`), and which each names, by `use` or in a path. */
export function rustGraph(crate: string): Graph {
  const src = join(crate, 'src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.rs'))
  return graphOfTexts(new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')])))
}

/** A module with its text in the file of the one above. */
const INNER_MODULE = /\bmod (\w+) \{/

/** The same of texts, by the paths of their files below `src`. */
export function graphOfTexts(texts: ReadonlyMap<string, string>): Graph {
  const modules = new Map<string, Module>()
  for (const [file, text] of texts) {
    const path = modulePathOf(file)
    addModule(modules, nameOf(path), path, withoutTests(withoutText(text)))
  }
  const graph = new Map<string, Set<string>>()
  for (const module of modules.values()) {
    const targets = graph.get(module.file) ?? new Set()
    for (const target of targetsOf(module, modules)) targets.add(modules.get(target)?.file ?? target)
    targets.delete(module.file)
    graph.set(module.file, targets)
  }
  return graph
}

/** Adds a module, and those that have their text in it: they count as one. */
function addModule(modules: Map<string, Module>, file: string, path: readonly string[], text: string): void {
  const inner = INNER_MODULE.exec(text)
  if (inner !== null) {
    const start = inner.index + inner[0].length
    const end = blockEnd(text, start)
    addModule(modules, file, [...path, inner[1] as string], text.slice(start, end - 1))
    addModule(modules, file, path, text.slice(0, inner.index) + text.slice(end))
    return
  }
  // main.rs and lib.rs are one root here.
  const code = (modules.get(nameOf(path))?.code ?? '') + text
  modules.set(nameOf(path), { file, path, code, items: itemsOf(code), uses: usesOf(code) })
}

function modulePathOf(file: string): string[] {
  const path = file.replace(/\.rs$/, '').split('/')
  return ['mod', 'lib', 'main'].includes(path.at(-1) ?? '') ? path.slice(0, -1) : path
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? ROOT : path.join('::')
}

/** Comments, strings and characters are no code. A lifetime (`'a`) is left alone. */
function withoutText(text: string): string {
  const literal =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|b?r(#*)"[\s\S]*?"\1|[bc]?"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])'/g
  return text.replace(literal, ' ')
}

/** Tests may look at what is above what they test. */
function withoutTests(code: string): string {
  const found = /#\[cfg\(test\)\]\s*mod \w+ \{/.exec(code)
  if (found === null) return code
  const end = blockEnd(code, found.index + found[0].length)
  return code.slice(0, found.index) + withoutTests(code.slice(end))
}

/** Behind the brace that closes what was opened before `start`. */
function blockEnd(code: string, start: number): number {
  let depth = 1
  let at = start
  for (; depth > 0 && at < code.length; at += 1) depth += { '{': 1, '}': -1 }[code[at] as string] ?? 0
  return at
}

function itemsOf(code: string): Set<string> {
  const declared = /\b(?:struct|enum|union|trait|fn|const|static|type)\s+(?:mut\s+)?(\w+)|macro_rules!\s*(\w+)/g
  return new Set([...code.matchAll(declared)].map(([, name, macro]) => (name ?? macro) as string))
}

const USE = /\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);/g

function usesOf(code: string): Use[] {
  const trees = [...code.matchAll(USE)]
  return trees.flatMap(([, visibility, tree]) =>
    pathsOf(tree as string).map((path) => ({ path, isReexport: visibility !== undefined })),
  )
}

/** The paths of a use tree: `a::{b, c::{self, d as e}}` is `a::b`, `a::c`, `a::c::d`. */
function pathsOf(tree: string): string[][] {
  const [, head = '', group] = /^([^{]*?)(?:\{([\s\S]*)\})?\s*$/.exec(tree.trim()) ?? []
  const segments = head
    .replace(/\s+as\s+\w+/, '')
    .split('::')
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '')
  if (group === undefined) return [segments.at(-1) === 'self' && segments.length > 1 ? segments.slice(0, -1) : segments]
  return partsOf(group).flatMap((part) =>
    pathsOf(part).map((path) => [...segments, ...(path.length === 1 && path[0] === 'self' ? [] : path)]),
  )
}

/** The parts between commas that are in no inner braces. */
function partsOf(group: string): string[] {
  const parts = ['']
  let depth = 0
  for (const letter of group) {
    depth += { '{': 1, '}': -1 }[letter] ?? 0
    if (letter === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** The modules that a module names. What it only hands on of those below it is no need of its own. */
function targetsOf(module: Module, modules: ReadonlyMap<string, Module>): Set<string> {
  const name = nameOf(module.path)
  const used = module.uses.map(({ path, isReexport }) => ({ path: absolute(path, module, modules), isReexport }))
  const inline = [...module.code.replace(USE, '').matchAll(/(?<![\w:.])(\w+(?:\s*::\s*\w+)+)/g)]
  const named = inline.map(([, path = '']) => absolute(path.split(/\s*::\s*/), module, modules))
  const paths = [
    ...used.filter(({ path, isReexport }) => !(isReexport && isBelow(path, module))).map(({ path }) => path),
    ...named,
  ]
  const targets = paths.flatMap((path) => (path === undefined ? [] : [homeOf(path, modules)]))
  return new Set(targets.filter((target) => target !== name))
}

function isBelow(path: readonly string[] | undefined, { path: own }: Module): boolean {
  return path !== undefined && path.length > own.length && own.every((segment, index) => path[index] === segment)
}

/** A path from the root of the crate; undefined for one of another crate, and for a name of the module's own. */
function absolute(path: readonly string[], { path: own }: Module, modules: ReadonlyMap<string, Module>) {
  const [first = '', ...rest] = path
  if (first === 'crate') return rest
  if (first === 'self') return [...own, ...rest]
  if (first === 'super') {
    const ups = path.findIndex((segment) => segment !== 'super')
    return [...own.slice(0, own.length - ups), ...path.slice(ups)]
  }
  return modules.has(nameOf([...own, first])) ? [...own, ...path] : undefined
}

/** The module in which the thing at a path is declared, by way of re-exports. */
function homeOf(path: readonly string[], modules: ReadonlyMap<string, Module>): string {
  let depth = path.length
  while (depth > 0 && !modules.has(nameOf(path.slice(0, depth)))) depth -= 1
  const module = modules.get(nameOf(path.slice(0, depth)))
  const item = path[depth]
  if (module === undefined || item === undefined || module.items.has(item)) return nameOf(path.slice(0, depth))
  for (const { path: reexported, isReexport } of module.uses) {
    if (!isReexport) continue
    const target = absolute(reexported, module, modules)
    if (target === undefined) continue
    if (reexported.at(-1) === item) return homeOf(target, modules)
    const origin = modules.get(nameOf(target.slice(0, -1)))
    const isGlob = reexported.at(-1) === '*'
    if (isGlob && origin !== undefined && offers(origin, item)) return homeOf([...target.slice(0, -1), item], modules)
  }
  return nameOf(path.slice(0, depth))
}

function offers({ items, uses }: Module, item: string): boolean {
  return items.has(item) || uses.some(({ path, isReexport }) => isReexport && path.at(-1) === item)
}
