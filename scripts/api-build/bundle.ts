/**
 * Bundles each entry of the API into one small module. Functions keep their names, and lines are short, for stack traces. Why it is
 * one file: docs/decisions/0018-the-javascript-is-one-small-file.md.
 */
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { apiInParts } from './api-in-parts.ts'
import { URL_OF_MODULE } from './part-code.ts'
import { shorten, TARGET } from './shorten.ts'

/** The entries of the package, below src and dist. Each is a file of its own, so that users of one do not load the others. */
export const ENTRIES = ['index', 'sandbox/index', 'testing/index', 'command/index'] as const

export function bundleApi(entry: (typeof ENTRIES)[number] = 'index'): string {
  return entry === 'index' ? apiInParts() : apiInWhole(entry)
}

/** The other entries are small, and are loaded only by programs that use them. */
function apiInWhole(entry: string): string {
  const options = { bundle: true, platform: 'node', format: 'esm', target: TARGET, write: false } as const
  const source = fileURLToPath(new URL(`../../src/${entry}.ts`, import.meta.url))
  const [bundle] = buildSync({ entryPoints: [source], external: ['nsset'], ...options }).outputFiles
  if (bundle === undefined) throw new Error('esbuild returned no bundle')
  const code = bundle.text
  const imports = code.match(/^import \{[^}]*\} from ".*";$/gm) ?? []
  const [exports] = code.match(/^export \{[^}]*\};\s*$/m) ?? []
  if (exports === undefined) throw new Error('the bundle has no exports')
  const script = [...imports, exports].reduce((text, each) => text.replace(each, ''), code)
  const short = shorten(script.replaceAll('import.meta.url', URL_OF_MODULE))
  return `${imports.map((each) => each.replaceAll(/\s+/g, ' ')).join('\n')}\n${short.replaceAll(URL_OF_MODULE, 'import.meta.url')}${exports.replaceAll(/\s+/g, ' ').trim()}\n`
}
