/** `await using` ends a program, and waits for its exit. */
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { NamespaceChildProcess } from 'nsset'
import { expect, test } from 'vitest'
import { readStat } from '../setup/guards/proc-stat.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

test('the program has exited after the block', async () => {
  using set = anyonesSet(['uts'])
  let child: NamespaceChildProcess
  {
    await using sleeper = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    child = sleeper
  }
  expect([child.signalCode, child.killed]).toEqual(['SIGTERM', true])
  expect(readStat(child.pid as number)).toBeUndefined()
})

test('the program ends by its killSignal', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore', killSignal: 'SIGINT' })
  await child[Symbol.asyncDispose]()
  expect(child.signalCode).toBe('SIGINT')
})

test('a program that handles the signal may take a while', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "sleep 0.2; exit 7" TERM; echo ready; while :; do sleep 0.02; done'])
  await once(child.stdout as Readable, 'data')
  await child[Symbol.asyncDispose]()
  expect([child.exitCode, child.signalCode]).toEqual([7, null])
})

test('a program that ignores the signal is killed by SIGKILL after five seconds', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'])
  await once(child.stdout as Readable, 'data')
  const start = Date.now()
  await child[Symbol.asyncDispose]()
  expect(child.signalCode).toBe('SIGKILL')
  expect(Date.now() - start).toBeGreaterThan(4_900)
}, 20_000)

test('disposal is immediate for an exited child, and for one that failed to start', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('true', [], { stdio: 'ignore' })
  await once(child, 'exit')
  await child[Symbol.asyncDispose]()
  expect([child.exitCode, child.killed]).toEqual([0, false])
  const missing = set.spawn('/nonexistent')
  const failed = once(missing, 'error')
  await missing[Symbol.asyncDispose]()
  await failed
  await missing[Symbol.asyncDispose]()
})

test('disposal may be called twice at the same time', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
  await Promise.all([child[Symbol.asyncDispose](), child[Symbol.asyncDispose]()])
  expect(child.signalCode).toBe('SIGTERM')
})

test('an error in the block is thrown after the program has exited', async () => {
  using set = anyonesSet(['uts'])
  let child: NamespaceChildProcess | undefined
  const failing = async () => {
    await using sleeper = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    child = sleeper
    throw new Error('on purpose')
  }
  await expect(failing()).rejects.toThrow('on purpose')
  expect(child?.signalCode).toBe('SIGTERM')
})

test('disposal sends killSignal even if another signal was sent before', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "" HUP; trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done'])
  await once(child.stdout as Readable, 'data')
  child.kill('SIGHUP')
  const start = Date.now()
  await child[Symbol.asyncDispose]()
  expect([child.exitCode, child.signalCode]).toEqual([7, null])
  expect(Date.now() - start).toBeLessThan(4_000)
})

test('Node.js waits for disposal of an unref()ed child', async () => {
  const { stdout, code } = await runPlainNode(`
    import { NamespaceSet } from 'nsset'
    const set = NamespaceSet.current('uts')
    const child = set.spawn('sh', ['-c', 'trap "sleep 0.3; exit 7" TERM; echo ready; while :; do sleep 0.02; done'])
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.unref()
    for (const stream of child.stdio) stream.unref()
    await child[Symbol.asyncDispose]()
    console.log('ended', child.exitCode)
    set.close()`)
  expect({ stdout, code }).toEqual({ stdout: 'ended 7\n', code: 0 })
})

test('a child can be aborted after an unrelated error', async () => {
  using set = anyonesSet(['uts'])
  const controller = new AbortController()
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore', signal: controller.signal })
  const messages: string[] = []
  child.on('error', ({ message }) => messages.push(message))
  child.emit('error', new Error('unrelated'))
  controller.abort()
  await once(child, 'close')
  expect([child.signalCode, messages]).toEqual(['SIGTERM', ['unrelated', 'The operation was aborted']])
})
