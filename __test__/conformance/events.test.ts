/** A child of a set emits the same events as a child of `child_process.spawn`, in the same order. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { setTimeout as pass } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { twins } from '../setup/processes/twins.ts'
import { properties, thrownBy, watch } from '../setup/processes/watch-child.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

const shell = (script: string) => ['sh', ['-c', script]] as const

describe('a program that', () => {
  twins('ends well', ({ spawn }) => watch(spawn('true')))
  twins('exits with a code', ({ spawn }) => watch(spawn(...shell('exit 42'))))
  twins('exits with the highest code', ({ spawn }) => watch(spawn(...shell('exit 255'))))
  twins('writes to both streams', ({ spawn }) => watch(spawn(...shell('echo out; echo err >&2'))))
  twins('reads its input', async ({ spawn }) => {
    const child = spawn('cat')
    child.stdin?.end('some input')
    return watch(child)
  })
  twins('kills itself', ({ spawn }) => watch(spawn(...shell('kill -KILL $$'))))
  twins('aborts', ({ spawn }) => watch(spawn(...shell('ulimit -c 0; kill -ABRT $$'))))
  twins('turns a signal into an exit code', ({ spawn }) =>
    watch(spawn(...shell('trap "exit 7" TERM; kill -TERM $$; sleep 5'))),
  )
  twins('closes its output before it exits emits the close first', async ({ spawn }) => {
    const child = spawn(...shell('exec >&- 2>&-; sleep 0.2; exit 3'))
    const order: string[] = []
    for (const event of ['exit', 'close']) child.on(event, () => order.push(event))
    for (const stream of [child.stdout, child.stderr]) stream?.on('close', () => order.push('close of a stream'))
    return { seen: await watch(child), order }
  })
  twins('writes before it exits has all its output available at the exit event', async ({ spawn }) => {
    const late: string[] = []
    for (let turn = 0; turn < 20; turn++) {
      const child = spawn(...shell('echo out; echo err >&2'))
      const output = { out: '', err: '' }
      child.stdout?.on('data', (text) => (output.out += text))
      child.stderr?.on('data', (text) => (output.err += text))
      child.on('exit', () => output.out + output.err === 'out\nerr\n' || late.push(output.out + output.err))
      await watch(child)
    }
    return late
  })
  twins('is stopped and continued', async ({ spawn }) => {
    const child = spawn('sleep', ['0.3'], { stdio: 'ignore' })
    const seen = watch(child)
    const sent = [child.kill('SIGSTOP'), child.kill('SIGCONT')]
    return { sent, seen: await seen, killed: child.killed }
  })
})

describe('kill()', () => {
  twins('before the event spawn', async ({ spawn }) => {
    const child = spawn('sleep', ['60'])
    const seen = watch(child)
    return [child.kill(), child.killed, await seen]
  })
  for (const signal of ['SIGKILL', 'SIGUSR1', 'SIGSEGV', 'SIGRTMIN', 9, 15, 64, 'sigterm'] as const) {
    twins(`with ${signal}`, async ({ spawn }) => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore' })
      const seen = watch(child)
      await once(child, 'spawn')
      const thrown = thrownBy(() => child.kill(signal as NodeJS.Signals))
      if (!child.killed) child.kill('SIGKILL')
      return [thrown, await seen]
    })
  }
  // Neither Node.js nor libuv has a name for this signal.
  twins('with a real-time signal', async ({ spawn }) => watch(spawn('sh', ['-c', 'kill -34 $$'])))
  twins('with 0 only tests for existence', async ({ spawn }) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    const seen = watch(child)
    const asked = [child.kill(0), child.killed]
    child.kill('SIGKILL')
    return [asked, await seen, child.kill(0)]
  })
  // Not compared: Node.js signals the pid of the failed attempt, which may still exist.
  test('on a child that failed to start does nothing before the error event', async () => {
    using set = anyonesSet(['uts'])
    const child = set.spawn('/nonexistent')
    const seen = watch(child)
    expect([child.kill(), child.kill(0), child.killed]).toEqual([false, false, false])
    expect((await seen).events).toHaveLength(2) // 'error' and 'close'
  })
  twins('after the exit does nothing', async ({ spawn }) => {
    const child = spawn('true')
    const seen = await watch(child)
    return [seen, child.kill(), child.kill('SIGKILL'), properties(child)]
  })
  twins('twice', async ({ spawn }) => {
    const child = spawn('sleep', ['60'])
    const seen = watch(child)
    return [child.kill('SIGTERM'), child.kill('SIGKILL'), typeof (await seen)]
  })
  twins('on an exited child whose exit event is pending', async ({ spawn }) => {
    const child = spawn('true')
    const seen = watch(child)
    const until = Date.now() + 200
    while (Date.now() < until);
    return [child.kill(), child.kill(0), child.killed, await seen]
  })
  twins('in the exit handler', async ({ spawn }) => {
    const child = spawn('true')
    const seen = watch(child)
    let answer: unknown
    child.on('exit', () => (answer = [child.kill(), child.killed]))
    return [await seen, answer]
  })
  twins('without a signal', async ({ spawn }) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    const seen = watch(child)
    const thrown = ['SIGNOTHING', '', 'TERM', 65, 1000, -1, 1.5, Number.NaN, {}, true].map((signal) =>
      thrownBy(() => child.kill(signal as NodeJS.Signals)),
    )
    const killed = child.killed
    child.kill('SIGKILL')
    return [thrown, killed, await seen]
  })
  twins('with null sends SIGTERM', async ({ spawn }) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    const seen = watch(child)
    const thrown = thrownBy(() => child.kill(null as never))
    child.kill('SIGKILL')
    return [thrown, (await seen).events.at(0)]
  })
})

describe('disposal', () => {
  twins('sends SIGTERM once', async ({ spawn }) => {
    const child = spawn(...shell('trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done'))
    const seen = watch(child)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child[Symbol.dispose]()
    child[Symbol.dispose]()
    return [child.killed, await seen]
  })
  twins('does nothing after the exit', async ({ spawn }) => {
    const child = spawn('true')
    const seen = await watch(child)
    child[Symbol.dispose]()
    return [child.killed, seen]
  })
})

describe('handlers', () => {
  twins('run in the async context in which the child was started', async ({ spawn }) => {
    const storage = new AsyncLocalStorage<string>()
    const contexts: Record<string, unknown> = {}
    const child = storage.run('started here', () => spawn('echo', ['text']))
    for (const event of ['spawn', 'exit', 'close']) child.on(event, () => (contexts[event] = storage.getStore()))
    await storage.run('watched here', () => watch(child))
    return contexts
  })
  twins('of a failure run in it, too', async ({ spawn }) => {
    const storage = new AsyncLocalStorage<string>()
    const contexts: Record<string, unknown> = {}
    const child = storage.run('started here', () => spawn('/nonexistent'))
    for (const event of ['error', 'close']) child.on(event, () => (contexts[event] = storage.getStore()))
    await watch(child)
    return contexts
  })
  twins('start more children', async ({ spawn }) => {
    const ends: unknown[] = []
    const one = (left: number): Promise<unknown> =>
      new Promise((resolve) => {
        const child = spawn(...shell(`exit ${left}`), { stdio: 'ignore' })
        child.on('exit', (code) => {
          ends.push(code)
          resolve(left === 0 ? undefined : one(left - 1))
        })
      })
    await one(5)
    return ends
  })
})

twins('no event is emitted synchronously', async ({ spawn }) => {
  const order: string[] = []
  const child = spawn('true')
  child.on('spawn', () => order.push('spawn'))
  child.on('exit', () => order.push('exit'))
  order.push('returned')
  process.nextTick(() => order.push('tick'))
  await Promise.resolve()
  order.push('microtask')
  const until = Date.now() + 100
  while (Date.now() < until);
  order.push('waited')
  await watch(child)
  await pass(1)
  return order
})
