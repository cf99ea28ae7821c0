/** A program in C tries to leave a box in every known way, and gets nothing. What it tries changes nothing where it succeeds. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { Sandbox, type SandboxOptions } from 'nsset/sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CProgram, compileC } from '../setup/c-programs/c-program.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

let program: CProgram
let hidden: TemporaryDirectory
beforeAll(() => {
  const compiled = compileC('escape', '-static')
  if (compiled === undefined) throw new Error('there is no C compiler')
  program = compiled
  hidden = temporaryDirectory()
  chmodSync(hidden.path, 0o755)
  writeFileSync(hidden.file('marker'), 'of the host')
})
afterAll(() => {
  program[Symbol.dispose]()
  hidden[Symbol.dispose]()
})

/** Runs it, with what it looks for on the host: a file, an abstract socket, and this process. */
async function tryIn(options: SandboxOptions): Promise<Map<string, string>> {
  const name = `nsset-escape-${process.pid}`
  const server = createServer().listen(`\0${name}`)
  await once(server, 'listening')
  try {
    await using box = await Sandbox.create(options)
    const { stdout } = await box.execFile(program.path, [hidden.file('marker'), name, `${process.pid}`], {
      timeout: 20_000,
      env: {},
    })
    return new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    )
  } finally {
    server.close()
  }
}

/** The attempts of the program, which is in the box by the place of its own. */
const boxes: [string, () => SandboxOptions][] = [
  ['a view of the host', () => ({ files: { read: [program.path] } })],
  ['an empty root directory', () => ({ root: 'empty', files: { read: [program.path] } })],
  ['a view of the host, as root of its user namespace', () => ({ user: 'root', files: { read: [program.path] } })],
]

describe.each(boxes)('%s', (_, options) => {
  test('the program gets nothing', async () => {
    const results = await tryIn(options())
    expect(results.size).toBeGreaterThan(40)
    expect([...results].filter(([, result]) => !result.startsWith('refused'))).toEqual([])
  })
})

test('outside of a box, the same program gets what it looks for', () => {
  const { stdout } = spawnSync(program.path, [hidden.file('marker'), 'none', `${process.pid}`, 'look'], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  for (const name of ['the marker', 'dot-dot', 'kill of a process of the host']) {
    expect(stdout).toMatch(new RegExp(`^${name}: GOT`, 'm'))
  }
})

test('a set-user-ID program gains nothing', async () => {
  await using box = await Sandbox.create()
  const { stdout } = await box.execFile('sh', [
    '-c',
    'grep NoNewPrivs /proc/self/status; awk \'$5 == "/" { print $6 }\' /proc/self/mountinfo',
  ])
  expect(stdout).toMatch(/^NoNewPrivs:\t1\n(?:.*\n)*ro,.*nosuid/)
})

test('programs of two boxes do not see each other', async () => {
  await using one = await Sandbox.create()
  await using other = await Sandbox.create()
  const child = one.spawn('sh', ['-c', 'echo secret > /tmp/secret; exec sleep 60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const { stdout } = await other.execFile('sh', ['-c', 'ls /tmp; for p in /proc/[0-9]*; do echo $p; done'])
  expect(stdout.trim().split('\n')).toEqual(['/proc/1', '/proc/2'])
})
