/** The integration tests of a crate, as programs. */
import { execFileSync } from 'node:child_process'

export interface CrateTest {
  /** `links`, of `tests/links.rs`. */
  name: string
  program: string
}

interface CargoMessage {
  reason: string
  target?: { kind: string[]; name: string }
  executable?: string | null
}

/** Builds them, sorted by name. */
export function crateTests(crate: string): CrateTest[] {
  const output = execFileSync('cargo', ['test', '--package', crate, '--no-run', '--message-format=json', '--quiet'], {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const messages = output.split('\n').filter((line) => line.startsWith('{'))
  const tests = messages.map((line) => testOf(JSON.parse(line))).filter((test) => test !== undefined)
  return tests.sort((one, other) => one.name.localeCompare(other.name))
}

function testOf({ target, executable }: CargoMessage): CrateTest | undefined {
  if (!target?.kind.includes('test') || typeof executable !== 'string') return undefined
  return { name: target.name, program: executable }
}
