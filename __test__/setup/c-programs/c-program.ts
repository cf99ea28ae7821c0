/** Programs in C beside this file, compiled for a test. */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

/** A compiled program; it is deleted with its block. */
export interface CProgram extends Disposable {
  readonly path: string
}

/** Compiles `NAME.c`, with these flags of cc(1); undefined where there is no compiler. */
export function compileC(name: string, ...flags: string[]): CProgram | undefined {
  const directory = temporaryDirectory()
  // Programs run as other users, too.
  chmodSync(directory.path, 0o755)
  const path = directory.file(name)
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url))
  try {
    execFileSync('cc', ['-O2', ...flags, '-o', path, source], { stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    directory[Symbol.dispose]()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}
