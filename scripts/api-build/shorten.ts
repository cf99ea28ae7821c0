/** Removes what the engine does not need from code that esbuild has bundled. Functions, classes and methods keep their names. */
import { transformSync } from 'esbuild'

export const TARGET = 'node20'
const LONGEST_LINE = 120

/** Esbuild keeps the top-level names of a script, but not those of a module: `script` has no imports and exports. */
export function shorten(script: string): string {
  return transformSync(withOwnNames(script), { minify: true, target: TARGET, lineLimit: LONGEST_LINE }).code
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
    return `${line} static { Object.defineProperty(this, "name", { __proto__: null, value: ${name}, configurable: true }) }`
  })
}
