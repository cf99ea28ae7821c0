/**
 * Debian's rustc-web, the newest Rust that a stable Debian has, unpacked into a directory and never installed. It comes
 * with the standard library of this machine, and with the source of those of all others.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'

const COMPILER = 'rustc-web'
const SOURCE = 'rust-web-src'
/** What the compiler needs beside the libraries that every Debian has. */
const WANTED = /^(rustc-web|libstd-rust-web\S*|libllvm\d+)$/

/** What of the environment chooses it; builds the standard library of `triple` when it was not yet. */
export function debianRustIn(cache: string, zig: string, triple: string): NodeJS.ProcessEnv {
  const root = join(cache, 'rust')
  if (!existsSync(root)) into(root, unpack)
  const bin = join(cache, 'bin')
  writePrograms(bin, root, zig)
  const env = { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, RUSTC: join(bin, 'rustc') }
  const libraries = join(root, 'usr/lib/rustlib', triple, 'lib')
  if (!existsSync(libraries)) into(libraries, (directory) => buildStandardLibrary(directory, triple, env))
  return env
}

/** Fills a directory that is there only when it is whole. */
function into(directory: string, fill: (directory: string) => void): void {
  const partial = `${directory}.partial-${process.pid}`
  mkdirSync(partial, { recursive: true })
  try {
    fill(partial)
    renameSync(partial, directory)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function unpack(directory: string): void {
  const names = [...packagesOfCompiler(), SOURCE]
  console.log(`downloading ${names.join(' ')}`)
  // APT::Sandbox::User: apt's own user may not write here, and would say so.
  run(directory, 'apt-get', 'download', '--quiet', '--option=APT::Sandbox::User=root', ...names)
  for (const archive of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
    // Of the source only the libraries, and no manuals.
    const excluded = ['./usr/src/*/compiler', './usr/src/*/src', './usr/share'].map((path) => `--exclude=${path}`)
    const options = ['--anchored', '--no-wildcards-match-slash', ...excluded]
    run(directory, 'sh', '-c', 'dpkg-deb --fsys-tarfile "$0" | tar --extract "$@"', archive, ...options)
    rmSync(join(directory, archive))
  }
}

function packagesOfCompiler(): string[] {
  const relations = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (name) => `--no-${name}`,
  )
  const text = execFileSync('apt-cache', ['depends', '--recurse', ...relations, COMPILER], {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const names = text.split('\n').filter((line) => WANTED.test(line))
  if (!names.includes(COMPILER)) {
    throw new Error(`apt knows no ${COMPILER}: run apt-get update, on Debian, or add the target with rustup`)
  }
  return names
}

/** rustc with its libraries, and the linker that Rust calls its own and Debian leaves out. */
function writePrograms(bin: string, root: string, zig: string): void {
  const libraries = realpathSync(
    join(root, 'usr/lib', `${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}-linux-gnu`),
  )
  const programs = {
    rustc: `LD_LIBRARY_PATH='${libraries}' exec '${join(root, 'usr/bin/rustc')}' "$@"`,
    // rustc says "-flavor gnu" first, which is for a linker of many.
    'rust-lld': `shift 2\nexec '${zig}' ld.lld "$@"`,
  }
  mkdirSync(bin, { recursive: true })
  for (const [name, script] of Object.entries(programs)) {
    const file = join(bin, name)
    const partial = `${file}.partial-${process.pid}`
    writeFileSync(partial, `#!/bin/sh\n${script}\n`)
    chmodSync(partial, 0o755)
    renameSync(partial, file)
  }
}

/** As a dependency of an empty crate: Cargo builds it so, and rustc then takes it for one that was installed. */
function buildStandardLibrary(directory: string, triple: string, env: NodeJS.ProcessEnv): void {
  const crate = join(directory, 'crate')
  mkdirSync(join(crate, 'src'), { recursive: true })
  writeFileSync(join(crate, 'Cargo.toml'), '[package]\nname = "empty"\nedition = "2024"\n[workspace]\n')
  writeFileSync(join(crate, 'src/lib.rs'), '#![no_std]\n')
  execFileSync('cargo', ['build', '--release', '--quiet', '-Zbuild-std=std', '--target', triple], {
    cwd: crate,
    timeout: 900_000,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      CARGO_TARGET_DIR: join(crate, 'target'),
      RUSTC_BOOTSTRAP: '1',
      // Or it could not take part in the optimisation of the whole.
      RUSTFLAGS: '-Cembed-bitcode=yes',
    },
  })
  const built = join(crate, 'target', triple, 'release/deps')
  for (const name of readdirSync(built).filter((each) => each.endsWith('.rlib') && !each.startsWith('libempty-'))) {
    copyFileSync(join(built, name), join(directory, name))
  }
  rmSync(crate, { recursive: true })
}

function run(directory: string, program: string, ...args: string[]): void {
  execFileSync(program, args, { cwd: directory, timeout: 300_000, stdio: ['ignore', 2, 'inherit'] })
}
