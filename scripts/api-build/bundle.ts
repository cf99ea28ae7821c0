/**
 * Bundles the API into one small module, because Node compiles all of it at every start. Functions keep their names, and lines are
 * short, for stack traces. Why it is one file: docs/decisions/0018-the-javascript-is-one-small-file.md.
 */
import { fileURLToPath } from 'node:url'
import { buildSync, transformSync } from 'esbuild'

/** The entries of the package, below src and dist. Each is a file of its own, so that users of one do not load the others. */
export const ENTRIES = ['index', 'sandbox/index', 'testing/index', 'command/index'] as const

const TARGET = 'node20'
const LONGEST_LINE = 120
/** Replaces `import.meta.url`, which is a syntax error in a script, while esbuild transforms the code. */
const URL_OF_MODULE = '__urlOfModule'

export function bundleApi(entry: (typeof ENTRIES)[number] = 'index'): string {
  const options = { bundle: true, platform: 'node', format: 'esm', target: TARGET, write: false } as const
  const source = fileURLToPath(new URL(`../../src/${entry}.ts`, import.meta.url))
  const [bundle] = buildSync({ entryPoints: [source], external: ['nsset'], ...options }).outputFiles
  if (bundle === undefined) throw new Error('esbuild returned no bundle')
  return withShortLocals(withOwnNames(bundle.text))
}

/** Esbuild writes a class that refers to itself as `var Name = class _Name {…}`. Stack traces would show `_Name`. */
function withOwnNames(code: string): string {
  const names = [...code.matchAll(/^var (\w+) = class _\1 /gm)].map(([, name]) => String(name))
  const named = names.reduce((text, name) => {
    const declared = text.replace(`var ${name} = class _${name} `, `class ${name} `)
    return declared.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name)
  }, code)
  // Classes inside functions keep their names too, which console.log shows.
  return named.replaceAll(/^ +(?:class (\w+)|const (\w+) = class)(?: extends .*)? \{$/gm, (line, ...found) => {
    const name = JSON.stringify(found[0] ?? found[1])
    return `${line} static { Object.defineProperty(this, "name", { value: ${name}, configurable: true }) }`
  })
}

/** Esbuild keeps the top-level names of a script, but not those of a module. So this transforms the code as a script. */
function withShortLocals(code: string): string {
  const imports = code.match(/^import \{[^}]*\} from ".*";$/gm) ?? []
  const [exports] = code.match(/^export \{[^}]*\};\s*$/m) ?? []
  if (exports === undefined) throw new Error('the bundle has no exports')
  const script = [...imports, exports].reduce((text, each) => text.replace(each, ''), code)
  const options = { minify: true, target: TARGET, lineLimit: LONGEST_LINE }
  const short = transformSync(script.replaceAll('import.meta.url', URL_OF_MODULE), options).code
  return `${imports.map((each) => each.replaceAll(/\s+/g, ' ')).join('\n')}\n${short.replaceAll(URL_OF_MODULE, 'import.meta.url')}${exports.replaceAll(/\s+/g, ' ').trim()}\n`
}
