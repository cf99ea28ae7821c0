/** Other programs at the other end of connections: socat(1), curl(1). */
import type { ChildProcess } from 'node:child_process'
import type { NamespaceSet } from 'nsset'
import { outputOf } from './iproute.ts'

const TIME_LIMIT = 15_000

/** Starts socat inside, with a time limit. */
export function startSocat(set: NamespaceSet, args: readonly string[]): ChildProcess {
  return set.spawn('socat', [...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: TIME_LIMIT })
}

/** The response that curl gets from inside. */
export async function curl(set: NamespaceSet, ...args: string[]): Promise<string> {
  const { stdout } = await set.execFile('curl', ['--silent', '--show-error', '--max-time', '10', ...args])
  return stdout
}

/** Waits until a port has a listener, as shown by ss(8). */
export async function listening(set: NamespaceSet, port: number): Promise<void> {
  await until(async () => (await outputOf(set, 'ss', `-Hltn sport = :${port}`)) !== '', `no listener on port ${port}`)
}

/** Waits until a name is among the unix sockets of a network. */
export async function eventuallyListed(set: NamespaceSet, name: string): Promise<void> {
  await until(async () => (await outputOf(set, 'ss', '-Hlx')).includes(name), `no listener at ${name}`)
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const end = Date.now() + TIME_LIMIT
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(otherwise)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
