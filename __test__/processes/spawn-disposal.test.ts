/** `await using` ends a program, and waits for its end. */
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { NamespaceChildProcess } from 'nsset'
import { expect, test } from 'vitest'
import { readStat } from '../setup/guards/proc-stat.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

test('it has ended when the block has', async () => {
  using set = anyonesSet(['uts'])
  let child: NamespaceChildProcess
  {
    await using sleeper = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    child = sleeper
  }
  expect([child.signalCode, child.killed]).toEqual(['SIGTERM', true])
  expect(readStat(child.pid as number)).toBeUndefined()
})

test('by its killSignal', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore', killSignal: 'SIGINT' })
  await child[Symbol.asyncDispose]()
  expect(child.signalCode).toBe('SIGINT')
})

test('at its own pace, when it makes something of the signal', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "sleep 0.2; exit 7" TERM; echo ready; while :; do sleep 0.02; done'])
  await once(child.stdout as Readable, 'data')
  await child[Symbol.asyncDispose]()
  expect([child.exitCode, child.signalCode]).toEqual([7, null])
})

test('by SIGKILL, when it makes nothing of it for five seconds', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'])
  await once(child.stdout as Readable, 'data')
  const start = Date.now()
  await child[Symbol.asyncDispose]()
  expect(child.signalCode).toBe('SIGKILL')
  expect(Date.now() - start).toBeGreaterThan(4_900)
}, 20_000)

test('at once, when it has ended, or never began', async () => {
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

test('twice, at the same time', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
  await Promise.all([child[Symbol.asyncDispose](), child[Symbol.asyncDispose]()])
  expect(child.signalCode).toBe('SIGTERM')
})

test('an error in the block comes out, and the program has ended all the same', async () => {
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

test('by its killSignal, although another signal was sent before', async () => {
  using set = anyonesSet(['uts'])
  const child = set.spawn('sh', ['-c', 'trap "" HUP; trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done'])
  await once(child.stdout as Readable, 'data')
  child.kill('SIGHUP')
  const start = Date.now()
  await child[Symbol.asyncDispose]()
  expect([child.exitCode, child.signalCode]).toEqual([7, null])
  expect(Date.now() - start).toBeLessThan(4_000)
})

test('while Node waits for it, although it was unref()ed', async () => {
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

test('an abort, after an error that had nothing to do with it', async () => {
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
