/** The Rust that builds for a target: the installed one when it has the target's standard library, or else Debian's. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { debianRustIn } from './debian-rust.ts'

/** What of the environment says which Rust it is. */
export function rustFor(triple: string, cache: string, zig: string): NodeJS.ProcessEnv {
  if (isInstalled(triple)) return {}
  console.log(`rustc has no standard library for ${triple}: Debian's rustc-web builds it`)
  return debianRustIn(cache, zig, triple)
}

function isInstalled(triple: string): boolean {
  const directory = execFileSync('rustc', ['--print', 'target-libdir', '--target', triple], {
    encoding: 'utf8',
    timeout: 60_000,
  }).trim()
  return existsSync(directory) && readdirSync(directory).some((name) => name.startsWith('libstd-'))
}
