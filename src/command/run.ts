import { HELP, parseCommand, UsageError } from './arguments.ts'
import { list } from './ls.ts'
import type { Streams } from './streams.ts'

/** Runs the command with these arguments. Resolves with the exit code: 0, 1 if it failed, 2 if the arguments are wrong. */
export async function run(args: readonly string[], { stdout, stderr }: Streams = process): Promise<number> {
  try {
    const command = parseCommand(args)
    if (command.name === 'ls') return await list(command, { stdout, stderr })
    stdout.write(command.name === 'help' ? HELP : `${await version()}\n`)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      stderr.write(`nsset: ${error.message}\nTry 'nsset --help'.\n`)
      return 2
    }
    // Errors of this package and of Node.js have a code; the stack of others helps.
    if (!(error instanceof Error && 'code' in error)) throw error
    stderr.write(`nsset: ${error.message}\n`)
    return 1
  }
}

async function version(): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  // From dist/command, and from src/command.
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
