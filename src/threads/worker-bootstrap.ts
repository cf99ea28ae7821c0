/** What the thread of a Worker runs that cannot be born inside: it enters, and then does as Node's own start does. */
import { binding } from '../native.ts'

/** What Node calls the text of a Worker that is given with `eval`. */
const EVAL = '[worker eval]'

/** @internal The file is loaded by the function that Node's own start calls: CommonJS, modules and TypeScript alike. */
export function bootstrapOfFile(ticket: number, file: string): string {
  const path = JSON.stringify(file)
  // What belongs to the text that is run, and not to the file: an evaluated one has globals of its own.
  return `{
    ${enter(ticket)}
    for (const name of ['module', 'exports', 'require', '__filename', '__dirname']) delete globalThis[name]
    delete process._eval
    process.argv.splice(1, process.argv[1] === '${EVAL}' ? 1 : 0, ${path})
    process.getBuiltinModule('node:module').runMain(${path})
  }`
}

/**
 * @internal The text itself, after something on its first line, so that its lines keep their numbers: a script enters
 * first; what is none is taken for a module, which imports the entering first.
 */
export function bootstrapOfEval(ticket: number, text: string): string {
  const code = text.replace(/^#!/, '//')
  if (!isScript(code)) return `${importToEnter(ticket)};${code}`
  // Strict scripts have no `with`. The directive does not count where it is not the first statement.
  const directive = isScript(`${code}\n;with({}){}`) ? '' : "'use strict';"
  return `${directive}${enter(ticket)};${code}`
}

/** @internal A module at a `data:` URL. */
export function bootstrapOfUrl(ticket: number, url: string): string {
  const tidy = dataUrl(`delete process._eval; if (process.argv[1] === '${EVAL}') process.argv.splice(1, 1)`)
  return `${importToEnter(ticket)}; import ${tidy}; import ${JSON.stringify(url)}`
}

/** Modules are evaluated in the order of their imports. */
function importToEnter(ticket: number): string {
  return `import ${dataUrl(enter(ticket))}`
}

function dataUrl(code: string): string {
  return JSON.stringify(`data:text/javascript,${encodeURIComponent(code)}`)
}

/** On one line, for scripts and for modules; the class of our errors is not there yet. */
function enter(ticket: number): string {
  const url = JSON.stringify(binding().addonUrl())
  return [
    `{ const url = ${url}, builtin = process.getBuiltinModule`,
    `const require = builtin('node:module').createRequire(url)`,
    `const failure = require(builtin('node:url').fileURLToPath(url)).enterAdmitted(${ticket})`,
    `if (failure !== null) throw Object.assign(new Error(failure.message), failure) }`,
  ].join('; ')
}

function isScript(text: string): boolean {
  const { Script } = process.getBuiltinModule('node:vm')
  try {
    return new Script(text) instanceof Script
  } catch {
    return false
  }
}
