/** Programs of others, at the other end of connections: socat(1), curl(1). */
import type { ChildProcess } from 'node:child_process'
import type { NamespaceSet } from 'nsset'
import { outputOf } from './iproute.ts'

const TIME_LIMIT = 15_000

/** Starts socat inside; without a limit of its own it would wait for ever. */
export function startSocat(set: NamespaceSet, args: readonly string[]): ChildProcess {
  return set.spawn('socat', [...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: TIME_LIMIT })
}

/** What curl gets from inside. */
export async function curl(set: NamespaceSet, ...args: string[]): Promise<string> {
  const { stdout } = await set.execFile('curl', ['--silent', '--show-error', '--max-time', '10', ...args])
  return stdout
}

/** Waits until somebody listens on a port, as ss(8) sees it. */
export async function listening(set: NamespaceSet, port: number): Promise<void> {
  await until(async () => (await outputOf(set, 'ss', `-Hltn sport = :${port}`)) !== '', `nobody listens on ${port}`)
}

/** Waits until a name is among the unix sockets of a network. */
export async function eventuallyListed(set: NamespaceSet, name: string): Promise<void> {
  await until(async () => (await outputOf(set, 'ss', '-Hlx')).includes(name), `nobody listens at ${name}`)
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const end = Date.now() + TIME_LIMIT
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(otherwise)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
