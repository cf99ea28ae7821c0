/** How long a Node lives that has children inside a set, and what they share with it: each in a Node of its own. */
import { describe, expect, test } from 'vitest'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const HEADING = `
  import { NamespaceSet } from 'nsset'
  const set = NamespaceSet.unshareSync(${isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"})
  // Held to the end: what is collected is warned of.
  globalThis.held = set
  const quiet = { stdio: 'ignore' }
`

describe('the event loop', () => {
  test('goes on while a child runs, and ends with it', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('sh', ['-c', 'sleep 0.1; exit 7'], quiet).on('exit', (code) => console.log('exit', code))
      process.on('exit', () => console.log('end'))`)
    expect(stdout).toBe('exit 7\nend\n')
  })

  test('ends before a child that was unref()ed, which lives on', async () => {
    const pid = await askPlainNode<number>(`${HEADING}
      const child = set.spawn('sleep', ['60'], quiet)
      child.unref()
      child.unref()
      child.on('exit', () => console.log('unexpected'))
      console.log(child.pid)`)
    // It was there to be ended, and so it had lived on.
    expect(process.kill(pid, 'SIGKILL')).toBe(true)
  })

  test('goes on again after ref(), and for each child by itself', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      const [first, second] = [1, 2].map(() => set.spawn('sleep', ['0.1'], quiet))
      for (const child of [first, second]) child.unref()
      second.ref()
      second.ref()
      second.on('exit', () => console.log('second'))
      process.on('exit', () => console.log('end'))`)
    expect(stdout).toBe('second\nend\n')
  })

  test('is held by a child whose set was closed', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('sh', ['-c', 'sleep 0.1; exit 7'], quiet).on('exit', (code) => console.log('exit', code))
      set.close()`)
    expect(stdout).toBe('exit 7\n')
  })

  test('is not held by what did not start', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('/nonexistent').on('error', (error) => console.log(error.code))`)
    expect(stdout).toBe('ENOENT\n')
  })
})

test('an error that nobody listens for ends Node, as with node:child_process', async () => {
  const { code, stderr } = await runPlainNode(`${HEADING} set.spawn('/nonexistent')`)
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/Unhandled 'error' event[\s\S]*spawn \/nonexistent/)
})

test("stdio 'inherit' is the caller's own", async () => {
  const { stdout, stderr } = await runPlainNode(`${HEADING}
    set.spawn('sh', ['-c', 'echo out; echo err >&2; readlink /proc/self/fd/0'], { stdio: 'inherit' })
    set.spawn('sh', ['-c', 'sleep 0.05; echo mixed'], { stdio: ['ignore', 'inherit', 'pipe'] })`)
  expect([stdout, stderr]).toEqual(['out\n/dev/null\nmixed\n', 'err\n'])
})

test('a program that reads no more does not end Node by SIGPIPE', async () => {
  const { code, stdout } = await runPlainNode(`${HEADING}
    const child = set.spawn('true')
    child.stdin.on('error', (error) => console.log(error.code))
    child.on('close', () => console.log('close'))
    child.on('exit', () => child.stdin.write('x'.repeat(1e6)))`)
  expect(code).toBe(0)
  expect(stdout).toContain('close')
})
