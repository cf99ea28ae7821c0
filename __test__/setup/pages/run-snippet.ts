/** Runs a snippet of a page: a module that imports the package as its users do, or a bash script. */

import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { NamespaceSet } from 'nsset'
import { bundleApi, ENTRIES } from '../../../scripts/api-build/bundle.ts'
import type { Snippet } from '../../../scripts/pages/pages.ts'
import { isVm } from '../oracles/iproute.ts'
import { isRoot } from '../sets/privilege.ts'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const NATIVE = `nsset.linux-${process.arch}-gnu.node`

export const SNIPPET_TIME_LIMIT = isVm ? 90_000 : 20_000

export interface Outcome {
  stdout: string
  stderr: string
  code: number
}

/** An application with the package installed from its source. */
export interface SnippetHome extends Disposable {
  readonly directory: string
}

const EXPORTS = {
  '.': './dist/index.js',
  './sandbox': './dist/sandbox/index.js',
  './testing': './dist/testing/index.js',
}

/** Bundled once: with a TypeScript loader each snippet would take a second to start. */
export async function snippetHome(): Promise<SnippetHome> {
  const { path, file, [Symbol.dispose]: remove } = temporaryDirectory()
  const place = file('node_modules/nsset')
  for (const entry of ENTRIES) mkdirSync(dirname(`${place}/dist/${entry}`), { recursive: true })
  symlinkSync(`${ROOT}${NATIVE}`, `${place}/${NATIVE}`)
  writeFileSync(`${place}/package.json`, JSON.stringify({ name: 'nsset', type: 'module', exports: EXPORTS }))
  for (const entry of ENTRIES) writeFileSync(`${place}/dist/${entry}.js`, bundleApi(entry))
  return { directory: path, [Symbol.dispose]: remove }
}

/** For root it runs without the host's links and names, and creates none there. */
export async function runSnippet(
  home: SnippetHome,
  snippet: Pick<Snippet, 'language' | 'code'>,
  env: Record<string, string> = {},
): Promise<Outcome> {
  using place = isRoot ? NamespaceSet.unshareSync(['mnt', 'net'], { loopback: true, mounts: [EMPTY_RUN] }) : undefined
  const command = await commandOf(home, snippet)
  return await outcomeOf(home, inside(home, place, command), { ...process.env, NODE_OPTIONS: '', ...env })
}

const EMPTY_RUN = { type: 'tmpfs', target: '/run' }

type Command = readonly [file: string, ...args: string[]]

async function commandOf(home: SnippetHome, { language, code }: Pick<Snippet, 'language' | 'code'>): Promise<Command> {
  // Without --norc, bash(1) reads its start-up file where the standard input is a socket, as that of a child of Node is.
  if (language === 'sh') return ['bash', '--norc', '-euo', 'pipefail', '-c', code]
  const file = `${home.directory}/snippet.mjs`
  writeFileSync(file, (await transform(code, { loader: 'ts', format: 'esm', target: 'node20' })).code)
  return [process.execPath, file]
}

function inside({ directory }: SnippetHome, place: NamespaceSet | undefined, command: Command): Command {
  if (place === undefined) return command
  const nsenter = ['nsenter', `--mount=${place.path('mnt')}`, `--net=${place.path('net')}`] as const
  // nsenter(1) changes to the root directory.
  return [...nsenter, 'env', `--chdir=${directory}`, ...command]
}

function outcomeOf({ directory }: SnippetHome, [file, ...args]: Command, env: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env, timeout: SNIPPET_TIME_LIMIT, killSignal: 'SIGKILL' } as const
    execFile(file, args, options, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}
