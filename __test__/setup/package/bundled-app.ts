/**
 * An application in its own directory that has the package as its users do: bundled into one file, below
 * `node_modules`. Other packages are chosen by the test.
 */
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleApi, ENTRIES } from '../../../scripts/api-build/bundle.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TIME_LIMIT = 30_000

export interface AppOutcome {
  /** Its output, parsed as JSON; undefined if that is invalid. */
  value: unknown
  stdout: string
  stderr: string
  code: number | null
  signal: string | null
}

export interface RunOptions {
  env?: Record<string, string>
  /** The command before the program's file: `['deno', 'run', '-A']`. */
  command?: readonly string[]
  timeout?: number
}

export interface BundledApp extends Disposable {
  readonly directory: TemporaryDirectory
  /** Installs a package beside it with npm: `'undici@6'`. Returns the error, if any. */
  install(name: string): string | undefined
  /** Runs a module until it exits. */
  run(program: string, options?: RunOptions): Promise<AppOutcome>
}

export function bundledApp(): BundledApp {
  const directory = temporaryDirectory()
  const place = directory.file('node_modules/nsset')
  for (const entry of ENTRIES) {
    mkdirSync(dirname(join(place, 'dist', entry)), { recursive: true })
    writeFileSync(join(place, `dist/${entry}.js`), bundleApi(entry))
  }
  const files = ['package.json', 'index.js', ...readdirSync(ROOT).filter((name) => name.endsWith('.node'))]
  for (const file of files) copyFileSync(join(ROOT, file), join(place, file))
  writeFileSync(directory.file('package.json'), '{ "private": true, "type": "module" }')
  let last = 0
  const run = (program: string, options?: RunOptions) => {
    const file = directory.file(`main-${++last}.mjs`)
    writeFileSync(file, program)
    return outcomeOf(file, directory.path, options)
  }
  return { directory, install: (name) => install(name, directory), run, [Symbol.dispose]: directory[Symbol.dispose] }
}

/** Into another directory first: npm would remove what it did not install itself. */
function install(name: string, directory: TemporaryDirectory): string | undefined {
  using elsewhere = temporaryDirectory()
  writeFileSync(elsewhere.file('package.json'), '{ "private": true }')
  const args = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', elsewhere.path, name]
  try {
    execFileSync('npm', args, { cwd: elsewhere.path, stdio: 'pipe', timeout: 120_000 })
  } catch (error) {
    return `npm cannot install ${name}: ${String((error as { stderr?: unknown }).stderr ?? error)}`
  }
  cpSync(elsewhere.file('node_modules'), directory.file('node_modules'), { recursive: true, verbatimSymlinks: true })
  return undefined
}

function outcomeOf(file: string, cwd: string, options: RunOptions = {}): Promise<AppOutcome> {
  const [program = '', ...args] = [...(options.command ?? [process.execPath]), file]
  // The environment that vitest gives its own workers is not passed on.
  const env = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...options.env }
  const limits = { timeout: options.timeout ?? TIME_LIMIT, killSignal: 'SIGKILL' } as const
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, ...limits }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ value: asJson(stdout), stdout, stderr, code, signal: error?.signal ?? null })
    })
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
