/** The tools of a run, built in a temporary directory: the injector, and the subject as one module without a loader. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

export interface Built extends Disposable {
  injector: string
  subject: string
  /** For the reports of subjects, and for their mounts. */
  directory: string
}

export function buildTools(program = join(import.meta.dirname, 'subject.ts')): Built {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-faults-'))
  const injector = join(directory, 'injector')
  const subject = join(directory, 'subject.mjs')
  const source = join(import.meta.dirname, 'injector.c')
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', injector, source], { stdio: 'inherit' })
  buildSync({
    entryPoints: [program],
    outfile: subject,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  return { injector, subject, directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}
