/**
 * Bundles the face into one module, as small as it gets while a stack trace still has the names of its functions and a line:
 * Node compiles all of it at every start. Why it is one file: docs/decisions/0018-the-javascript-is-one-small-file.md.
 */
import { fileURLToPath } from 'node:url'
import { buildSync, transformSync } from 'esbuild'

const ENTRY = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
const TARGET = 'node20'
const LONGEST_LINE = 120
/** Stands for `import.meta.url`, which no script can have. */
const URL_OF_MODULE = '__urlOfModule'

export function bundleFace(): string {
  const options = { bundle: true, platform: 'node', format: 'esm', target: TARGET, write: false } as const
  const [bundle] = buildSync({ entryPoints: [ENTRY], ...options }).outputFiles
  if (bundle === undefined) throw new Error('esbuild gave no bundle')
  return withShortLocals(withOwnNames(bundle.text))
}

/** Of a class that names itself esbuild makes `var Name = class _Name {…}`, and stack traces would have that name. */
function withOwnNames(code: string): string {
  const names = [...code.matchAll(/^var (\w+) = class _\1 /gm)].map(([, name]) => String(name))
  const named = names.reduce((text, name) => {
    const declared = text.replace(`var ${name} = class _${name} `, `class ${name} `)
    return declared.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name)
  }, code)
  // Those inside of functions, whose names console.log shows, keep them too.
  return named.replaceAll(/^ +(?:class (\w+)|const (\w+) = class)(?: extends .*)? \{$/gm, (line, ...found) => {
    const name = JSON.stringify(found[0] ?? found[1])
    return `${line} static { Object.defineProperty(this, "name", { value: ${name}, configurable: true }) }`
  })
}

/** Of a script, unlike of a module, esbuild leaves the names of the top level as they are. */
function withShortLocals(code: string): string {
  const imports = code.match(/^import \{.*\} from ".*";$/gm) ?? []
  const [exports] = code.match(/^export \{[^}]*\};\s*$/m) ?? []
  if (exports === undefined) throw new Error('the bundle has no exports')
  const script = [...imports, exports].reduce((text, each) => text.replace(each, ''), code)
  const options = { minify: true, target: TARGET, lineLimit: LONGEST_LINE }
  const short = transformSync(script.replaceAll('import.meta.url', URL_OF_MODULE), options).code
  return `${imports.join('\n')}\n${short.replaceAll(URL_OF_MODULE, 'import.meta.url')}${exports.replaceAll(/\s+/g, ' ').trim()}\n`
}
