/** The lifetime of a Node.js process with children inside a set, and what they share with it. */
import { describe, expect, test } from 'vitest'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const HEADING = `
  import { NamespaceSet } from 'nsset'
  const set = NamespaceSet.unshareSync(${isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"})
  // Kept until the end: a collected set causes a warning.
  globalThis.held = set
  const quiet = { stdio: 'ignore' }
`

describe('the event loop', () => {
  test('runs while a child runs, and ends with it', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('sh', ['-c', 'sleep 0.1; exit 7'], quiet).on('exit', (code) => console.log('exit', code))
      process.on('exit', () => console.log('end'))`)
    expect(stdout).toBe('exit 7\nend\n')
  })

  test('ends before an unref()ed child, which survives', async () => {
    const pid = await askPlainNode<number>(`${HEADING}
      const child = set.spawn('sleep', ['60'], quiet)
      child.unref()
      child.unref()
      child.on('exit', () => console.log('unexpected'))
      console.log(child.pid)`)
    // It could be killed, so it had survived.
    expect(process.kill(pid, 'SIGKILL')).toBe(true)
  })

  test('keeps running after ref(), for each child separately', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      const [first, second] = [1, 2].map(() => set.spawn('sleep', ['0.1'], quiet))
      for (const child of [first, second]) child.unref()
      second.ref()
      second.ref()
      second.on('exit', () => console.log('second'))
      process.on('exit', () => console.log('end'))`)
    expect(stdout).toBe('second\nend\n')
  })

  test('keeps running for a child whose set was closed', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('sh', ['-c', 'sleep 0.1; exit 7'], quiet).on('exit', (code) => console.log('exit', code))
      set.close()`)
    expect(stdout).toBe('exit 7\n')
  })

  test('does not wait for a child that failed to start', async () => {
    const { stdout } = await runPlainNode(`${HEADING}
      set.spawn('/nonexistent').on('error', (error) => console.log(error.code))`)
    expect(stdout).toBe('ENOENT\n')
  })
})

test('an error without a listener ends Node.js, as with node:child_process', async () => {
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

test('a program that stops reading does not end Node.js by SIGPIPE', async () => {
  const { code, stdout } = await runPlainNode(`${HEADING}
    const child = set.spawn('true')
    child.stdin.on('error', (error) => console.log(error.code))
    child.on('close', () => console.log('close'))
    child.on('exit', () => child.stdin.write('x'.repeat(1e6)))`)
  expect(code).toBe(0)
  expect(stdout).toContain('close')
})
