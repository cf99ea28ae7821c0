/**
 * An empty project, and the surroundings of somebody who has Node.js and nothing else: a home of their own, no Rust on the
 * PATH, and a registry that the test names, or none.
 */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

const TIME_LIMIT = 60_000
/** Milliseconds for a test or a hook that packs and installs: on a busy machine it takes its time. */
export const LONG = 90_000
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1/'

/** The directories of Node.js and of a system's own programs, in which rustup puts nothing. */
export const PATH_WITHOUT_RUST = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']

export interface Outcome {
  stdout: string
  stderr: string
  /** Null where it was killed. */
  code: number | null
}

export interface FreshProject extends Disposable {
  readonly path: string
  /** The path of a file in it. */
  file(name: string): string
  write(name: string, text: string): void
  /** The packages in its `node_modules`. */
  installed(): string[]
  /** Runs a program in it, to its end. */
  run(command: readonly string[], env?: Record<string, string>): Promise<Outcome>
}

/** With the address of a registry, else with one where nobody listens. */
export function freshProject(registry = NOWHERE): FreshProject {
  const directory = temporaryDirectory()
  // Others run what is installed there.
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
    // Yarn 1 has root's outside of its home.
    YARN_CACHE_FOLDER: join(home, '.yarn-cache'),
  }
  const run = ([program = '', ...args]: readonly string[], env?: Record<string, string>) =>
    outcomeOf(program, args, path, { ...surroundings, ...env })
  return { path, file, write, installed, run, [Symbol.dispose]: directory[Symbol.dispose] }
}

/** The npm that is on this process' own PATH, which may be elsewhere than its Node.js. */
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
