/** Builds a peer written in Go, from a module in a directory beside this file. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMissing, isPresent } from './presence.ts'

const NATIVE = new URL('../../target/peers/', import.meta.url)

/**
 * Undefined, with its libraries reported as missing, if Go or its modules are not available. `sources` are directories to
 * take modules from instead of the proxy, by their paths.
 */
export function buildGo(
  directory: string,
  libraries: Record<string, string>,
  sources: Record<string, string> = {},
): string | undefined {
  const cwd = fileURLToPath(new URL(`${directory}/`, import.meta.url))
  const program = fileURLToPath(new URL(`${directory}-peer`, NATIVE))
  mkdirSync(NATIVE, { recursive: true })
  const modules = Object.keys(sources).length === 0 ? [] : [`-modfile=${replaceModules(cwd, program, sources)}`]
  const go = (...args: string[]) => execFileSync('go', args, { cwd, timeout: 300_000, encoding: 'utf8', stdio: 'pipe' })
  try {
    // Downloads missing modules, and compiles nothing: so an error in the program is not attributed to the proxy.
    go('list', ...modules, '-deps', '.')
  } catch (error) {
    for (const name of Object.keys(libraries)) isMissing(name, reasonOf(error as GoError))
    return undefined
  }
  go('build', ...modules, '-buildvcs=false', '-o', program, '.')
  announce(libraries, go('version', '-m', program))
  return program
}

/** A go.mod and its go.sum beside the program, in which these modules come from directories. */
function replaceModules(cwd: string, program: string, sources: Record<string, string>): string {
  const modfile = `${program}.mod`
  const replaced = Object.entries(sources).map(([path, directory]) => `replace ${path} => ${resolve(directory)}\n`)
  writeFileSync(modfile, `${readFileSync(`${cwd}go.mod`, 'utf8')}\n${replaced.join('')}`)
  copyFileSync(`${cwd}go.sum`, `${program}.sum`)
  return modfile
}

type GoError = NodeJS.ErrnoException & { stderr?: string }

function reasonOf({ code, stderr = '', message }: GoError): string {
  if (code === 'ENOENT') return 'Go is not installed'
  // As in `main.go:9:2: MODULE@VERSION: reading https://…: 403 Forbidden`; indented lines are the server's message.
  const lines = stderr.split('\n').filter((line) => /^\S/.test(line))
  const line = (lines.at(-1) ?? message).replace(/^\S+\.go:\S+ |^go: /, '').replace(/ reading \S+/, '')
  return `Go reports ${line}`
}

/** Its first line ends with Go's own version; then each module has one line, `dep PATH VERSION SUM`. */
function announce(libraries: Record<string, string>, versions: string): void {
  const [first = '', ...others] = versions.split('\n').map((line) => line.trim().split(/\s+/))
  isPresent('go', first.at(-1)?.replace(/^go/, '') ?? '')
  for (const [name, path] of Object.entries(libraries)) {
    isPresent(name, others.find((words) => words[1] === path)?.[2] ?? '')
  }
}
