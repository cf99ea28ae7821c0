/** Builds a peer that is written in Go, from a module in a directory beside this file. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMissing, isPresent } from './presence.ts'

const NATIVE = new URL('../native/', import.meta.url)

/** Undefined, and its libraries said to be missing, where there is no Go, or Go cannot have them. */
export function buildGo(directory: string, libraries: Record<string, string>): string | undefined {
  const cwd = fileURLToPath(new URL(`${directory}/`, import.meta.url))
  const program = fileURLToPath(new URL(`${directory}-peer`, NATIVE))
  mkdirSync(NATIVE, { recursive: true })
  const go = (...args: string[]) => execFileSync('go', args, { cwd, timeout: 300_000, encoding: 'utf8', stdio: 'pipe' })
  try {
    // Fetches what is not there yet, and compiles nothing: so a mistake in the program is none of the proxy's.
    go('list', '-deps', '.')
  } catch (error) {
    for (const name of Object.keys(libraries)) isMissing(name, reasonOf(error as GoError))
    return undefined
  }
  go('build', '-buildvcs=false', '-o', program, '.')
  announce(libraries, go('version', '-m', program))
  return program
}

type GoError = NodeJS.ErrnoException & { stderr?: string }

function reasonOf({ code, stderr = '', message }: GoError): string {
  if (code === 'ENOENT') return 'Go is not installed'
  // As in `main.go:9:2: MODULE@VERSION: reading https://…: 403 Forbidden`; what is indented below is the server's own word.
  const lines = stderr.split('\n').filter((line) => /^\S/.test(line))
  const said = (lines.at(-1) ?? message).replace(/^\S+\.go:\S+ |^go: /, '').replace(/ reading \S+/, '')
  return `Go says of ${said}`
}

/** Its first line ends with Go's own version; then each module has a line of its own, `dep PATH VERSION SUM`. */
function announce(libraries: Record<string, string>, versions: string): void {
  const [first = '', ...others] = versions.split('\n').map((line) => line.trim().split(/\s+/))
  isPresent('go', first.at(-1)?.replace(/^go/, '') ?? '')
  for (const [name, path] of Object.entries(libraries)) {
    isPresent(name, others.find((words) => words[1] === path)?.[2] ?? '')
  }
}
