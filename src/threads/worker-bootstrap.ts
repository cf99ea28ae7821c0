/** Source text for the thread of a Worker that has to enter the namespaces itself: it enters, then starts as in Node.js. */
import { binding } from '../native.ts'

/** Node's name for the text of a Worker with the option `eval`. */
const EVAL = '[worker eval]'

/** @internal Loads the file with the function that Node itself uses: for CommonJS, ES modules and TypeScript. */
export function bootstrapOfFile(ticket: number, file: string): string {
  const path = JSON.stringify(file)
  // Evaluated text has globals that a file must not see.
  return `{
    ${enter(ticket)}
    for (const name of ['module', 'exports', 'require', '__filename', '__dirname']) delete globalThis[name]
    delete process._eval
    process.argv.splice(1, process.argv[1] === '${EVAL}' ? 1 : 0, ${path})
    process.getBuiltinModule('node:module').runMain(${path})
  }`
}

/**
 * @internal Puts the code that enters on the first line of the text, so that the line numbers stay the same. A script enters in
 * its first statement. Other text is an ES module, and imports the code that enters.
 */
export function bootstrapOfEval(ticket: number, text: string): string {
  const code = text.replace(/^#!/, '//')
  if (!isScript(code)) return `${importToEnter(ticket)};${code}`
  // Strict scripts have no `with`. A directive has to be the first statement.
  const directive = isScript(`${code}\n;with({}){}`) ? '' : "'use strict';"
  return `${directive}${enter(ticket)};${code}`
}

/** @internal For an ES module at a `data:` URL. */
export function bootstrapOfUrl(ticket: number, url: string): string {
  const tidy = dataUrl(`delete process._eval; if (process.argv[1] === '${EVAL}') process.argv.splice(1, 1)`)
  return `${importToEnter(ticket)}; import ${tidy}; import ${JSON.stringify(url)}`
}

/** ES modules are evaluated in the order of their imports. */
function importToEnter(ticket: number): string {
  return `import ${dataUrl(enter(ticket))}`
}

function dataUrl(code: string): string {
  return JSON.stringify(`data:text/javascript,${encodeURIComponent(code)}`)
}

/** On one line, and valid in scripts and ES modules. nsset's error classes are not loaded at this point. */
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
