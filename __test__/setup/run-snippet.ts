/** Runs what a page shows as a module of its own, which imports the package from its source. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NamespaceSet } from 'nsset'
import { isVm } from './iproute.ts'
import { isRoot } from './privilege.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const TSX_TSCONFIG_PATH = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))

export const SNIPPET_TIME_LIMIT = isVm ? 90_000 : 20_000

export interface Outcome {
  stdout: string
  stderr: string
  code: number
}

/** For root it runs where it finds none of the host's links and names, and makes none there. */
export async function runSnippet(code: string, env: Record<string, string> = {}): Promise<Outcome> {
  using directory = temporaryDirectory()
  const file = directory.file('snippet.mts')
  writeFileSync(file, code)
  using place = isRoot ? NamespaceSet.unshareSync(['mnt', 'net'], { mounts: [EMPTY_RUN] }) : undefined
  const node = [process.execPath, '--import', TSX, file] as const
  return await outcomeOf(inside(place, node), { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH, ...env })
}

const EMPTY_RUN = { type: 'tmpfs', target: '/run' }

type Command = readonly [file: string, ...args: string[]]

function inside(place: NamespaceSet | undefined, command: Command): Command {
  if (place === undefined) return command
  return ['nsenter', `--mount=${place.path('mnt')}`, `--net=${place.path('net')}`, ...command]
}

function outcomeOf([file, ...args]: Command, env: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: SNIPPET_TIME_LIMIT, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}
