/** Runs the examples as readers do. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Outcome {
  stdout: string
  stderr: string
  code: number
}

/** Milliseconds: some examples start many programs, which is slow in a virtual machine. */
export const LONG = 90_000

export const fileOf = (name: string) => fileURLToPath(new URL(`../../../examples/${name}.ts`, import.meta.url))

/** Runs `examples/NAME.ts`. */
export function example(name: string, ...args: string[]): Promise<Outcome> {
  const file = fileOf(name)
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...args], { timeout: LONG }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}
