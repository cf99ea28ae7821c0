/** `nsset ls`: what the command prints, and its exit codes. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { run } from '../../src/command/index.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { hide } from '../setup/sets/hiding-places.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

async function nsset(...args: string[]): Promise<Outcome> {
  const outcome = { code: -1, stdout: '', stderr: '' }
  const into = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      outcome[name] += text
    },
  })
  outcome.code = await run(args, { stdout: into('stdout'), stderr: into('stderr') })
  return outcome
}

describe('ls', () => {
  test('prints a line for each namespace', async () => {
    using set = anyonesSet(['net'])
    const { code, stdout } = await nsset('ls')
    expect(code).toBe(0)
    expect(stdout.split('\n').find((line) => line.startsWith(`${set.id('net')} `))).toContain('descriptor')
  })

  test('prints a tree of owners', async () => {
    using set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })
    const lines = (await nsset('ls', '--tree')).stdout.split('\n')
    const at = lines.findIndex((line) => line.includes(set.id('user')))
    expect(lines[at]).toMatch(/^(?:user|[│ ]*[├└]─ user)/)
    expect(lines[at + 1]).toContain(`└─ ${set.id('uts')}`)
  })

  test('prints JSON with everything that is known', async () => {
    using set = anyonesSet(['net'])
    const { namespaces, incomplete } = JSON.parse((await nsset('ls', '--json')).stdout)
    const one = namespaces.find(({ id }: { id: string }) => id === set.id('net'))
    expect(one).toMatchObject({ kind: 'net', owner: expect.stringMatching(/^user:/), holders: expect.any(Array) })
    expect(Array.isArray(incomplete)).toBe(true)
  })

  test('prints only some kinds', async () => {
    const { stdout } = await nsset('ls', '--kind', 'net', '--kind=uts')
    expect(
      new Set(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(':')[0]),
      ),
    ).toEqual(new Set(['net', 'uts']))
  })

  test('prints only what some processes hold', async () => {
    using set = anyonesSet(['uts'])
    await using inside = await hide('number = 0', set)
    const { code, stdout } = await nsset('ls', '--kind=uts', String(inside.pid))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^uts:\[\d+\] [^\n]*\n$/)
    expect(stdout).toContain(set.id('uts'))
  })

  test('fails with 1 for a process that does not exist', async () => {
    expect(await nsset('ls', '2147483647')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('2147483647'),
    })
  })
})

describe('the program', () => {
  /** The exit code of the program, which the shell starts with this redirection, and what it wrote to standard error. */
  function runIn(redirection: string): { code: string; stderr: string } {
    const script = `{ node dist/nsset.js ls --kind uts ${redirection}; echo "code $?" >&3; } 3>&1 4>&2`
    const options = { encoding: 'utf8', cwd: ROOT, timeout: 60_000 } as const
    const { stdout, stderr } = spawnSync('bash', ['-c', script], options)
    return { code: stdout, stderr }
  }

  test('ends with 0, and without a word, when the reader of its output has gone', () => {
    expect(runIn('2> >(grep -v incomplete: >&4) > >(exec true)')).toEqual({ code: 'code 0\n', stderr: '' })
  })

  test('ends with 1, and says why, when its output cannot be written', () => {
    const { code, stderr } = runIn('> /dev/full')
    expect(code).toBe('code 1\n')
    expect(stderr).toContain('nsset: cannot write to standard output: ENOSPC')
  })
})

describe('usage', () => {
  test.each([['--help'], ['-h'], ['help'], ['ls', '--help']])('%s prints the help', async (...args) => {
    expect(await nsset(...args)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: nsset ls/),
    })
  })

  test('--version prints the version', async () => {
    expect((await nsset('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test.each([
    [[], 'a command is missing'],
    [['list'], "unknown command 'list'"],
    [['ls', '--kinds=net'], '--kinds'],
    [['ls', '--kind=network'], "'network' is not a kind of namespace"],
    [['ls', '--kind'], '--kind'],
    [['ls', '12x'], "'12x' is not a process id"],
    [['ls', '0'], "'0' is not a process id"],
    [['ls', '--tree', '--json'], 'exclude each other'],
  ])('%j fails with 2', async (args, mention) => {
    const { code, stdout, stderr } = await nsset(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(mention)
    expect(stderr).toContain("Try 'nsset --help'.")
  })
})
