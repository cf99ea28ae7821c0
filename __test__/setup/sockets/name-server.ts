/** dnsmasq(8) inside, which knows the given names, and answers that others do not exist. */
import type { NamespaceSet } from 'nsset'
import { startInside, untilBound, type WatchedProgram } from '../programs/watched-program.ts'

export interface NameServer extends WatchedProgram {
  /** The queries that it received, in order: `'A web.test'`. */
  questions(): string[]
}

/** Starts it at an address inside; further options are dnsmasq's. */
export async function startNameServer(
  set: NamespaceSet,
  address: string,
  options: readonly string[] = [],
  port = 53,
): Promise<NameServer> {
  const program = startInside(set, 'dnsmasq', [
    // It keeps its user: in an ordinary user's namespace it may not change its groups.
    '--no-daemon',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    `--listen-address=${address}`,
    `--port=${port}`,
    '--address=/#/',
    '--log-queries',
    '--log-facility=-',
    ...options,
  ])
  await program.prints('started').catch(() => undefined)
  try {
    await untilBound(set, port)
  } catch (error) {
    throw new Error(`dnsmasq does not start: ${program.output}`, { cause: error })
  }
  const questions = () =>
    [...program.output.matchAll(/query\[(\w+)\] (\S+)/g)].map(([, type, name]) => `${type} ${name}`)
  return Object.assign(program, { questions })
}
