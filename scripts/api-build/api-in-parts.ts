/**
 * The API as one module of which Node.js compiles only the core. Each other part is the text of a script in a string, which is
 * compiled when one of its exports is used first.
 */
import {
  addName,
  codeOf,
  IMPORT,
  INTERNAL,
  type Names,
  objectOf,
  type PartCode,
  PUBLISH,
  URL_OF_MODULE,
} from './part-code.ts'
import { CORE } from './parts.ts'
import { shorten } from './shorten.ts'

/**
 * Defines the object that has the exports of a part. Its properties are getters until the part has been evaluated. A part publishes its
 * exports before it is evaluated, because parts use each other. V8 can terminate an evaluation, for a timeout of node:vm, without a
 * `catch`: then the next turn evaluates the part anew. The descriptors inherit nothing from an Object.prototype that a program has
 * changed. The source is a string in this file, and not another file: after `enter()` with a mount namespace, a path leads into another
 * file system.
 */
const LOADER = `
const importModule = (specifier) => import(specifier)
function definePart(lineOffset, names, text) {
  const part = {}
  let exports
  let isComplete = false
  const publish = (object) => { exports = object }
  const load = () => {
    const { Script } = process.getBuiltinModule('node:vm')
    Promise.resolve().then(() => { if (!isComplete) exports = undefined })
    try {
      new Script(text, { __proto__: null, filename: ${URL_OF_MODULE}, lineOffset }).runInThisContext()(publish, importModule, ${URL_OF_MODULE}, PARTS)
    } catch (error) {
      exports = undefined
      throw error
    }
    isComplete = true
    for (const name of names) Object.defineProperty(part, name, { __proto__: null, value: exports[name], configurable: true })
  }
  for (const name of names) {
    const get = () => {
      if (exports === undefined) load()
      return exports[name]
    }
    Object.defineProperty(part, name, { __proto__: null, get, configurable: true })
  }
  return part
}
`

export function apiInParts(): string {
  const codes = compileParts()
  const core = codes.get(CORE)
  if (core === undefined) throw new Error('there is no core')
  const others = [...codes].filter(([part]) => part !== CORE)
  const lists = [...codes.keys()].map(objectOf).join(',')
  const internal = [...core.exported].filter(([name]) => name.startsWith(INTERNAL))
  const getters = internal.map(([name, value]) => `get ${name.slice(INTERNAL.length)}() { return ${value} }`)
  let text = imports(core)
  text += inModule(
    shorten(`${LOADER.replace('PARTS', `[${lists}]`)}\nconst ${objectOf(CORE)} = { ${getters.join(', ')} }`),
  )
  for (const [part, code] of others) {
    const names = [...code.exported.keys()].join(' ')
    text += `const ${objectOf(part)}=definePart(${lineOf(text) + 1},"${names}".split(" "),'\\\n${inString(scriptOf(code, lists))}');\n`
  }
  text += inModule(shorten(core.code))
  return `${text}export { ${exportsOf(core).join(', ')} };\n`
}

/** Compiles the parts until none needs a name of another one that is not exported yet. */
function compileParts(): Map<string, PartCode> {
  const wanted = new Map<string, Map<string, string>>([[CORE, new Map()]])
  const codes = new Map<string, PartCode>()
  const stale = new Set([CORE])
  // The loop reaches what is added to the set meanwhile.
  for (const part of stale) {
    stale.delete(part)
    const code = codeOf(part, wanted.get(part) ?? new Map())
    codes.set(part, code)
    for (const [other, names] of code.used) if (addTo(wanted, other, names)) stale.add(other)
  }
  return codes
}

function addTo(wanted: Map<string, Map<string, string>>, part: string, names: Names): boolean {
  const known = wanted.get(part) ?? new Map<string, string>()
  wanted.set(part, known)
  const before = known.size
  for (const [name, file] of names) addName(known, name, file, part)
  return known.size > before
}

function imports({ builtins }: PartCode): string {
  return [...builtins].map(([variable, name]) => `import * as ${variable} from "${name}";\n`).join('')
}

/** A function, because the parts have names in common. */
function scriptOf({ code, builtins }: PartCode, lists: string): string {
  const constants = [...builtins].map(([variable, name]) => `const ${variable}=process.getBuiltinModule("${name}");`)
  const script = shorten(code).replaceAll(/\bimport\(/g, `${IMPORT}(`)
  const parameters = `${PUBLISH},${IMPORT},${URL_OF_MODULE},[${lists}]`
  return `"use strict";(function(${parameters}){${constants.join('')}\n${script}})`
}

/** As the text between single quotes, with the same lines. */
function inString(script: string): string {
  return script.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n\\\n')
}

function inModule(script: string): string {
  return script.replaceAll(URL_OF_MODULE, 'import.meta.url')
}

function lineOf(text: string): number {
  return text.split('\n').length - 1
}

function exportsOf({ exported }: PartCode): string[] {
  const all = [...exported].filter(([name]) => !name.startsWith(INTERNAL))
  const inPart = all.filter(([, value]) => !/^\w+$/.test(value)).map(([name]) => name)
  if (inPart.length > 0) throw new Error(`public names must be in the core, not in a part: ${inPart.join(', ')}`)
  return all.map(([name, value]) => (name === value ? name : `${value} as ${name}`))
}
