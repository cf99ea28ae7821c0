/** Python's pyroute2, in a virtual environment: `peers/python`. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NamespaceSet } from 'nsset'
import { isMissing, isPresent } from './presence.ts'
import { PeerProgram } from './program.ts'

const SOURCE = new URL('python/', import.meta.url)
const ENVIRONMENT = fileURLToPath(new URL('../../target/peers/python/', import.meta.url))

/** Started by this process, or in a set. */
export async function openPython(set?: NamespaceSet): Promise<PeerProgram | undefined> {
  if (!prepare()) return undefined
  return new PeerProgram([`${ENVIRONMENT}bin/python`, '-B', fileURLToPath(new URL('peer.py', SOURCE))], set)
}

/** Creates the environment the first time. */
function prepare(): boolean {
  const requirements = fileURLToPath(new URL('requirements.txt', SOURCE))
  const [installed, asked] = [`${ENVIRONMENT}requirements.txt`, readFileSync(requirements, 'utf8')]
  try {
    if (!existsSync(installed) || readFileSync(installed, 'utf8') !== asked) {
      run('python3', '-m', 'venv', '--clear', ENVIRONMENT)
      run(`${ENVIRONMENT}bin/pip`, 'install', '--quiet', '--disable-pip-version-check', '-r', requirements)
      writeFileSync(installed, asked)
    }
    isPresent('python', run(`${ENVIRONMENT}bin/python`, '--version').replace('Python', '').trim())
    isPresent('pyroute2', asked.trim().split('==')[1] ?? '')
    return true
  } catch (error) {
    isMissing('pyroute2', reasonOf(error as NodeJS.ErrnoException & { stderr?: string; stdout?: string }))
    return false
  }
}

function run(file: string, ...args: string[]): string {
  return execFileSync(file, args, { timeout: 300_000, encoding: 'utf8', stdio: 'pipe' })
}

/** `venv` prints on standard output that Debian has it in a separate package. */
function reasonOf({
  code,
  stderr = '',
  stdout = '',
  message,
}: NodeJS.ErrnoException & { stderr?: string; stdout?: string }) {
  if (code === 'ENOENT') return 'Python is not installed'
  return (stderr.trim() || stdout.trim() || message).split('\n').at(-1) ?? message
}
