/** Compiles the modules of one part into a script. What it uses of other parts becomes a property of an object with their name. */
import { resolve } from 'node:path'
import { buildSync } from 'esbuild'
import { CORE, filesOf, PART_NAMES, partOfPath, SRC } from './parts.ts'

/** The exports of a part that other parts use, with their modules. */
export type Names = ReadonlyMap<string, string>

export interface PartCode {
  code: string
  /** What it exports, as expressions. */
  exported: ReadonlyMap<string, string>
  /** What it uses of each other part. */
  used: ReadonlyMap<string, Names>
  /** The variables of the modules of Node.js that it uses. */
  builtins: ReadonlyMap<string, string>
}

/** The object that has the exports of a part. */
export const objectOf = (part: string) => `$${part}`
/** The core exports what is public, and with this prefix what the parts use of it. */
export const INTERNAL = '$'
/** Called by a part with an object of its exports, before its modules are evaluated. */
export const PUBLISH = '$publish'
/** Replaces `import()`, which a script of `node:vm` does not have. */
export const IMPORT = '$import'
/** Replaces `import.meta.url`, which is a syntax error in a script. */
export const URL_OF_MODULE = '__urlOfModule'

const EXPORTS = 'entry_exports'
/** Esbuild's function that gives an object its exports. It also visits what a program has added to Object.prototype. */
const DEFINES_EXPORTS = /^var __export = [\s\S]*?^\};\n/m
const OWN_DEFINES_EXPORTS = `var __export = (target, all) => {
  for (const name of Object.keys(all))
    Object.defineProperty(target, name, { __proto__: null, get: all[name], enumerable: true });
};
`
const OBJECT_OF_EXPORTS = new RegExp(
  `^var ${EXPORTS} = \\{\\};\\n__export\\(${EXPORTS}, \\{\\n([\\s\\S]*?)^\\}\\);\\n`,
  'm',
)
const HELPERS = ['__toCommonJS', '__copyProps', '__getOwnPropDesc', '__getOwnPropNames', '__hasOwnProp']

export function codeOf(part: string, names: Names): PartCode {
  const text = bundle(part, names)
  const used = new Map<string, Map<string, string>>()
  const builtins = new Map<string, string>()
  let code = withoutExports(text, part)
  for (const [line, variable = '', path = ''] of text.matchAll(/^var (\w+) = require\("(.*)"\);$/gm)) {
    code = code.replace(`${line}\n`, '')
    if (path.startsWith('node:')) builtins.set(variable, path)
    else code = withNamesOf(variable, resolve(SRC, path), code, used)
  }
  if (/\brequire\("/.test(code)) throw new Error(`${part} requires a module in an unknown way`)
  return { code, exported: exportsIn(text), used, builtins }
}

/** Esbuild has a variable for each module of another part. The names of all modules of a part are in one object here. */
function withNamesOf(variable: string, file: string, code: string, used: Map<string, Map<string, string>>): string {
  const part = partOfPath(file)
  const names = used.get(part) ?? new Map<string, string>()
  used.set(part, names)
  return code.replaceAll(new RegExp(`\\b${variable}\\b(?:\\.(\\w+))?`, 'g'), (_, name?: string) => {
    if (name === undefined) throw new Error(`${file} is used as an object`)
    addName(names, name, file, part)
    return `${objectOf(part)}.${name}`
  })
}

/** Adds a name that others use of a part. In the object of the part, a name belongs to one module. */
export function addName(names: Map<string, string>, name: string, file: string, part: string): void {
  if ((names.get(name) ?? file) !== file) throw new Error(`two modules of ${part} export ${name}: rename one`)
  names.set(name, file)
}

function bundle(part: string, names: Names): string {
  const prefix = part === CORE ? INTERNAL : ''
  const lines = [...names].map(([name, file]) => `export { ${name} as ${prefix}${name} } from ${JSON.stringify(file)}`)
  if (part === CORE) lines.unshift("export * from './index.ts'")
  const [output] = buildSync({
    stdin: { contents: lines.join('\n'), resolveDir: SRC, sourcefile: 'entry' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: PART_NAMES.filter((other) => other !== part).flatMap(filesOf),
    define: { 'import.meta.url': URL_OF_MODULE },
    outdir: SRC,
    write: false,
  }).outputFiles
  if (output === undefined) throw new Error('esbuild returned no bundle')
  return output.text
}

function exportsIn(text: string): Map<string, string> {
  const [, list = ''] = OBJECT_OF_EXPORTS.exec(text) ?? []
  return new Map([...list.matchAll(/^ {2}(\S+): \(\) => (.*?),?$/gm)].map(([, name = '', value = '']) => [name, value]))
}

/** A part publishes its exports, the core has an `export` and no such object. Esbuild's own functions for `module.exports` are not needed. */
function withoutExports(text: string, part: string): string {
  const isCore = part === CORE
  if (![DEFINES_EXPORTS, OBJECT_OF_EXPORTS].every((pattern) => pattern.test(text)))
    throw new Error(`${part} defines its exports in an unknown way`)
  const code = text
    .replace(DEFINES_EXPORTS, isCore ? '' : OWN_DEFINES_EXPORTS)
    .replace(OBJECT_OF_EXPORTS, (object) => (isCore ? '' : object))
    .replace(`module.exports = __toCommonJS(${EXPORTS});`, isCore ? '' : `${PUBLISH}(${EXPORTS});`)
    .replace(/^0 && \(module[\s\S]*/m, '')
  return HELPERS.reduce(
    (rest, name) => rest.replace(new RegExp(`^var ${name} = (?:.*;\\n|[\\s\\S]*?^\\};\\n)`, 'm'), ''),
    code,
  )
}
