/** Every public function, class and method has an example or refers to one, and every error code is documented. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { textOf } from '../../scripts/pages/pages.ts'
import { compile } from '../setup/package/compile.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Members of every disposable object, and of every printed one. */
const USUAL = /^(__@dispose|__@asyncDispose|__@iterator|__@nodejs|toString$)/

interface Documented {
  readonly name: string
  readonly text: string
  readonly tags: readonly string[]
}

const program = ts.createProgram([`${ROOT}src/index.ts`], {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  noEmit: true,
})
const checker = program.getTypeChecker()
const all = exportsOf(`${ROOT}src/index.ts`).flatMap(documentedOf)

test('public exports are found, and no internal ones', () => {
  const names = all.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['NamespaceSet', 'NamespaceSet.unshare', 'netns.create', 'FdSet.get']))
  expect(names).toEqual(expect.arrayContaining(['action.links.add', 'Network.fetch', 'wireguard.generateKeys']))
  expect(all.length).toBeGreaterThan(100)
})

test('every public export has a description', () => {
  expect(all.filter(({ text }) => text === '').map(({ name }) => name)).toEqual([])
})

test('every public export has an example, or refers to one', () => {
  const withExample = new Set(all.filter(({ tags }) => tags.includes('example')).map(({ name }) => name))
  const without = all.filter(({ name, text }) => !withExample.has(name) && !withExample.has(referenceIn(text)))
  expect(without.map(({ name }) => name)).toEqual([])
})

test('the page of errors has every code in the sources', () => {
  const page = textOf('docs/errors.md')
  const codes = new Set(
    sources().flatMap(({ text }) =>
      [...text.matchAll(/'(ERR_[A-Z_]+|ABORT_ERR|NSSET_\w+|E[A-Z]{3,})'/g)].map(([, code]) => code),
    ),
  )
  // Codes of Node.js and others for an inner import, which become another error or none.
  const own = ['MODULE_NOT_FOUND', 'ACCESS_DENIED', 'DLOPEN_DISABLED', 'DLOPEN_FAILED', 'LOAD_URL']
  for (const code of own) codes.delete(`ERR_${code}`)
  for (const flag of ['', '_FLAG']) codes.delete(`ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING${flag}`)
  expect(codes.size).toBeGreaterThan(30)
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})

test('the page of errors has every code in the crates', () => {
  const page = textOf('docs/errors.md')
  const crates = `${ROOT}crates`
  const files = readdirSync(crates, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^[\w-]+\/src\/.*\.rs$/.test(file),
  )
  const texts = files.map((file) => readFileSync(`${crates}/${file}`, 'utf8'))
  const named = /Errno::(E[A-Z0-9]+)|"((?:ERR_|ABORT_)[A-Z_]+|E[A-Z]{4,})"/g
  const codes = new Set(texts.flatMap((text) => [...text.matchAll(named)].map(([, errno, code]) => errno ?? code)))
  codes.delete('EWOULDBLOCK') // another name of EAGAIN
  codes.delete('EINTR') // such a call is repeated
  codes.delete('ENOTTY') // the kernel does not know the ioctl: another way is taken
  codes.delete('ERESTART') // tables have changed since they were compared: they are compared again
  codes.delete('ESTALE') // a handle of nsfs that is not valid any more, reported as ENOENT
  expect(codes.size).toBeGreaterThan(40)
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})

/** Declarations that the examples assume. */
const TAKEN = `
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import os from 'node:os'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import {
  action, ActionError, ControlGroup, ExecFileError, firewall, type Forwarding, landlockAbi, NamespaceError, NamespacePool, NamespaceSet,
  namespaces, netns, type NetworkWatcher, NS, type PacketCapture, realPaths, sandboxSystemCalls, type SystemCallCondition, systemCalls, type Uplink, wireguard,
} from 'nsset'
declare const set: NamespaceSet, base: NamespaceSet, host: NamespaceSet, theirs: NamespaceSet, other: NamespaceSet, router: NamespaceSet
declare const uplink: Uplink, capture: PacketCapture
declare const forwarding: Forwarding, watcher: NetworkWatcher, group: ControlGroup, sets: NamespaceSet[], pool: NamespacePool, child: { pid: number }, tid: number
declare const handler: http.RequestListener, privateKey: string, publicKey: string
declare function use(fd: number): void
declare function work(pool: NamespacePool): Promise<void>
declare function until(done: () => unknown, options: { signal: AbortSignal | undefined }): Promise<void>
declare class Agent { constructor(options: { connect: unknown }) } // undici's, as the next
declare function request(url: string, options: { dispatcher: Agent }): Promise<unknown>
`

test('every example compiles, with the settings of the project', () => {
  const modules = new Map(
    [...examples()].map(([place, code]) => [`src/${place}.mts`, `${TAKEN}async function example() {\n${code}\n}\n`]),
  )
  expect(modules.size).toBeGreaterThan(80)
  expect([...compile(modules).values()].flat()).toEqual([])
}, 120_000)

/** The examples in the sources, by their places. */
function examples(): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (file: ts.SourceFile, node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node).filter(({ tagName }) => tagName.text === 'example')) {
      const { line } = file.getLineAndCharacterOfPosition(tag.pos)
      found.set(`${file.fileName.slice(`${ROOT}src/`.length)}:${line + 1}`, ts.getTextOfJSDocComment(tag.comment) ?? '')
    }
    ts.forEachChild(node, (child) => visit(file, child))
  }
  for (const file of sources()) visit(file, file)
  return found
}

function sources(): ts.SourceFile[] {
  return program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${ROOT}src/`))
}

function exportsOf(file: string): ts.Symbol[] {
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is not a module`)
  return checker.getExportsOfModule(module).map((symbol) => {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  })
}

/** Classes, functions and objects of functions, and every function below them. */
function documentedOf(symbol: ts.Symbol): Documented[] {
  if (symbol.flags & ts.SymbolFlags.Class) {
    const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])]
    return [documented(symbol.name, symbol), ...members.flatMap((member) => callables(symbol.name, member))]
  }
  if (symbol.flags & ts.SymbolFlags.Function) return [documented(symbol.name, symbol)]
  if (!(symbol.flags & ts.SymbolFlags.Variable) || isInternal(symbol)) return []
  const properties = checker.getTypeOfSymbol(symbol).getProperties()
  return [documented(symbol.name, symbol), ...properties.flatMap((member) => callables(symbol.name, member))]
}

function callables(owner: string, symbol: ts.Symbol): Documented[] {
  const [declaration] = symbol.declarations ?? []
  if (declaration === undefined || isPrivate(declaration)) return []
  if (ts.isConstructorDeclaration(declaration) || USUAL.test(symbol.name)) return []
  if (isInternal(symbol)) return []
  const name = `${owner}.${symbol.name}`
  const type = checker.getTypeOfSymbolAtLocation(symbol, declaration)
  if (type.getCallSignatures().length > 0) return [documented(name, symbol)]
  const isObject = (type.flags & ts.TypeFlags.Object) !== 0 && ts.isPropertyAssignment(declaration)
  return isObject ? type.getProperties().flatMap((member) => callables(name, member)) : []
}

function isPrivate(declaration: ts.Declaration): boolean {
  const name = ts.getNameOfDeclaration(declaration)
  return name !== undefined && ts.isPrivateIdentifier(name)
}

function isInternal(symbol: ts.Symbol): boolean {
  return symbol.getJsDocTags(checker).some(({ name }) => name === 'internal')
}

function documented(name: string, symbol: ts.Symbol): Documented {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  return { name, text, tags: symbol.getJsDocTags(checker).map(({ name }) => name) }
}

/** The name in `See {@link NetworkLinks.add}.` */
function referenceIn(text: string): string {
  return /^(?:See|Same as) \{@link ([\w.]+)\}/.exec(text)?.[1] ?? ''
}
