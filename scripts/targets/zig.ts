/**
 * Zig as the linker: one program that brings every libc of every target along, of glibc each version. cargo-zigbuild
 * puts it between Cargo and rustc. Both come from PyPI, pinned, into a directory of their own.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.0']

export interface Zig {
  zig: string
  cargoZigbuild: string
}

/** The one in the cache; when there is none, installs it with pip. */
export function zigIn(cache: string): Zig {
  const root = join(cache, 'zig')
  if (!existsSync(root)) installInto(root)
  return { zig: join(root, 'ziglang/zig'), cargoZigbuild: join(root, 'bin/cargo-zigbuild') }
}

function installInto(root: string): void {
  const partial = `${root}.partial-${process.pid}`
  try {
    // To stdout nothing, which may be read by a program.
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', partial, ...PACKAGES], {
      timeout: 300_000,
      stdio: ['ignore', 2, 'inherit'],
    })
    renameSync(partial, root)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}
