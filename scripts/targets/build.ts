/**
 * Builds the addon for a target into its directory in `npm/`: `npm run build:target -- TARGET [--profile dev]`.
 *
 * `napi build --cross-compile` runs the same program; but it installs whichever cargo-zigbuild is the newest, and writes the types
 * and the loader beside the binary. Here the versions are pinned, and the binary is checked.
 *
 * Rust's standard library for the target is the installed one; on Debian it is built when there is none. Needs Rust, a C
 * compiler for this machine, binutils, and Python's pip; see docs/development/building.md.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkGlibc } from './glibc.ts'
import { checkLibraries } from './libraries.ts'
import { rustFor } from './rust.ts'
import { binaryOf, OLDEST_GLIBC, type Target, targetOf } from './targets.ts'
import { zigIn } from './zig.ts'

const PROJECT = join(import.meta.dirname, '../..')
const CACHE = join(PROJECT, 'target/cross')

const { values, positionals } = parseArgs({
  options: {
    profile: { type: 'string', default: 'release' },
    'target-dir': { type: 'string', default: join(CACHE, 'build') },
  },
  allowPositionals: true,
})
const target = targetOf(positionals[0])
const begin = performance.now()
const library = build(target, values.profile, values['target-dir'])
const binary = join(PROJECT, binaryOf(target))
copyFileSync(library, binary)
checkLibraries(binary)
if (target.abi === 'gnu') checkGlibc(binary)
const seconds = ((performance.now() - begin) / 1_000).toFixed(0)
console.log(`${binaryOf(target)}: ${(statSync(binary).size / 1e6).toFixed(2)} MB, in ${seconds} s`)

function build({ triple, abi }: Target, profile: string, directory: string): string {
  const { zig, cargoZigbuild } = zigIn(CACHE)
  const options = ['--locked', '--package=nsset-node', `--profile=${profile}`, `--target-dir=${directory}`]
  const linkedTo = abi === 'gnu' ? `${triple}.${OLDEST_GLIBC}` : triple
  execFileSync(cargoZigbuild, ['zigbuild', ...options, '--target', linkedTo], {
    cwd: PROJECT,
    timeout: 1_800_000,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...rustFor(triple, CACHE, zig),
      CARGO_ZIGBUILD_ZIG_PATH: zig,
      // A library that Node loads shares its libc with Node.
      ...(abi === 'musl' ? { RUSTFLAGS: '-Ctarget-feature=-crt-static' } : {}),
      // Debug information makes a binary ten times as large, and is of no use in a package.
      CARGO_PROFILE_DEV_DEBUG: 'false',
    },
  })
  return join(directory, triple, profile === 'dev' ? 'debug' : profile, 'libnsset_node.so')
}
