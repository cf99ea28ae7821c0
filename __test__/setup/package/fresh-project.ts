/**
 * An empty project, and the environment of a user with Node.js only: a home directory, no Rust on the
 * PATH, and a registry that the test chooses, or none.
 */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

const TIME_LIMIT = 60_000
/** Milliseconds for a test or a hook that packs and installs, which is slow on a busy machine. */
export const LONG = 90_000
/** A port without a listener. */
const NOWHERE = 'http://127.0.0.1:1/'

/** The directories of Node.js and of the system's programs, without those of rustup. */
export const PATH_WITHOUT_RUST = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']

export interface Outcome {
  stdout: string
  stderr: string
  /** Null if it was killed. */
  code: number | null
}

export interface FreshProject extends Disposable {
  readonly path: string
  /** The path of a file in it. */
  file(name: string): string
  write(name: string, text: string): void
  /** The packages in its `node_modules`. */
  installed(): string[]
  /** Runs a program in it until it exits. */
  run(command: readonly string[], env?: Record<string, string>): Promise<Outcome>
}

/** With the address of a registry, or of a port without a listener. */
export function freshProject(registry = NOWHERE): FreshProject {
  const directory = temporaryDirectory()
  // Other users run what is installed there.
  chmodSync(directory.path, 0o755)
  const [path, home, scratch] = [directory.file('project'), directory.file('home'), directory.file('tmp')]
  for (const each of [path, home, scratch]) mkdirSync(each)
  // npm, pnpm and Yarn 1 read it.
  writeFileSync(join(home, '.npmrc'), `registry=${registry}\nupdate-notifier=false\nfund=false\n`)
  const file = (name: string) => join(path, name)
  const write = (name: string, text: string) => writeFileSync(file(name), text)
  write('package.json', '{ "name": "app", "version": "1.0.0", "private": true, "type": "module" }\n')
  const installed = () => readdirSync(file('node_modules')).filter((name) => !name.startsWith('.'))
  const surroundings = {
    PATH: PATH_WITHOUT_RUST.join(delimiter),
    HOME: home,
    TMPDIR: scratch,
    LANG: 'C.UTF-8',
    // Yarn 1 has that of root outside of its home directory.
    YARN_CACHE_FOLDER: join(home, '.yarn-cache'),
  }
  const run = ([program = '', ...args]: readonly string[], env?: Record<string, string>) =>
    outcomeOf(program, args, path, { ...surroundings, ...env })
  return { path, file, write, installed, run, [Symbol.dispose]: directory[Symbol.dispose] }
}

/** The npm on this process' own PATH, which may be in another directory than its Node.js. */
export const NPM = join(
  (process.env['PATH'] ?? '').split(delimiter).find((directory) => existsSync(join(directory, 'npm'))) ?? '',
  'npm',
)

function outcomeOf(program: string, args: string[], cwd: string, env: Record<string, string>): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, timeout: TIME_LIMIT, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ stdout, stderr, code })
    })
  })
}
